"""Events for users, written in the transaction that makes them true and told after it.

The node that committed an event tells it at once. What a crash left untold is found when a node
starts, so every event is told at least once, and none that did not happen.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from reference_platform.ports import SECOND, AtMost, DatabaseError, OneOf, Transaction
from reference_platform.tables import OUTBOX, OutboxRow
from reference_platform.wiring import Part, Shop

NOTE_US: Final = 500_000
SETTLE_US: Final = 5 * SECOND


class Outbox(Part):
    """Records events and tells them."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self.told: list[str] = []  # told, and not yet noted

    async def tell(
        self, tx: Transaction, user: str, order_id: str, topic: str, data: Mapping[str, Any]
    ) -> None:
        """The user is to hear of this, once it is committed."""
        event: OutboxRow = {
            "event_id": f"{order_id}:{topic}",
            "order_id": order_id,
            "user": user,
            "topic": topic,
            "data": dict(data),
            "status": "pending",
            "at_us": self.clock.now_us(),
        }
        if await tx.insert(OUTBOX, event, on_conflict="nothing"):
            tasks = self.shop.ports.tasks
            self.shop.transactions.after_commit(tx, lambda: tasks.spawn(self.send(event), "outbox.send"))

    async def send(self, event: OutboxRow) -> None:
        """Tell one event; that it was told is noted together with others."""
        await self.shop.ports.notifier.notify(event["user"], event["topic"], event["order_id"], event["data"])
        self.told.append(event["event_id"])
        if len(self.told) == 1:
            await self.clock.sleep(NOTE_US)
            told, self.told = self.told, []
            with suppress(DatabaseError):  # they stay pending, and the next start tells them again
                await self.shop.transactions.run(self.note, tuple(told))

    async def note(self, tx: Transaction, event_ids: tuple[str, ...]) -> None:
        """These were told."""
        await tx.update_where(OUTBOX, {"event_id": OneOf(event_ids)}, {"status": "sent"})

    def start(self) -> None:
        self.shop.transactions.in_doubt.append(self.sweep_later)
        self.sweep_later()

    def sweep_later(self) -> None:
        self.shop.ports.tasks.spawn(self.sweep(), "outbox.sweep")

    async def sweep(self) -> None:
        """Tell what was left untold: by an earlier life, a node that died, a commit without an answer."""
        started_us = self.clock.now_us()
        while True:
            await self.clock.sleep(SETTLE_US)  # until then the living have noted what they told
            try:
                left = await self.shop.transactions.run(self.pending, started_us)
            except DatabaseError:
                continue
            for event in left:
                self.shop.ports.tasks.spawn(self.send(event), "outbox.send")
            return

    async def pending(self, tx: Transaction, before_us: int) -> list[OutboxRow]:
        return await tx.select(OUTBOX, {"status": "pending", "at_us": AtMost(before_us)}, order_by="at_us")


class TellDirectly(Outbox):
    """No outbox: the user is told from memory after the commit, unless the node dies in between."""

    async def tell(
        self, tx: Transaction, user: str, order_id: str, topic: str, data: Mapping[str, Any]
    ) -> None:
        notify = self.shop.ports.notifier.notify
        tasks = self.shop.ports.tasks
        told = dict(data)
        self.shop.transactions.after_commit(
            tx, lambda: tasks.spawn(notify(user, topic, order_id, told), "notice")
        )

    def start(self) -> None:
        """There is nothing to sweep."""
