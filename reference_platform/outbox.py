"""Events for users, written in the transaction that makes them true and told after it.

The node that committed an event tells it at once. What a crash left untold is found when a node
starts, so every event is told at least once, and none that did not happen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reference_platform.ports import DatabaseError, Transaction
from reference_platform.tables import OUTBOX, OutboxRow
from reference_platform.wiring import Part

SWEEP_BATCH: Final = 50


class Outbox(Part):
    """Records events and tells them."""

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
        """Tell one event and note that it was told. Failing that, the next start tells it again."""
        await self.shop.ports.notifier.notify(event["user"], event["topic"], event["order_id"], event["data"])
        try:
            await self.shop.transactions.run(self.sent, event["event_id"])
        except DatabaseError:
            return  # it stays pending, which is the truth as far as the database knows

    async def sent(self, tx: Transaction, event_id: str) -> None:
        await tx.update(OUTBOX, event_id, {"status": "sent"})

    def start(self) -> None:
        self.shop.ports.tasks.spawn(self.sweep(), "outbox.sweep")

    async def sweep(self) -> None:
        """Tell what an earlier life of this or another node left untold."""
        try:
            left = await self.shop.transactions.run(self.pending)
        except DatabaseError:
            return  # the database is down as well; the next start looks again
        for event in left:
            await self.send(event)

    async def pending(self, tx: Transaction) -> list[OutboxRow]:
        return await tx.select(OUTBOX, {"status": "pending"}, order_by="at_us", limit=SWEEP_BATCH)


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
