"""The database of a live run: one that we start, may kill and throw away, or one that was given to us.

Both give the platform a schema of its own. Only a server of our own can be crashed or have a replica that
lags; what a given one must be able to do is checked before anything is made in it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Any, Final

import psycopg

from chaos.live.initdb import Installation
from chaos.live.ports import Ports
from chaos.live.postgres import OURS, Server, alter
from chaos.live.wal import WriteAheadLog
from reference_platform.adapters import schema as schemas
from reference_platform.ports import R, Table

OLDEST: Final = 140_000  # the first whose pgoutput passes messages on, by which nodes are known
REPLICA: Final = "replica"
NOTICES: Final[Mapping[str, Any]] = {
    "tcp_user_timeout": 30_000,  # ms
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
}
"""For our own connections: a server whose machine has gone is noticed within half a minute, not in hours."""

_READINGS: Final = 9  # of two clocks; the closest of them counts


class DatabaseUnfit(Exception):
    """The given database cannot serve a run. The message says what is wanted and how to get it."""


class Database:
    """A schema on a running server, and what can be done to the sessions in it."""

    lasting = False  # whether the server may be crashed, so that what follows its log must survive it
    ahead_us = 0  # of the server's clock, which stamps commits, over this machine's

    def __init__(self, url: str, schema: str) -> None:
        self.url = url
        self.schema = schema
        self.made = False  # whether the schema is there, by us

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection of our own, in autocommit."""
        return psycopg.connect(
            self.url,
            autocommit=True,
            application_name=OURS,
            connect_timeout=10,
            client_encoding="utf8",
            **NOTICES,
        )

    def create(self, tables: Sequence[Table[Any]]) -> None:
        """Make the schema with its tables."""
        with self.connect() as connection:
            schemas.create(connection, self.schema, tables)
        self.made = True

    def load(self, table: Table[R], rows: Iterable[R]) -> None:
        """Put in what is there before the run begins; `follow` afterwards, and it is in no history."""
        with self.connect() as connection:
            schemas.load(connection, self.schema, table, rows)

    def follow(self, tables: Sequence[Table[Any]]) -> WriteAheadLog:
        """Read what is committed from now on."""
        log = WriteAheadLog(self.connect, self.schema, tables, lasting=self.lasting)
        log.open()
        return log

    def drop_sessions(self, name: str | None = None) -> int:
        """End the sessions of the platform, or of its node `name`, as `pg_terminate_backend` does; how many.

        They are gone when it returns.
        """
        with self.connect() as connection:
            found = connection.execute(
                "select count(*) filter (where pg_terminate_backend(pid, 10000)) from pg_stat_activity"
                " where starts_with(application_name, %s) and (%s::text is null or application_name = %s)"
                " and pid <> pg_backend_pid()",
                [f"{self.schema}.", name, f"{self.schema}.{name}"],
            ).fetchone()
        return 0 if found is None else int(found[0])


class EmbeddedDatabase(Database):
    """A server of our own, with a streaming replica if wanted.

    `sync`: a commit is acknowledged only when the replica has it too. `lag_us` is how far the replica is
    behind at rest, in real time, for the server knows no other: while it is behind, the clock must not leap.
    """

    lasting = True

    def __init__(
        self,
        ports: Ports,
        schema: str,
        *,
        replica: bool = False,
        sync: bool = False,
        lag_us: int = 0,
        fsync: bool = False,
    ) -> None:
        """Make the folders, and nothing else yet, so that a guardian can be told. Raises PostgresMissing."""
        super().__init__("", schema)
        installation = Installation.find()
        self.primary = Server(installation, ports.free(), fsync=fsync)
        self.replica: Server | None = None
        self._sync = sync
        self._lag_us = lag_us
        self._held = False
        self._asking = Lock()
        self._kept: list[psycopg.Connection[tuple[Any, ...]]] = []
        try:
            if replica:
                # What follows a primary looks for it again after 100 ms: the default of 5 s is for networks.
                quick = {"wal_retrieve_retry_interval": "100ms", "hot_standby_feedback": "on"}
                self.replica = Server(installation, ports.free(), settings=quick, fsync=fsync)
        except BaseException:
            self.close()
            raise

    @property
    def replica_url(self) -> str | None:
        return None if self.replica is None else self.replica.url

    @property
    def servers(self) -> list[Server]:
        """Primary and replica; their folders are for the guardian."""
        return [server for server in (self.primary, self.replica) if server is not None]

    def start(self) -> None:
        """Make it and start it, its replica too, and wait until all are ready. Raises PostgresBroken."""
        self.primary.create()
        self.url = self.primary.url
        self.primary.start()
        if self.replica is not None:
            self.replica.copy_of(self.primary, REPLICA)
            self.replica.start()
            self.lag(0)
            if self._sync:
                alter(self.primary, "synchronous_standby_names", REPLICA)

    def crash(self) -> int:
        """Kill -9 of the whole server; how many sessions that cut off."""
        return self.primary.kill()

    def revive(self) -> None:
        """Start it again, if it is down. It recovers in the background; `unwell` tells when it has."""
        self.primary.launch()

    def lag(self, lag_us: int) -> None:
        """Let the replica be behind by so much more than at rest, in real microseconds; 0 lets it catch up."""
        if self.replica is not None:
            alter(self.replica, "recovery_min_apply_delay", f"{(self._lag_us + lag_us) // 1000}ms")

    def hold_replica(self) -> None:
        """Let the replica stand still: it goes on receiving, and shows nothing new."""
        self._replay("pause")

    def release_replica(self) -> None:
        """Let it go on."""
        self._replay("resume")

    def behind(self) -> int | None:
        """How many bytes of the primary's log the replica has not replayed; None while one of them is down.

        Asked again and again, so over connections that are kept. May be called from any thread.
        """
        if self.replica is None:
            return 0
        with self._asking:
            try:
                if not self._kept:
                    self._kept = [self.primary.connect(), self.replica.connect()]
                primary, replica = self._kept
                (written,) = primary.execute("select pg_current_wal_lsn()").fetchone() or (None,)
                query = "select greatest(0, pg_wal_lsn_diff(%s, pg_last_wal_replay_lsn()))"
                (left,) = replica.execute(query, [written]).fetchone() or (None,)
            except psycopg.OperationalError:
                self._forget()
                return None
            return int(left)

    def unwell(self) -> list[str]:
        """What is not as it should be, in words: down, or the replica held or behind."""
        if not self.primary.ready():
            return ["the database is down" if not self.primary.running else "the database is not ready yet"]
        if self.replica is not None and not self.replica.ready():
            return ["the replica is down"]
        if self._held:
            return ["the replica is held"]
        left = self.behind()
        if left is None:
            return ["the replica is not ready yet"]
        return [f"the replica is {left} bytes behind"] if left and not self._lag_us else []

    def close(self) -> None:
        """End all of it; nothing is left. Safe to call again."""
        with self._asking:
            self._forget()
        for server in self.servers:
            server.close()

    def _forget(self) -> None:
        for connection in self._kept:
            connection.close()
        self._kept = []

    def _replay(self, verb: str) -> None:
        if self.replica is not None:
            with self.replica.connect() as connection:
                connection.execute(f"select pg_wal_replay_{verb}()")  # noqa: S608 - one of two words of ours
            self._held = verb == "pause"


class GivenDatabase(Database):
    """A server that somebody gave us by URL: checked, used in one schema, and left as it was found."""

    replica_url = None

    def __init__(self, url: str, schema: str) -> None:
        super().__init__(url, schema)

    def start(self) -> None:
        """See that it can do what a run needs. Raises DatabaseUnfit."""
        try:
            with self.connect() as connection:
                _check(connection, self.schema)
                self.ahead_us = _ahead_us(connection)
        except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
            raise DatabaseUnfit(f"--database-url: cannot be used: {str(error).strip()}") from error

    def unwell(self) -> list[str]:
        """What is not as it should be, in words."""
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return ["the database is down"]
        return []

    def close(self) -> None:
        """Remove the schema, if we made it. Raises psycopg.OperationalError."""
        if self.made:
            with self.connect() as connection:
                schemas.drop(connection, self.schema)
            self.made = False


def _check(connection: psycopg.Connection[tuple[Any, ...]], schema: str) -> None:
    found = connection.execute(
        "select current_setting('server_version_num')::int, current_setting('server_version'),"
        " current_setting('wal_level'), current_setting('server_encoding'), current_user,"
        " (select rolsuper or rolreplication from pg_roles where rolname = current_user),"
        " has_database_privilege(current_database(), 'CREATE'), current_database(),"
        " current_setting('max_replication_slots')::int - (select count(*) from pg_replication_slots),"
        " exists (select from pg_namespace where nspname = %s), pg_is_in_recovery()",
        [schema],
    ).fetchone()
    assert found is not None
    number, version, level, encoding, role, replicates, creates, name, slots, taken, standby = found
    for unfit, complaint in (
        (number < OLDEST, f"PostgreSQL 14 or newer is needed, this is {version}"),
        (standby, "this is a replica; give the primary"),
        (level != "logical", f"wal_level is {level}; set wal_level = logical and restart the server"),
        (encoding != "UTF8", f"the database {name} is encoded in {encoding}; make one in UTF8"),
        (not replicates, f'the role {role} may not replicate; alter role "{role}" replication'),
        (not creates, f'the role {role} may not make schemas; grant create on database "{name}" to "{role}"'),
        (slots < 1, "no replication slot is free; raise max_replication_slots or drop one that is not used"),
        (taken, f"there is a schema {schema} already"),
    ):
        if unfit:
            raise DatabaseUnfit(f"--database-url: {complaint}")


def _ahead_us(connection: psycopg.Connection[tuple[Any, ...]]) -> int:
    """How far the server's clock is ahead of ours; 0 when the two cannot be told apart over this line."""
    closest = min(_both_clocks(connection) for _ in range(_READINGS))
    apart_us, ahead_us = closest
    return ahead_us if abs(ahead_us) > apart_us else 0


def _both_clocks(connection: psycopg.Connection[tuple[Any, ...]]) -> tuple[int, int]:
    """Within how much both clocks were read, and the difference, µs."""
    before_us = time.time_ns() // 1000
    told = connection.execute("select (extract(epoch from clock_timestamp()) * 1000000)::bigint").fetchone()
    after_us = time.time_ns() // 1000
    assert told is not None
    return after_us - before_us, int(told[0]) - (before_us + after_us) // 2
