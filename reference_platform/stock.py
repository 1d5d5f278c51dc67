"""Card secrets: each row is one card, and a card belongs to at most one order, ever.

There is no counter to drift: what is left is what the rows say. Buyers never queue for one row,
because each takes the first card that nobody else is looking at.
"""

from __future__ import annotations

from typing import Final

from reference_platform.ports import OneOf, Transaction
from reference_platform.tables import CARDS
from reference_platform.wiring import Part

_AVAILABLE: Final = {"status": "available", "order_id": ""}


class Stock(Part):
    """Reserve at order time, consume when paid, release when closed."""

    async def reserve(self, tx: Transaction, sku: str, order_id: str, quantity: int) -> bool:
        """Hold exactly `quantity` cards for the order, or none."""
        rows = await tx.select(
            CARDS, {"sku": sku, "status": "available"}, order_by="card_id", limit=quantity, lock="skip_locked"
        )
        if len(rows) < quantity:
            return False
        await self.hold(tx, tuple(row["card_id"] for row in rows), order_id)
        return True

    async def reserve_rest(self, tx: Transaction, sku: str, order_id: str, quantity: int) -> None:
        """Hold up to `quantity` more cards: for a paid order whatever is there is better than nothing."""
        rows = await tx.select(
            CARDS, {"sku": sku, "status": "available"}, order_by="card_id", limit=quantity, lock="skip_locked"
        )
        if rows:
            await self.hold(tx, tuple(row["card_id"] for row in rows), order_id)

    async def hold(self, tx: Transaction, card_ids: tuple[str, ...], order_id: str) -> None:
        """Mark locked cards as reserved."""
        changes = {"status": "reserved", "order_id": order_id}
        if len(card_ids) == 1:
            await tx.update(CARDS, card_ids[0], changes)
        else:
            await tx.update_where(CARDS, {"card_id": OneOf(card_ids)}, changes)

    async def consume(self, tx: Transaction, order_id: str) -> int:
        """Sell what is reserved for the order; the number of cards."""
        return await tx.update_where(CARDS, {"order_id": order_id, "status": "reserved"}, {"status": "sold"})

    async def release(self, tx: Transaction, order_id: str) -> None:
        """Give the reservation back."""
        await tx.update_where(CARDS, {"order_id": order_id, "status": "reserved"}, _AVAILABLE)

    async def secrets(self, tx: Transaction, order_id: str) -> list[str]:
        """The secrets that were sold to the order."""
        return [row["secret"] for row in await tx.select(CARDS, {"order_id": order_id, "status": "sold"})]

    async def shown(self, tx: Transaction, sku: str) -> int:
        """The stock that a visitor sees."""
        return len(await tx.select(CARDS, {"sku": sku, "status": "available"}))
