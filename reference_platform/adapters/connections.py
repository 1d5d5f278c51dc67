"""Connections to one server: a session that answers in time or is given up, and a pool of them.

All waiting is done by the host's `Waits`. That, and that a server which is down is told apart from a
pool that is empty, is why this is not psycopg's own pool: it reconnects in the background by the wall
clock, and then both look the same to whoever asks (docs/decisions/0018-postgres.md).
"""

from __future__ import annotations

import asyncio
import logging
import select
import socket
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import psycopg
from psycopg.adapt import AdaptersMap
from psycopg.rows import dict_row
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import TextLoader

from reference_platform.adapters.waits import Waits
from reference_platform.ports import (
    ConnectionLost,
    DatabaseError,
    DeadlockDetected,
    DiskFull,
    LockNotAvailable,
    PoolExhausted,
    ReadOnly,
    SerializationFailure,
    TransactionAborted,
    UniqueViolation,
)

T = TypeVar("T")
Cursor = psycopg.AsyncCursor[dict[str, Any]]
Connection = psycopg.AsyncConnection[dict[str, Any]]
Statement = tuple[str, list[Any]]

ERRORS: Final[dict[str, type[DatabaseError]]] = {
    "23505": UniqueViolation,
    "25006": ReadOnly,
    "25P02": TransactionAborted,
    "40001": SerializationFailure,
    "40P01": DeadlockDetected,
    "53100": DiskFull,
    "55P03": LockNotAvailable,
}
GONE: Final = ("08", "57P")  # connection exceptions, and a server that shuts down, crashed or is not ready


@dataclass(frozen=True, slots=True)
class Limits:
    """Microseconds of the platform's time.

    A connection whose answer takes longer than `answer_us` is given up: over a link that swallows
    everything there is no other sign. It bounds waits for locks too.
    """

    pool_size: int = 20
    pool_us: int = 5_000_000
    connect_us: int = 3_000_000
    answer_us: int = 10_000_000


def translated(error: Exception, *, lost: bool) -> DatabaseError:
    """The port's word for a driver's error. `lost`: the connection is gone."""
    state = getattr(error, "sqlstate", None) or ""
    kind = ERRORS.get(state)
    if kind is None:
        kind = ConnectionLost if lost or state.startswith(GONE) else DatabaseError
    return kind(f"{error}".strip())


class Session:
    """One connection, used by one transaction at a time."""

    __slots__ = ("connection", "fd", "lost", "_waits", "_answer_us", "_sign")

    def __init__(self, connection: Connection, waits: Waits, answer_us: int) -> None:
        self.connection = connection
        self.fd = connection.fileno()
        self.lost = False
        self._waits = waits
        self._answer_us = answer_us
        self._sign = select.poll()
        self._sign.register(self.fd, select.POLLIN)

    @property
    def alive(self) -> bool:
        """Whether the server has kept the connection; asks this machine's kernel, not the server.

        A server that owes no answer has only one thing to say: that it is leaving.
        """
        return not self.lost and not self._sign.poll(0)

    async def execute(self, *statements: Statement) -> Cursor:
        """Run statements in one round trip; the last one's cursor. Raises DatabaseError."""
        try:
            return await self._answer(self._send(statements))
        except (psycopg.Error, UnicodeError) as error:
            # An error of the line without a word from the server leaves a session that nobody can use any
            # more, whether or not the driver has noticed.
            wordless = isinstance(error, psycopg.OperationalError) and error.sqlstate is None
            if wordless:
                self.hang_up()
            found = translated(error, lost=self.lost or self.connection.closed)
            self.lost = self.lost or self.connection.closed or isinstance(found, ConnectionLost)
            raise found from error

    async def _send(self, statements: tuple[Statement, ...]) -> Cursor:
        if len(statements) == 1:
            return await self.connection.execute(*statements[0])
        async with self.connection.pipeline():
            for statement in statements:
                cursor = await self.connection.execute(*statement)
        return cursor

    async def _answer(self, exchange: Coroutine[Any, Any, T]) -> T:
        # Shielded: psycopg would answer a cancellation by asking the server to cancel and waiting for it
        # by the wall clock, over a link that may be cut. We end the connection instead.
        task = asyncio.ensure_future(exchange)
        try:
            with self._waits.working():
                return await self._waits.within(self._answer_us, asyncio.shield(task))
        except TimeoutError:
            await self._give_up(task)
            raise ConnectionLost(f"no answer within {self._answer_us} µs") from None
        except asyncio.CancelledError:
            await self._give_up(task)
            raise

    async def _give_up(self, task: asyncio.Task[Any]) -> None:
        self.hang_up()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # whatever came of it, the connection is gone

    def hang_up(self) -> None:
        """End the connection from this side; whoever waits for an answer hears of it at once."""
        self.lost = True
        if not self.connection.closed:  # else the number may be somebody else's by now
            with suppress(OSError), socket.socket(fileno=socket.dup(self.fd)) as line:
                line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Free the connection; what it had open is rolled back by the server."""
        self.lost = True
        self.connection.pgconn.finish()


class Pool:
    """At most so many sessions, made when wanted; who finds none free queues for one, first come first served."""

    def __init__(self, conninfo: str, waits: Waits, limits: Limits) -> None:
        self._conninfo = conninfo
        self._waits = waits
        self._limits = limits
        self._adapters = _adapters()
        self._idle: list[Session] = []
        self._lent = 0
        self._queue: deque[asyncio.Future[Session | None]] = deque()
        self._closed = False
        # psycopg warns of what follows from an error that we raise; without a handler Python would print it.
        logger = logging.getLogger("psycopg")
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())

    async def connect(self) -> Session:
        """A new session. Raises ConnectionLost."""
        if self._closed:
            raise ConnectionLost("the database client is closed")
        attempt = psycopg.AsyncConnection.connect(
            self._conninfo, autocommit=True, row_factory=dict_row, context=self._adapters
        )
        try:
            with self._waits.working():
                connection = await self._waits.within(self._limits.connect_us, attempt)
            # In here, because a server that dies in this moment leaves a connection without a socket.
            return Session(connection, self._waits, self._limits.answer_us)
        except TimeoutError:
            raise ConnectionLost("the server did not answer to a new connection") from None
        except psycopg.Error as error:
            raise ConnectionLost(f"cannot connect: {error}") from error

    async def take(self) -> Session:
        """A session of one's own until it is given back. Raises PoolExhausted, ConnectionLost."""
        session = await self._place()
        while session is not None and not session.alive:
            session.close()
            session = self._idle.pop() if self._idle else None
        if session is not None:
            return session
        try:
            return await self.connect()
        except BaseException:
            self._leave(None)
            raise

    async def _place(self) -> Session | None:
        """A place in the pool, with or without a session in it."""
        if self._lent < self._limits.pool_size:
            self._lent += 1
            return self._idle.pop() if self._idle else None
        turn: asyncio.Future[Session | None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            return await self._waits.within(self._limits.pool_us, turn)
        except BaseException as error:
            if turn in self._queue:
                self._queue.remove(turn)
            elif turn.done() and not turn.cancelled():
                self._leave(turn.result())  # it came in the moment in which we gave up
            if isinstance(error, TimeoutError):
                raise PoolExhausted("no connection became free") from None
            raise

    def give(self, session: Session) -> None:
        """Take a session back; one that is lost is closed."""
        if session.lost or self._closed:
            session.close()
            self._leave(None)
        else:
            self._leave(session)

    def _leave(self, session: Session | None) -> None:
        """A place is free again: the first in the queue gets it."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(session)
                return
        self._lent -= 1
        if session is not None:
            self._idle.append(session)

    def close(self) -> None:
        """Close what is idle; what is lent out is closed when it comes back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()


def _adapters() -> AdaptersMap:
    """One type for whole numbers, so that a statement is prepared once and not for each size of number."""
    adapters = AdaptersMap(psycopg.adapters)
    adapters.register_dumper(int, Int8Dumper)
    adapters.register_loader("json", TextLoader)  # decoded by column, see schema.Column
    return adapters
