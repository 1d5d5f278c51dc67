"""A small database on a kernel of its own, and coroutines run on it to their end."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypedDict

from reference_platform.ports import Table
from sim.database import Change, DatabaseConfig, DatabaseServer
from sim.kernel import Kernel, Task

MILLISECOND = 1_000
SECOND = 1_000_000


class Account(TypedDict):
    id: int
    owner: str
    fen: int


ACCOUNTS: Table[Account] = Table("accounts", Account, "id", indexes=(("owner", "fen"),), book="GL")
NOTES: Table[Account] = Table("notes", Account, "id")


def account(key: int, fen: int = 0, owner: str = "member") -> Account:
    return {"id": key, "owner": owner, "fen": fen}


class Stage:
    """One server with its books, and what they heard."""

    def __init__(self, config: DatabaseConfig | None = None) -> None:
        self.kernel = Kernel()
        self.commits: list[tuple[int, str, list[Change]]] = []
        self.reverts: list[tuple[int, list[Change]]] = []
        self.server = DatabaseServer(
            self.kernel,
            [ACCOUNTS, NOTES],
            config,
            on_commit=lambda tx_id, owner, changes: self.commits.append((tx_id, owner, changes)),
            on_revert=lambda tx_id, changes: self.reverts.append((tx_id, changes)),
        )
        self.database = self.server.connect("node")

    def start(self, coroutine: Coroutine[Any, Any, Any]) -> Task:
        """Start it and let nothing pass yet."""
        task = self.kernel.spawn(coroutine, "test")
        task.watched = True
        return task

    def run(self, coroutine: Coroutine[Any, Any, Any], within_us: int = 60 * SECOND) -> Any:
        """Run it to its end; its result or its error."""
        task = self.start(coroutine)
        self.kernel.run_until_idle(self.kernel.now + within_us)
        return outcome(task)

    def after(self, us: int) -> None:
        self.kernel.run_until(self.kernel.now + us)

    def fill(self, *rows: Account) -> None:
        self.run(self._insert(rows))

    async def _insert(self, rows: tuple[Account, ...]) -> None:
        async with self.database.transaction() as tx:
            for row in rows:
                await tx.insert(ACCOUNTS, row)

    def wake_indexes(self) -> None:
        """Let every index be kept up from now on, as if a plan had wanted it."""
        for store in self.server.stores.values():
            for index in store.sleeping:
                store.wake(index)

    def entries(self) -> list[tuple[int, int]]:
        """(fen, id) of each entry in the index of the accounts."""
        self.wake_indexes()
        return list(self.server.stores["accounts"].indexes[0].walk("member", None, None, None))

    def balances(self) -> dict[int, int]:
        """The committed state, read past the port."""
        rows = self.server.stores["accounts"].rows
        return {key: row["fen"] if type(row) is dict else row.row["fen"] for key, row in rows.items()}

    async def set(self, key: int, fen: int) -> None:
        """One transaction that changes one row."""
        async with self.database.transaction() as tx:
            await tx.update(ACCOUNTS, key, {"fen": fen})


def outcome(task: Task) -> Any:
    assert task.done, f"{task.name} still waits"
    if task.error is not None:
        raise task.error
    return task.value
