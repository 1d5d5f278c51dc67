"""A real PostgreSQL behind the platform's own adapter as a world of the contract.

The adapter runs on an asyncio loop in a thread of its own; each session is a database client with one
connection, known to the server by its name.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any
from urllib.parse import quote

from psycopg.sql import SQL, Identifier

from chaos.live.initdb import Installation
from chaos.live.ports import Ports
from chaos.live.postgres import Server
from reference_platform.adapters import schema
from reference_platform.adapters.connections import Limits
from reference_platform.adapters.postgres import PostgresDatabase
from reference_platform.ports import Database, Isolation, Transaction
from tests.contracts.database.worlds import TABLES

SCHEMA = "contract"
PATIENCE_S = 60.0
PATIENT = Limits(pool_size=1, pool_us=60_000_000, connect_us=60_000_000, answer_us=60_000_000)
OPTIONS = quote("-c deadlock_timeout=100ms")  # a second each would be most of the suite's time


class PostgresServer:
    """The embedded server with the contract's tables, and the loop that its clients run on."""

    def __init__(self) -> None:
        self._ports = Ports()
        self._server = Server(Installation.find(), self._ports.free())
        try:
            self._server.create()
            self._server.start()
            self.control = self._server.connect()
            schema.create(self.control, SCHEMA, TABLES)
        except BaseException:
            self._server.close()
            raise
        self.url = f"{self._server.url}?options={OPTIONS}"
        self.numbers = itertools.count(1)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def version(self) -> str:
        row = self.control.execute("show server_version").fetchone()
        assert row is not None
        return str(row[0])

    def clear(self) -> None:
        for table in TABLES:
            self.control.execute(SQL("truncate {}.{}").format(Identifier(SCHEMA), Identifier(table.name)))

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE_S)
        self.loop.close()
        self.control.close()
        self._server.close()
        self._ports.close()


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
    """One client with one connection."""

    def __init__(self, server: PostgresServer, isolation: Isolation) -> None:
        self.server = server
        self.name = f"session-{next(server.numbers)}"
        self.client = PostgresDatabase(server.url, schema=SCHEMA, name=self.name, limits=PATIENT)
        self.database: Database = self.client
        self.steps: list[PostgresStep] = []
        self.begin(isolation)

    def begin(self, isolation: Isolation = Isolation.READ_COMMITTED) -> None:
        self.tx: Transaction = self.database.transaction(isolation)

    def run(self, statement: Coroutine[Any, Any, Any]) -> Any:
        step = self.start(statement)
        assert not step.blocked(), "the statement waits for another transaction"
        return step.result()

    def start(self, statement: Coroutine[Any, Any, Any]) -> PostgresStep:
        step = PostgresStep(self, asyncio.run_coroutine_threadsafe(statement, self.server.loop))
        self.steps.append(step)
        return step

    def close(self) -> None:
        # A statement may still wait: it is cancelled, and the rest rolled back.
        for step in self.steps:
            step.outcome.cancel()
        asyncio.run_coroutine_threadsafe(self._close(), self.server.loop).result(PATIENCE_S)

    async def _close(self) -> None:
        await self.tx.rollback()
        self.client.close()


class PostgresStep:
    def __init__(self, session: PostgresSession, outcome: Future[Any]) -> None:
        self.session = session
        self.outcome = outcome
        self.blocked()

    def blocked(self) -> bool:
        """Ask the server itself whether the session waits for another."""
        while not _finished(self.outcome, 0.002):
            row = self.session.server.control.execute(
                "select bool_or(wait_event_type = 'Lock' and cardinality(pg_blocking_pids(pid)) > 0)"
                " from pg_stat_activity where application_name = %s",
                [f"{SCHEMA}.{self.session.name}"],
            ).fetchone()
            if row is not None and row[0]:
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
