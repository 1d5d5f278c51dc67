"""A world runs several database sessions in an interleaving that the test dictates.

A test steps a session and goes on only when the statement has finished or is seen to wait, so the
same script means the same on a simulated server and on a real one. Tests speak the port alone.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import Any, Protocol, TypedDict, cast

from reference_platform.ports import Database, Isolation, R, Table, Transaction
from sim.database import DatabaseConfig, DatabaseServer
from sim.kernel import Kernel

MILLISECOND = 1_000
SECOND = 1_000_000


class Item(TypedDict):
    """The table of the anomalies: a number to change, and to ask for by range."""

    id: int
    value: int


class Card(TypedDict):
    """A stock card, with what makes tables interesting: unique and missing values, two orders."""

    id: int
    sku: str
    status: str
    code: str | None
    due_us: int | None


ITEMS: Table[Item] = Table("items", Item, "id", indexes=(("value",),))
CARDS: Table[Card] = Table(
    "cards", Card, "id", unique=(("code",),), indexes=(("sku", "status"), ("status", "due_us"))
)
TABLES: tuple[Table[Any], ...] = (ITEMS, CARDS)


def item(key: int, value: int) -> Item:
    return {"id": key, "value": value}


def card(
    key: int,
    *,
    sku: str = "game",
    status: str = "available",
    code: str | None = "own",
    due_us: int | None = None,
) -> Card:
    code = f"code-{key}" if code == "own" else code
    return {"id": key, "sku": sku, "status": status, "code": code, "due_us": due_us}


def ids(rows: Iterable[Any]) -> list[int]:
    return [row["id"] for row in rows]


def values(rows: Iterable[Any]) -> list[int]:
    return [row["value"] for row in rows]


class Step(Protocol):
    """A statement under way."""

    def blocked(self) -> bool:
        """Whether it waits for another transaction, after it had its time to finish."""
        ...

    def result(self) -> Any:
        """Its result or its error, waiting for it when need be."""
        ...


class Session(Protocol):
    """One client with one transaction; `begin` starts the next."""

    database: Database
    tx: Transaction

    def begin(self, isolation: Isolation = Isolation.READ_COMMITTED) -> None: ...

    def run(self, statement: Coroutine[Any, Any, Any]) -> Any:
        """Run a statement that is not expected to wait."""
        ...

    def start(self, statement: Coroutine[Any, Any, Any]) -> Step:
        """Run a statement that may have to wait."""
        ...


class World(Protocol):
    """A database server with empty tables."""

    name: str

    def session(self, isolation: Isolation = Isolation.READ_COMMITTED) -> Session: ...

    def close(self) -> None:
        """Roll back and disconnect every session."""
        ...


def fill(world: World, table: Table[R], *rows: R) -> None:
    """Commit some rows."""
    session = world.session()
    for row in rows:
        session.run(session.tx.insert(table, row))
    session.run(session.tx.commit())


def committed(world: World, table: Table[R]) -> list[R]:
    """All rows, in the order of their keys, as a new transaction sees them."""
    session = world.session()
    rows = session.run(session.tx.select(table, {}))
    session.run(session.tx.commit())
    return cast("list[R]", rows)


class SimWorld:
    """The simulated database."""

    name = "sim"

    def __init__(self) -> None:
        self.kernel = Kernel()
        self.server = DatabaseServer(self.kernel, TABLES, DatabaseConfig(deadlock_timeout_us=SECOND))

    def session(self, isolation: Isolation = Isolation.READ_COMMITTED) -> SimSession:
        return SimSession(self, isolation)

    def close(self) -> None:
        self.server.faults.drop_connections()


class SimSession:
    """A session whose statements run when the test lets virtual time pass."""

    def __init__(self, world: SimWorld, isolation: Isolation) -> None:
        self.kernel = world.kernel
        self.database: Database = world.server.connect("test")
        self.begin(isolation)

    def begin(self, isolation: Isolation = Isolation.READ_COMMITTED) -> None:
        self.tx: Transaction = self.database.transaction(isolation)

    def run(self, statement: Coroutine[Any, Any, Any]) -> Any:
        step = self.start(statement)
        assert not step.blocked(), "the statement waits for another transaction"
        return step.result()

    def start(self, statement: Coroutine[Any, Any, Any]) -> SimStep:
        return SimStep(self.kernel, statement)


class SimStep:
    def __init__(self, kernel: Kernel, statement: Coroutine[Any, Any, Any]) -> None:
        self.kernel = kernel
        self.task = kernel.spawn(statement, "statement")
        self.task.watched = True
        kernel.run_until(kernel.now + 20 * MILLISECOND)

    def blocked(self) -> bool:
        return not self.task.done

    def result(self) -> Any:
        if not self.task.done:
            self.kernel.run_until(self.kernel.now + 5 * SECOND)
        assert self.task.done, "the statement still waits"
        if self.task.error is not None:
            raise self.task.error
        return self.task.value
