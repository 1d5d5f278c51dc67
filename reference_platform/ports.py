"""The platform's only doors to the world.

Everything the platform needs from outside is one of these protocols. The simulator implements
them deterministically, the live world with real servers; the platform cannot tell which.
Virtual or real, time is integer microseconds since the epoch and money is integer fen.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType, TracebackType
from typing import Any, Generic, Literal, Protocol, Self, TypeVar

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

R = TypeVar("R", bound=Mapping[str, Any])
Value = str | int | bool | None
Where = Mapping[str, "Value | AtMost | AtLeast | OneOf"]
LockMode = Literal["wait", "nowait", "skip_locked"]
EMPTY: Mapping[str, Any] = MappingProxyType({})


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
        """Rows matching all predicates, in `order_by` order, else in primary key order.

        A predicate of None asks for NULL. `order_by` ascends, NULL last, ties by primary key. With
        `lock`, rows are locked in that order until `limit` are.
        """
        ...

    async def insert(
        self, table: Table[R], row: R, *, on_conflict: Literal["error", "nothing"] = "error"
    ) -> bool:
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
        """Wait for a notification; False after `timeout_us`. ConnectionLost: something may be missed.

        The first call subscribes; from then on a notification that comes between two calls is not
        lost but answered by the next one.
        """
        ...


# ---------------------------------------------------------------- messages


class Request:
    """What reaches a platform node: a user's action or a counterparty's callback.

    `action` names the endpoint (`place_order`, `callback.wechat` …). Callbacks carry the exact
    bytes that were signed in `raw` and the signature in `headers`.
    """

    __slots__ = ("action", "body", "headers", "raw", "user")

    def __init__(
        self,
        action: str,
        user: str = "",
        body: Mapping[str, Any] = EMPTY,
        raw: bytes = b"",
        headers: Mapping[str, str] = EMPTY,
    ) -> None:
        self.action = action
        self.user = user
        self.body = body
        self.raw = raw
        self.headers = headers


class Response:
    """An answer in HTTP terms: 2xx accepted, 4xx refused for good, 5xx try again."""

    __slots__ = ("body", "raw", "status")

    def __init__(self, status: int, body: Mapping[str, Any] = EMPTY, raw: bytes = b"") -> None:
        self.status = status
        self.body = body
        self.raw = raw


# ---------------------------------------------------------------- counterparties


class Unreachable(PortError):
    """The request never arrived: certainly no effect."""


class OutcomeUnknown(PortError):
    """No answer in time, or a broken one: the request may have taken effect. Query; never assume."""


class Rejected(PortError):
    """The counterparty answered with an error code: certainly no effect."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class ChargeState:
    """A channel's answer about one charge. `status`: NOTPAY, USERPAYING, SUCCESS, CLOSED, REFUND or NOT_FOUND."""

    status: str
    paid_fen: int = 0
    transaction_id: str = ""
    paid_us: int = 0


@dataclass(frozen=True, slots=True)
class PaymentNotice:
    """A payment callback whose signature was verified over its real bytes."""

    notify_id: str
    app_id: str
    charge_no: str
    transaction_id: str
    event: str
    paid_fen: int
    paid_us: int


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of the channel's bill: `kind` is capture or refund; `ref` the transaction or refund number."""

    kind: str
    charge_no: str
    ref: str
    amount_fen: int
    at_us: int


class PaymentChannel(Protocol):
    """One payment channel account. Every call may raise Unreachable, OutcomeUnknown or Rejected(code)."""

    name: str
    app_id: str

    async def create(self, charge_no: str, amount_fen: int, expires_us: int) -> str:
        """Open a charge; returns the payment code the user scans. Same number and amount: same charge."""
        ...

    async def query(self, charge_no: str) -> ChargeState: ...

    async def close(self, charge_no: str) -> None:
        """Close an unpaid charge. Rejected: ORDERPAID (it is paid), TRADE_NOT_EXIST, TOO_EARLY."""
        ...

    async def refund(self, refund_no: str, charge_no: str, amount_fen: int) -> None:
        """Ask for a refund; returning means accepted, not done. A refund number pays once."""
        ...

    async def query_refund(self, refund_no: str) -> str:
        """PROCESSING, SUCCESS, ABNORMAL or NOT_FOUND."""
        ...

    async def bill(self, since_us: int, until_us: int) -> list[BillLine]:
        """The channel's own record of the period."""
        ...

    def verify(self, headers: Mapping[str, str], raw: bytes) -> PaymentNotice | None:
        """The notice, or None when the signature does not match the bytes."""
        ...


@dataclass(frozen=True, slots=True)
class SupplierReply:
    """A supplier's word on one attempt.

    `status`: success, fail, processing, unconfirmed, not_found or duplicate. Only success and fail
    are final; not_found is final only after the lag window.
    """

    status: str
    delivered: int = 0
    cost_fen: int = 0


class Supplier(Protocol):
    """A top-up supplier. Every call may raise Unreachable, OutcomeUnknown or Rejected(code)."""

    name: str

    async def submit(self, attempt_no: str, sku: str, account: str, quantity: int) -> SupplierReply: ...

    async def query(self, attempt_no: str) -> SupplierReply: ...

    def verify(self, headers: Mapping[str, str], raw: bytes) -> tuple[str, SupplierReply] | None:
        """(attempt number, reply) of a callback, or None when it is not the supplier's."""
        ...


class Notifier(Protocol):
    """Tells a user something. Delivery is best effort; what was shown enters the USR book."""

    async def notify(self, user: str, topic: str, order_id: str, data: Mapping[str, Any]) -> None: ...


class Clock(Protocol):
    """The node's own clock; it may be skewed."""

    def now_us(self) -> int: ...

    async def sleep(self, us: int) -> None: ...


class Ids(Protocol):
    """Fresh identifiers. `seed` names what the id is for, so a simulation can keep ids stable."""

    def new(self, kind: str, *seed: str) -> str: ...


class Tasks(Protocol):
    """Background work of this node; it dies with the node."""

    def spawn(self, coro: Coroutine[Any, Any, None], name: str) -> object: ...


@dataclass(frozen=True, slots=True)
class Ports:
    """All doors of one node, given to a design's `build` at boot and again at each restart."""

    node: str
    clock: Clock
    database: Database
    channels: Mapping[str, PaymentChannel]
    suppliers: Mapping[str, Supplier]
    notifier: Notifier
    ids: Ids
    tasks: Tasks


class Platform(Protocol):
    """What a design builds on each node."""

    async def handle(self, request: Request) -> Response:
        """Serve one request."""
        ...

    def start(self) -> None:
        """Spawn the node's background workers."""
        ...
