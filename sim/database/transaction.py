"""One transaction as its client sees it: the statements of the port.

A statement is one sleep, its way to the server and back, and then happens at one instant unless
it has to wait for another transaction. The hot path is the settled row under READ COMMITTED.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

import msgspec

from reference_platform.ports import Isolation, LockMode, R, SerializationFailure, Table, Where
from sim.database.access import (
    LOST_RACE,
    abort,
    check_moved,
    claim,
    find_conflict,
    require_writable,
    violation,
    write,
)
from sim.database.reading import lock_matching, look_up, matching
from sim.database.serializable import Node
from sim.database.states import ACTIVE, DONE, NEW
from sim.database.store import LATEST, Row, Store, Version, matches, visible
from sim.kernel import Future, sleep

if TYPE_CHECKING:
    from sim.database.client import DatabaseClient
    from sim.database.server import DatabaseServer


class SimTransaction(msgspec.Struct, eq=False):  # a struct: one is made for every few statements
    """Implements `reference_platform.ports.Transaction`."""

    client: DatabaseClient
    server: DatabaseServer
    isolation: Isolation
    replica: bool
    latest: bool  # each statement simply sees the latest: READ COMMITTED on the primary
    state: int = NEW
    touched: list[tuple[Store, Any]] = []
    end_waiters: list[SimTransaction] = []
    contended: bool = False  # somebody waits for one of our row locks
    waits_for: Any = None  # a place in a lock queue, or a transaction
    wakeup: Future | None = None
    snapshot: int = LATEST
    node: Node | None = None
    wrote: bool = False
    channels: tuple[str, ...] = ()

    async def get(self, table: Table[R], key: Any, *, lock: LockMode | None = None) -> R | None:
        us = self.client.depart(self)
        await (sleep(us) if us >= 0 else self.client.struggle(self, us))
        if self.state != ACTIVE:
            raise self.client.refusal(self)
        store = self.server.stores[table.name]
        row: R | None
        if lock is None and self.latest:
            row = store.rows.get(key)
            return visible(row, LATEST, self) if type(row) is Version else row  # type: ignore[return-value]
        seen = look_up(self, store, key)
        if lock is not None and seen is not None:
            if self.replica:
                require_writable(self)
            seen = await claim(self, store, key, seen, None, lock)
        return seen  # type: ignore[return-value]

    async def select(
        self,
        table: Table[R],
        where: Where,
        *,
        order_by: str | None = None,
        limit: int | None = None,
        lock: LockMode | None = None,
    ) -> list[R]:
        us = self.client.depart(self)
        await (sleep(us) if us >= 0 else self.client.struggle(self, us))
        if self.state != ACTIVE:
            raise self.client.refusal(self)
        store = self.server.stores[table.name]
        if lock is None:
            return matching(self, store, where, order_by, limit)  # type: ignore[return-value]
        if self.replica:
            require_writable(self)
        return await lock_matching(self, store, where, order_by, limit, lock)  # type: ignore[return-value]

    async def insert(
        self, table: Table[R], row: R, *, on_conflict: Literal["error", "nothing"] = "error"
    ) -> bool:
        us = self.client.depart(self)
        await (sleep(us) if us >= 0 else self.client.struggle(self, us))
        if self.state != ACTIVE:
            raise self.client.refusal(self)
        if self.replica or self.server.disk_full is not None:
            require_writable(self)
        store = self.server.stores[table.name]
        new: Row = row if type(row) is dict else dict(row)  # type: ignore[assignment]
        key = new[store.key]
        if not self.latest:
            self.server.open_snapshot(self)
        if key in store.rows or store.uniques:
            rival = await find_conflict(self, store, key, new, new=True)
            if rival is not None:
                if on_conflict == "error":
                    raise violation(self, store, key, rival, new)
                if not self.latest and look_up(self, store, rival) is None:
                    raise abort(self, SerializationFailure(LOST_RACE))
                return False
        write(self, store, key, new, store.indexes)
        return True

    async def update(
        self,
        table: Table[R],
        key: Any,
        changes: Mapping[str, Any] | Callable[[R], Mapping[str, Any]],
        *,
        where: Where | None = None,
    ) -> R | None:
        us = self.client.depart(self)
        await (sleep(us) if us >= 0 else self.client.struggle(self, us))
        if self.state != ACTIVE:
            raise self.client.refusal(self)
        if self.replica or self.server.disk_full is not None:
            require_writable(self)
        store = self.server.stores[table.name]
        row: Any = store.rows.get(key)
        if type(row) is not dict or not self.latest:
            row = look_up(self, store, key)
            if row is None or (where is not None and not matches(row, where)):
                return None
            row = await claim(self, store, key, row, where, "wait")
            if row is None:
                return None
        elif where is not None and not matches(row, where):
            return None
        delta: Any = changes(row) if callable(changes) else changes
        new = {**row, **delta}
        if new[store.key] != key:
            raise ValueError(f"the primary key of {store.name} cannot be changed")
        moved = store.moving(delta)
        if moved and moved[0] in store.uniques:
            await check_moved(self, store, key, row, new)
            moved = store.moving(delta)  # an index may have woken up meanwhile
        write(self, store, key, new, moved)
        return new  # type: ignore[return-value]

    async def update_where(
        self, table: Table[R], where: Where, changes: Mapping[str, Any] | Callable[[R], Mapping[str, Any]]
    ) -> int:
        store, found = await self._targets(table, where)
        count = 0
        for seen in found:
            key = seen[store.key]
            row: Any = await claim(self, store, key, seen, where, "wait")
            if row is not None:
                delta: Any = changes(row) if callable(changes) else changes
                new = {**row, **delta}
                moved = store.moving(delta)
                if moved and moved[0] in store.uniques:
                    await check_moved(self, store, key, row, new)
                    moved = store.moving(delta)
                write(self, store, key, new, moved)
                count += 1
        return count

    async def delete_where(self, table: Table[R], where: Where) -> int:
        store, found = await self._targets(table, where)
        count = 0
        for seen in found:
            key = seen[store.key]
            if await claim(self, store, key, seen, where, "wait") is not None:
                write(self, store, key, None, store.indexes)
                count += 1
        return count

    def notify(self, channel: str) -> None:
        if channel not in self.channels:
            self.channels = (*self.channels, channel)

    async def commit(self) -> None:
        if self.state == NEW:
            if not self.channels:
                self.state = DONE
                return
            us = self.client.depart(self)
            await (sleep(us) if us >= 0 else self.client.struggle(self, us))
        if self.state != ACTIVE:
            error = self.client.refusal(self)
            self.client.give_up(self)  # committing a failed transaction ends it
            raise error
        if self.wrote or self.channels:
            await self.client.commit(self)
        else:
            self.server.finish_reading(self)

    async def rollback(self) -> None:
        self.client.give_up(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.client.give_up(self)
            return
        try:
            await self.commit()
        finally:
            if self.state != DONE:
                self.client.give_up(self)

    async def _targets(self, table: Table[Any], where: Where) -> tuple[Store, list[Row]]:
        """The rows that a change of many sees, all found before the first is changed."""
        us = self.client.depart(self)
        await (sleep(us) if us >= 0 else self.client.struggle(self, us))
        if self.state != ACTIVE:
            raise self.client.refusal(self)
        if self.replica or self.server.disk_full is not None:
            require_writable(self)
        store = self.server.stores[table.name]
        return store, matching(self, store, where, None, None)
