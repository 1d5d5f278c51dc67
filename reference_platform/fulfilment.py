"""Handing over the goods. Whatever lives in our own database is delivered in the capture's transaction.

So there is no moment at which a card order is paid and a crash could keep its card from it. Only
top-ups need somebody else, and therefore a durable job.
"""

from __future__ import annotations

from typing import Any

from reference_platform.ports import Transaction
from reference_platform.tables import ORDERS, OrderRow
from reference_platform.wiring import Part


class Fulfilment(Part):
    """Delivers paid orders."""

    async def begin(self, tx: Transaction, order: OrderRow, paid: str, changes: dict[str, Any]) -> OrderRow:
        """Fulfil a locked order that becomes `paid` (or `paid_late`) in this same transaction."""
        row = await self.deliver(tx, order, (paid,), changes)
        if row["status"] != "completed":
            await self.shop.remedies.captured(tx, row)
        return row

    async def resume(self, tx: Transaction, order: OrderRow) -> OrderRow:
        """Fulfil a locked order that is paid already."""
        return await self.deliver(tx, order, (), {})

    async def deliver(
        self, tx: Transaction, order: OrderRow, through: tuple[str, ...], changes: dict[str, Any]
    ) -> OrderRow:
        """By kind of goods; the row as it is then."""
        if order["kind"] == "card":
            return await self.cards(tx, order, through, changes)
        if order["kind"] == "membership":
            await self.membership(tx, order)
            return await self.delivered(tx, order, order["quantity"], through, changes)
        row = order
        if through:
            row = await self.shop.orders.transition(
                tx, order, through[-1], "captured", through[:-1], **changes
            )
        await self.shop.jobs.begin(tx, "supply", order["order_id"])
        return row

    async def cards(
        self, tx: Transaction, order: OrderRow, through: tuple[str, ...], changes: dict[str, Any]
    ) -> OrderRow:
        """Sell the reserved cards; if they are gone, whatever others are there."""
        order_id, quantity = order["order_id"], order["quantity"]
        sold = await self.shop.stock.consume(tx, order_id)
        if sold < quantity:
            await self.shop.stock.reserve_rest(tx, order["sku"], order_id, quantity - sold)
            sold += await self.shop.stock.consume(tx, order_id)
        return await self.delivered(tx, order, sold, through, changes)

    async def membership(self, tx: Transaction, order: OrderRow) -> None:
        """Grant the time, once for this order."""
        product = await self.shop.catalogue.product(tx, order["sku"])
        order_id = order["order_id"]
        days = product["days"] * order["quantity"]
        await self.shop.memberships.grant(tx, order["user"], order_id, order_id, days)

    async def delivered(
        self, tx: Transaction, order: OrderRow, units: int, through: tuple[str, ...], changes: dict[str, Any]
    ) -> OrderRow:
        """Book `units` as handed over, for good: nothing more will come from where they came from."""
        order_id = order["order_id"]
        status = through[-1] if through else order["status"]
        if units >= order["quantity"]:
            row = await self.shop.orders.transition(
                tx, order, "completed", "delivered", through, delivered_qty=order["quantity"], **changes
            )
        elif units or status == "fulfilling":
            row = await self.partly(tx, order, units, status, through, changes)
        elif through:
            row = await self.shop.orders.transition(tx, order, status, "captured", through[:-1], **changes)
        else:
            row = order
        if units:
            await self.shop.ledger.delivery(tx, order_id, min(units, order["quantity"]) * order["unit_fen"])
        if row["status"] == "completed":
            told = {"delivered_qty": row["delivered_qty"]}
            await self.shop.outbox.tell(tx, order["user"], order_id, "order_completed", told)
        else:
            await self.shop.remedies.short_delivered(tx, row)
        if units and not through:
            await self.shop.remedies.delivered(tx, row)
        return row

    async def partly(
        self,
        tx: Transaction,
        order: OrderRow,
        units: int,
        status: str,
        through: tuple[str, ...],
        changes: dict[str, Any],
    ) -> OrderRow:
        """Some of the goods, and the order stays open."""
        if status == "fulfilling":
            row = await tx.update(ORDERS, order["order_id"], {"delivered_qty": units})
            return order if row is None else row
        return await self.shop.orders.transition(
            tx, order, "fulfilling", "delivered in part", through, delivered_qty=units, **changes
        )
