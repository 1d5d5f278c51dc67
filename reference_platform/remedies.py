"""The moments at which a member may be owed something, and what happens when there is no policy.

Other parts report these moments from inside the transaction that makes them true. A design without
a compensation engine does the bare minimum here; the engine (`compensation.py`) follows its policy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_platform.ports import Transaction
from reference_platform.tables import AttemptRow, OrderRow, RefundRow
from reference_platform.wiring import Part

if TYPE_CHECKING:
    from reference_platform.payments import Capture


class Remedies(Part):
    """No compensation: what goes wrong stays wrong until a person notices."""

    async def captured(self, tx: Transaction, order: OrderRow) -> None:
        """An order is paid and could not be delivered at once."""

    async def late_captured(self, tx: Transaction, order: OrderRow) -> None:
        """An order was paid after it was closed: try to fulfil it all the same."""
        await self.shop.fulfilment.resume(tx, order)

    async def extra_captured(self, tx: Transaction, order: OrderRow, capture: Capture) -> None:
        """An order was paid more than once."""

    async def orphan_captured(self, tx: Transaction, capture: Capture) -> None:
        """Money came that no order asked for."""

    async def short_delivered(self, tx: Transaction, order: OrderRow) -> None:
        """Fewer goods than ordered, and no more to come."""

    async def false_success(self, tx: Transaction, order: OrderRow, attempt: AttemptRow) -> None:
        """A supplier takes its success back."""

    async def suspended(self, tx: Transaction, order_id: str, ref: str, since_us: int) -> None:
        """Money is in suspense: a held order's, a failed refund's, or a stray charge's; `ref` names it."""

    async def delivered(self, tx: Transaction, order: OrderRow) -> None:
        """An order that had to wait is complete."""

    async def undeliverable(self, tx: Transaction, order: OrderRow) -> None:
        """Nobody can deliver this order any more."""
        await self.shop.refunds.full(tx, order, "no supplier could deliver")

    async def credited(self, tx: Transaction, order_id: str) -> bool:  # noqa: ARG002 - there are no credits
        """Whether the member has had the order's worth as credit."""
        return False

    async def refunded(self, tx: Transaction, refund: RefundRow) -> None:
        """A refund is done."""
