"""From BEGIN to COMMIT on one session, in as few round trips as can be: one a statement, one to commit.

BEGIN travels with the first statement that needs it. Under READ COMMITTED a read without locks sees the
same inside a transaction and outside, so reading alone neither begins nor commits. Notifications, and the
message that names the transaction's origin in the server's log, travel with COMMIT.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from reference_platform.adapters.connections import Cursor, Pool, Session, Statement
from reference_platform.ports import (
    CommitUnknown,
    ConnectionLost,
    DatabaseError,
    Isolation,
    TransactionAborted,
)

ORIGIN: Final = "dingfeng.node"


@dataclass(frozen=True, slots=True)
class Mark:
    """What of a client the server is told at commit: its origin ("": nothing), and the schema of its channels."""

    schema: str
    origin: str

    def channel(self, name: str) -> str:
        """The server's name for a channel: notifications know no schemas."""
        return f"{self.schema}.{name}"


class Span:
    """One transaction. Any error ends it; whatever ends it gives the session back."""

    __slots__ = ("_pool", "_begin", "_latest", "_mark", "_session", "_begun", "_wrote", "_over", "_channels")

    def __init__(self, pool: Pool, isolation: Isolation, *, read_only: bool, mark: Mark) -> None:
        self._pool = pool
        self._begin = f"begin isolation level {isolation.value}" + (" read only" if read_only else "")
        self._latest = isolation is Isolation.READ_COMMITTED
        self._mark = mark
        self._session: Session | None = None
        self._begun = False
        self._wrote = False
        self._over: DatabaseError | None = None  # why no statement is possible any more
        self._channels: tuple[str, ...] = ()

    async def look(self, text: str, values: list[Any]) -> Cursor:
        """Run a statement that reads without locks. Raises DatabaseError, as `run` and `write` do."""
        return await self._execute(text, values, plain=self._latest)

    async def run(self, text: str, values: list[Any]) -> Cursor:
        """Run a statement that takes locks."""
        return await self._execute(text, values, plain=False)

    async def write(self, text: str, values: list[Any]) -> Cursor:
        """Run a statement that may change rows."""
        self._wrote = True
        return await self._execute(text, values, plain=False)

    def notify(self, channel: str) -> None:
        if channel not in self._channels:
            self._channels = (*self._channels, channel)

    async def commit(self) -> None:
        """See `ports.Transaction.commit`."""
        if self._over is not None:
            refusal = self._refusal()
            await self.rollback()  # committing a failed transaction ends it
            raise refusal
        if not self._begun and not self._channels:
            self._end()
            return
        session = await self._open()
        if not session.alive:
            self._end()
            raise ConnectionLost("the session was gone before commit was sent")
        try:
            await session.execute(*self._ending())
        except ConnectionLost as error:
            if self._wrote or self._channels:
                raise CommitUnknown(f"{error}") from error
            raise
        except DatabaseError:
            await self.rollback()
            raise
        finally:
            self._end()

    async def rollback(self) -> None:
        """See `ports.Transaction.rollback`."""
        session = self._session
        if session is not None and self._begun and not session.lost:
            try:
                await session.execute(("rollback", []))
            except DatabaseError:
                session.hang_up()  # the server rolls back what its client has left
        self._end()

    def __del__(self) -> None:
        # Its task was cancelled between two statements, so nobody will end it any more.
        if self._session is not None:
            self._session.hang_up()
            self._end()

    async def _execute(self, text: str, values: list[Any], *, plain: bool) -> Cursor:
        """Run a statement; a `plain` one needs no transaction."""
        if self._over is not None:
            raise self._refusal()
        session = await self._open()
        try:
            if self._begun or plain:
                return await session.execute((text, values))
            self._begun = True
            return await session.execute((self._begin, []), (text, values))
        except DatabaseError as error:
            self._over = error
            raise
        except BaseException:  # cancelled, which gave the session up
            self._end()
            raise

    async def _open(self) -> Session:
        if self._session is None:
            try:
                self._session = await self._pool.take()
            except DatabaseError as error:
                self._over = error
                raise
        return self._session

    def _ending(self) -> list[Statement]:
        """What is sent to commit, all in one go."""
        ending: list[Statement] = [] if self._begun else [(self._begin, [])]
        if self._wrote and self._mark.origin:
            ending.append(("select pg_logical_emit_message(true, %s, %s)", [ORIGIN, self._mark.origin]))
        notify = "select pg_notify(%s, '')"
        ending.extend((notify, [self._mark.channel(name)]) for name in self._channels)
        return [*ending, ("commit", [])]

    def _refusal(self) -> DatabaseError:
        """Why a statement cannot run in this transaction."""
        if isinstance(self._over, ConnectionLost):
            return ConnectionLost("the session is gone")
        return TransactionAborted("an earlier statement failed, or the transaction has ended")

    def _end(self) -> None:
        self._over = self._over or TransactionAborted("the transaction has ended")
        self._begun = False
        session, self._session = self._session, None
        if session is not None:
            self._pool.give(session)
