"""A transactional database with PostgreSQL's behaviour, in memory and deterministic.

Start with `server.py` (commits and snapshots) and `transaction.py` (statements). Below them:
`reading` and `access` (what a statement sees and does to rows), `scan` and `index` (finding rows),
`store` (versions), `locks` (waiting), `serializable` (SSI), `replica`; beside them `client` (pool
and link of one node), `listening`, and `faults` (what the nemesis may do).
"""

from sim.database.client import DatabaseClient
from sim.database.config import DatabaseConfig
from sim.database.evidence import Evidence
from sim.database.faults import DatabaseFaults
from sim.database.server import Change, DatabaseServer
from sim.database.transaction import SimTransaction

__all__ = [
    "Change",
    "DatabaseClient",
    "DatabaseConfig",
    "DatabaseFaults",
    "DatabaseServer",
    "Evidence",
    "SimTransaction",
]
