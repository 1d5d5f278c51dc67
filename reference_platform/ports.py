"""The platform's only doors to the world.

Everything the platform needs from outside is one of these protocols. The simulator implements
them deterministically, the live world with real servers; the platform cannot tell which.
Virtual or real, time is integer microseconds since the epoch and money is integer fen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Generic, Literal, Protocol, Self, TypeVar

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

R = TypeVar("R", bound=Mapping[str, Any])
Value = str | int | bool | None
Where = Mapping[str, "Value | AtMost | AtLeast | OneOf"]
LockMode = Literal["wait", "nowait", "skip_locked"]


class PortError(Exception):
    """Something outside the platform failed; subclasses say what is known of the effect."""


# ---------------------------------------------------------------- database


class Isolation(StrEnum):
    """PostgreSQL's three distinct isolation levels."""

    READ_COMMITTED = "read committed"
    REPEATABLE_READ = "repeatable read"
    SERIALIZABLE = "serializable"


@dataclass(frozen=True, slots=True)
class AtMost:
    """Range predicate: column <= bound."""

    bound: int


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Range predicate: column >= bound."""

    bound: int


@dataclass(frozen=True, slots=True)
class OneOf:
    """Membership predicate: column in values (kept in the given order)."""

    values: tuple[Value, ...]


@dataclass(frozen=True)
class Table(Generic[R]):
    """A declared table. Rows are TypedDicts, never mutated in place once handed to the database.

    `key` is the primary key column. `unique` and `indexes` list column tuples; NULLs never
    collide. The last column of an index is ordered, so it can carry a range predicate or an
    `order_by`. `book` names the platform book (ORD, GL, STK …) whose history records each commit
    to this table; None keeps the table out of the history.
    """

    name: str
    row: type[R]
    key: str
    unique: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    book: str | None = None


class DatabaseError(PortError):
    """The statement had no effect and the transaction is over, unless a subclass says otherwise."""


class UniqueViolation(DatabaseError):
    """Another committed row holds the same unique value."""


class SerializationFailure(DatabaseError):
    """Concurrent update or dependency cycle (SQLSTATE 40001). Retry the whole transaction."""


class DeadlockDetected(DatabaseError):
    """This transaction was chosen to break a lock cycle (40P01). Retry the whole transaction."""


class LockNotAvailable(DatabaseError):
    """A `nowait` lock was held by somebody else (55P03)."""


class TransactionAborted(DatabaseError):
    """An earlier statement failed; only rollback is possible (25P02)."""


class ConnectionLost(DatabaseError):
    """The session is gone before commit was sent: nothing of the transaction remains."""


class CommitUnknown(DatabaseError):
    """The connection was lost after commit was sent: it may have happened. Look before retrying."""


class PoolExhausted(DatabaseError):
    """No connection became free in time."""


class DiskFull(DatabaseError):
    """The server cannot write (53100)."""


class ReadOnly(DatabaseError):
    """A write was sent to a replica (25006)."""


class Transaction(Protocol):
    """One transaction. Any error aborts it, as on PostgreSQL.

    `lock` takes row locks (FOR UPDATE) and says what to do about a row locked by another.
    """

    async def get(self, table: Table[R], key: Value, *, lock: LockMode | None = None) -> R | None:
        """The row with this primary key, or None."""
        ...

    async def select(
        self,
        table: Table[R],
        where: Where,
        *,
        order_by: str | None = None,
        limit: int | None = None,
        lock: LockMode | None = None,
    ) -> list[R]:
        """Rows matching all predicates, in `order_by` order, else in primary key order."""
        ...

    async def insert(self, table: Table[R], row: R, *, on_conflict: Literal["error", "nothing"] = "error") -> bool:
        """Insert; waits for an uncommitted row with the same unique value. False only for "nothing"."""
        ...

    async def update(
        self,
        table: Table[R],
        key: Value,
        changes: Mapping[str, Any] | Callable[[R], Mapping[str, Any]],
        *,
        where: Where | None = None,
    ) -> R | None:
        """Update one row by key; a callable sees the row version it changes (`SET n = n + 1`).

        Returns the new row, or None when no row matched.
        """
        ...

    async def update_where(
        self, table: Table[R], where: Where, changes: Mapping[str, Any] | Callable[[R], Mapping[str, Any]]
    ) -> int:
        """Update every matching row; the number of rows changed."""
        ...

    async def delete_where(self, table: Table[R], where: Where) -> int:
        """Delete every matching row; the number of rows deleted."""
        ...

    def notify(self, channel: str) -> None:
        """Wake the listeners of `channel` if and when this transaction commits (LISTEN/NOTIFY)."""
        ...

    async def commit(self) -> None:
        """Make it durable, or raise: SerializationFailure, CommitUnknown, ConnectionLost …"""
        ...

    async def rollback(self) -> None:
        """Forget it. Never raises."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit when the block ended well, else roll back."""
        ...


class Database(Protocol):
    """Transactions over declared tables."""

    def transaction(
        self, isolation: Isolation = Isolation.READ_COMMITTED, *, replica: bool = False
    ) -> Transaction:
        """A transaction to be entered with `async with`; it opens at the first statement.

        `replica=True` reads from the replica, which may lag; writing there raises ReadOnly.
        """
        ...

    async def listen(self, channel: str, timeout_us: int) -> bool:
        """Wait for a notification; False after `timeout_us`. ConnectionLost: something may be missed."""
        ...
