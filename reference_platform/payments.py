"""What a capture does to an order, in one place, whoever brought the news: notice, query or bill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reference_platform.answers import Refused
from reference_platform.orders import UNPAID
from reference_platform.ports import ChargeState, Transaction
from reference_platform.tables import CHARGES, INBOX, ORDERS, ChargeRow, InboxRow, OrderRow
from reference_platform.wiring import Part


@dataclass(frozen=True, slots=True)
class Capture:
    """Money that a channel says it took. Times are the channel's."""

    channel: str
    charge_no: str
    paid_fen: int
    transaction_id: str
    paid_us: int

    @property
    def order_id(self) -> str:
        return self.charge_no.partition("/")[0]


def captured(channel: str, charge_no: str, state: ChargeState) -> Capture | None:
    """The capture that a channel's answer tells of, if any. "Closed" may also mean paid and paid back."""
    if state.paid_fen > 0 and state.status in ("SUCCESS", "REFUND", "CLOSED"):
        return Capture(channel, charge_no, state.paid_fen, state.transaction_id, state.paid_us)
    return None


class Payments(Part):
    """Applies captures, each exactly once."""

    async def notified(self, tx: Transaction, capture: Capture, notice: InboxRow) -> None:
        """Apply what a notice says; its row in the inbox makes a repeat find nothing to do."""
        if await self.receive(tx, notice):
            await self.apply(tx, capture)

    async def receive(self, tx: Transaction, notice: InboxRow) -> bool:
        """Remember the notice; False when it was here before."""
        return await tx.insert(INBOX, notice, on_conflict="nothing")

    async def apply(self, tx: Transaction, capture: Capture) -> None:
        """Book a capture and move its order on. The order's row lock makes rivals wait their turn."""
        order = await tx.get(ORDERS, capture.order_id, lock="wait")
        charges = await tx.select(CHARGES, {"order_id": capture.order_id})
        charge = next((row for row in charges if row["charge_no"] == capture.charge_no), None)
        if order is None or charge is None:
            await self.orphan(tx, capture, charge)
        elif charge["status"] != "paid":
            await self.book(tx, capture)
            earlier = [row for row in charges if row["status"] == "paid"]
            if earlier and order["status"] == "held" and capture.paid_fen == charge["amount_fen"]:
                await self.redeem(tx, order, capture, earlier)
            elif earlier:
                await self.pay_twice(tx, order, capture)
            elif capture.paid_fen != charge["amount_fen"]:
                await self.suspend(tx, order, capture)
            else:
                await self.pay(tx, order, capture, charges)

    async def book(self, tx: Transaction, capture: Capture) -> None:
        """The charge is paid and the money is in suspense."""
        await tx.update(
            CHARGES,
            capture.charge_no,
            {"status": "paid", "paid_fen": capture.paid_fen, "transaction_id": capture.transaction_id},
        )
        await self.shop.ledger.capture(tx, capture.order_id, capture.channel, capture.paid_fen)

    async def pay(self, tx: Transaction, order: OrderRow, capture: Capture, charges: list[ChargeRow]) -> None:
        """The right amount for an order that waits for it, or no longer does."""
        paid: dict[str, Any] = {"captured_fen": capture.paid_fen, "paid_us": capture.paid_us}
        if order["status"] in UNPAID:
            if len(charges) == 1:
                await self.shop.expiry.unwatch(tx, order)
            await self.shop.fulfilment.begin(tx, order, "paid", paid)
        elif order["status"] == "closed":
            await self.pay_late(tx, order, paid)
        else:
            await self.pay_twice(tx, order, capture)

    async def pay_late(self, tx: Transaction, order: OrderRow, paid: dict[str, Any]) -> None:
        """The money came after we closed: the order is owed again."""
        late = await self.shop.orders.transition(tx, order, "paid_late", "captured after close", **paid)
        await self.shop.remedies.late_captured(tx, late)

    async def suspend(self, tx: Transaction, order: OrderRow, capture: Capture) -> None:
        """A wrong amount is never fulfilled; it waits for finance."""
        late = ("paid_late",) if order["status"] == "closed" else ()
        held = await self.shop.orders.transition(
            tx, order, "held", "wrong amount", late, captured_fen=capture.paid_fen, paid_us=capture.paid_us
        )
        await self.shop.remedies.suspended(tx, held["order_id"], held["order_id"], capture.paid_us)

    async def redeem(
        self, tx: Transaction, order: OrderRow, capture: Capture, earlier: list[ChargeRow]
    ) -> None:
        """The right amount after a wrong one: it pays the order, and the wrong one was extra."""
        paid = {"captured_fen": capture.paid_fen, "paid_us": capture.paid_us}
        row = await self.shop.fulfilment.begin(tx, order, "paid", paid)
        for charge in earlier:
            wrong = Capture(
                charge["channel"],
                charge["charge_no"],
                charge["paid_fen"],
                charge["transaction_id"],
                capture.paid_us,
            )
            await self.pay_twice(tx, row, wrong)

    async def pay_twice(self, tx: Transaction, order: OrderRow, capture: Capture) -> None:
        """One order, paid more than once."""
        await self.shop.remedies.extra_captured(tx, order, capture)

    async def orphan(self, tx: Transaction, capture: Capture, charge: ChargeRow | None) -> None:
        """Money that no order asked for. Remembered as a paid charge without an order."""
        if charge is not None:
            return
        stray: ChargeRow = {
            "charge_no": capture.charge_no,
            "order_id": capture.order_id,
            "channel": capture.channel,
            "amount_fen": 0,
            "status": "paid",
            "transaction_id": capture.transaction_id,
            "paid_fen": capture.paid_fen,
            "created_us": self.clock.now_us(),
        }
        fresh = await tx.insert(CHARGES, stray, on_conflict="nothing")
        if fresh:
            await self.shop.ledger.capture(tx, capture.order_id, capture.channel, capture.paid_fen)
            await self.shop.remedies.orphan_captured(tx, capture)


class KnownOrders(Payments):
    """Before anybody asks the channel: a notice is for an open order, or it is refused (and sent again)."""

    async def pay_late(self, *_: object) -> None:
        raise Refused(409, "order_closed")

    async def orphan(self, *_: object) -> None:
        raise Refused(503, "unknown_order")
