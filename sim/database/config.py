"""The numbers a simulated database server runs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class DatabaseConfig:
    """Times are for the way there and back; link delays come on top.

    `replication`: "sync" waits for the replica before a commit is acknowledged, so a failover
    loses nothing; "async" may lose what was committed within the last `replica_lag_us`. Reads from
    the replica are `replica_lag_us` old either way.
    """

    statement_us: int = 200
    commit_us: int = 500
    pool_size: int = 20
    pool_timeout_us: int = 5_000_000
    connect_timeout_us: int = 3_000_000
    keepalive_us: int = 10_000_000
    deadlock_timeout_us: int = 1_000_000
    replication: Literal["sync", "async"] = "sync"
    replica_lag_us: int = 0
