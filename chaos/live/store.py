"""The database of a run as the nemesis sees it, and where everything that the platform commits is read.

Commits come from the server's own log, in their order, with the run time at which they happened.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chaos.history import State
from chaos.live.background import Background
from chaos.live.database import DatabaseUnfit, EmbeddedDatabase, GivenDatabase
from chaos.live.links import HOST
from chaos.live.ports import Ports
from chaos.live.wal import Transaction, WriteAheadLog
from chaos.opening import Opening
from reference_platform.tables import TABLES
from scenarios.model import Scenario

DATABASE: Final = "database"
REPLICA: Final = "replica"
RECOVERY_S: Final = 60.0


class Store:
    """Implements `chaos.live.faults.Store`. `url` is that of a given database, None for one of our own."""

    def __init__(self, opening: Opening, ports: Ports, url: str | None) -> None:
        """Make it, not yet started. Raises PostgresMissing, PostgresBroken or DatabaseUnfit."""
        self._opening = opening
        self._transactions = 0
        self._log: WriteAheadLog | None = None
        self.addresses: Mapping[str, str]
        self.database: EmbeddedDatabase | GivenDatabase
        self._own: EmbeddedDatabase | None = None
        if url is not None:
            self.database = GivenDatabase(url, f"dingfeng_{secrets.token_hex(4)}")
            self.addresses = {DATABASE: address_of(url)}
            return
        machines = opening.machines
        self.database = self._own = EmbeddedDatabase(
            ports,
            "dingfeng",
            replica=wants_replica(opening.scenario),
            sync=machines.replication == "sync",
            lag_us=opening.scenario.knobs.replica_lag or 0,
        )
        names = (DATABASE, REPLICA)
        self.addresses = {
            name: f"{HOST}:{server.port}" for name, server in zip(names, self._own.servers, strict=False)
        }

    @property
    def folders(self) -> list[str]:
        """Directories that must be gone when the run is."""
        return [str(server.folder) for server in self._own.servers] if self._own is not None else []

    def start(self, background: Background, to_run_us: Callable[[int], int]) -> None:
        """Bring it up, with what is there at the beginning; from then on every commit is followed."""
        self._background = background
        self._to_run_us = to_run_us
        database = self.database
        database.start()
        database.create(TABLES)
        for table, rows in self._opening.rows():
            database.load(table, rows)
        self._log = database.follow(TABLES)

    def urls(self, port_of: Callable[[str], int]) -> tuple[str, str]:
        """How the platform reaches database and replica through its proxies; the latter empty without one."""
        primary = make_conninfo(self.database.url, host=HOST, port=port_of(DATABASE))
        if self.database.replica_url is None:
            return primary, ""
        return primary, make_conninfo(self.database.replica_url, host=HOST, port=port_of(REPLICA))

    def commits(self) -> list[State]:
        """What was committed since the last call; nothing while the server is down."""
        assert self._log is not None
        return self._states(self._log.poll())

    def rest(self) -> list[State]:
        """All that is left. Raises psycopg.OperationalError while the server is down."""
        assert self._log is not None
        return self._states(self._log.drain())

    def shows_all(self) -> bool:
        """Whether the replica has caught up: it knows real time alone, so until then the clock must not leap."""
        return self._own is None or self._own.replica is None or self._own.behind() == 0

    def close(self) -> None:
        """Leave a given database as it was found; end one of our own. Safe to call again."""
        if self._log is not None:
            if self._own is None:
                self._log.close()
            else:
                self._log.disconnect()
            self._log = None
        self.database.close()

    # ------------------------------------------------------------ faults

    def drop_sessions(self) -> int:
        return self.database.drop_sessions()

    def crash(self, *, at_once: bool = True) -> Mapping[str, int]:
        process = self._ours().primary.process
        if process is None or process.poll() is not None:
            return {}
        database = self._ours()
        sessions = database.crash() if at_once else database.primary.immediate_stop()
        return {"pid": process.pid, "sessions": sessions}

    def revive(self) -> None:
        self._background.do(self._recover)

    def lag(self, lag_us: int) -> None:
        self._ours().lag(lag_us)

    def unwell(self) -> list[str]:
        return self.database.unwell()

    def _ours(self) -> EmbeddedDatabase:
        assert self._own is not None, "such rules are refused for a given database"
        return self._own

    def _recover(self) -> None:
        """Start it, and wait until it has recovered: that takes as long as it takes."""
        own = self._ours()
        own.revive()
        deadline_s = time.monotonic() + RECOVERY_S
        while not own.primary.ready():
            if time.monotonic() > deadline_s or not own.primary.running:
                raise RuntimeError(f"the database did not recover: {own.primary.complaint()}")
            time.sleep(0.005)

    def _states(self, transactions: list[Transaction]) -> list[State]:
        found: list[State] = []
        for transaction in transactions:
            self._transactions += 1
            at_us = self._to_run_us(transaction.commit_us - self.database.ahead_us)
            found.extend(transaction.states(at_us, self._transactions))
        return found


def wants_replica(scenario: Scenario) -> bool:
    """Whether anything in the storm is about a replica; else none is started."""
    rules = scenario.faults
    named = any(REPLICA in rule.where() or rule.fault == "database.replica_lag" for rule in rules)
    return named or scenario.knobs.replica_lag is not None


def address_of(url: str) -> str:
    """`host:port` of a connection string. Raises DatabaseUnfit when it has no host that a proxy can reach."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise DatabaseUnfit(f"--database-url: {str(error).strip()}") from error
    host, port = str(given.get("host") or ""), str(given.get("port") or 5432)
    if not host or host.startswith("/") or "," in host:
        raise DatabaseUnfit("--database-url: name one host; a socket of this machine has no proxy in front")
    return f"{host}:{port}"
