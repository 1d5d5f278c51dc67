"""Orders that wait for money: watched while they may be paid, closed when their time is over.

A channel's callbacks may be late or lost, so we ask: soon at first, then steadily, so that a capture
is known well within the five minutes that a member is promised. And an order is closed only on the
channel's word that its charges cannot be paid any more.
"""

from __future__ import annotations

from typing import Final

from reference_platform.orders import UNPAID
from reference_platform.payments import captured
from reference_platform.ports import (
    MINUTE,
    SECOND,
    OneOf,
    OutcomeUnknown,
    Rejected,
    Transaction,
    Unreachable,
)
from reference_platform.tables import CHARGES, ORDERS, ChargeRow, OrderRow
from reference_platform.wiring import Part

FIRST_LOOK_US: Final = 35 * SECOND  # by then most have paid and been told of; well within the first minute
LOOK_EVERY_US: Final = MINUTE
CLOSE_AGAIN_US: Final = 30 * SECOND
UNSETTLED: Final = OneOf(("opening", "open"))


class Expiry(Part):
    """A durable timer. It closes what is unpaid by its own books and does not ask the channel."""

    def start(self) -> None:
        self.shop.jobs.handlers["unpaid"] = self.attend

    async def watch(self, tx: Transaction, order: OrderRow) -> None:
        """From now on somebody minds this order."""
        await self.shop.jobs.schedule(tx, "unpaid", order["order_id"], self.next_look_us(order))

    async def unwatch(self, tx: Transaction, order: OrderRow) -> None:
        """Its only charge is paid: nothing is left to mind."""
        await self.shop.jobs.cancel(tx, "unpaid", order["order_id"])

    def next_look_us(self, order: OrderRow) -> int:
        return order["expires_us"]

    async def attend(self, order_id: str, tries: int) -> int | None:  # noqa: ARG002 - a handler's signature
        """Mind one order; when to do so again."""
        await self.shop.transactions.run(self.close, order_id)
        return None

    async def close(self, tx: Transaction, order_id: str) -> None:
        """Close the order if it is still unpaid, and give back what it holds."""
        order = await tx.get(ORDERS, order_id, lock="wait")
        if order is None or order["status"] not in UNPAID:
            return
        await tx.update_where(CHARGES, {"order_id": order_id, "status": UNSETTLED}, {"status": "closed"})
        await self.shop.orders.transition(tx, order, "closed", "expired")
        if order["kind"] == "card":
            await self.release(tx, order)
        await self.shop.outbox.tell(tx, order["user"], order_id, "order_closed", {})

    async def release(self, tx: Transaction, order: OrderRow) -> None:
        """The reservation ends with the order."""
        await self.shop.stock.release(tx, order["order_id"])


class ActiveExpiry(Expiry):
    """Asks the channel while the order may be paid, and closes only with the channel."""

    def next_look_us(self, order: OrderRow) -> int:
        """The next time to ask: soon after the order was placed, then steadily, and at its expiry."""
        now, first_us = self.clock.now_us(), order["created_us"] + FIRST_LOOK_US
        return min(first_us if now < first_us else now + LOOK_EVERY_US, order["expires_us"])

    async def attend(self, order_id: str, tries: int) -> int | None:  # noqa: ARG002 - a handler's signature
        order, charges = await self.shop.transactions.run(self.read, order_id)
        if order is None:
            return None
        if order["status"] == "created" and self.clock.now_us() < order["expires_us"]:
            for charge in charges:
                await self.ask(order, charge)
            return self.next_look_us(order)
        if order["status"] == "created":
            await self.shop.transactions.run(self.begin_closing, order_id)
        # Unpaid at its end, or paid by one charge while others are open: none may be paid any more.
        settled = [await self.settle(charge) for charge in charges]
        if not all(settled):
            return self.clock.now_us() + CLOSE_AGAIN_US
        await self.shop.transactions.run(self.conclude, order_id)
        return None

    async def read(self, tx: Transaction, order_id: str) -> tuple[OrderRow | None, list[ChargeRow]]:
        """The order and those of its charges of which we do not know the end."""
        order = await tx.get(ORDERS, order_id)
        return order, await tx.select(CHARGES, {"order_id": order_id, "status": UNSETTLED})

    async def begin_closing(self, tx: Transaction, order_id: str) -> None:
        """No new charges from here on; whether it was paid is for the channel to say."""
        order = await tx.get(ORDERS, order_id, lock="wait")
        if order is not None and order["status"] == "created":
            await self.shop.orders.transition(tx, order, "closing", "expired")

    async def conclude(self, tx: Transaction, order_id: str) -> None:
        """Every charge has ended."""
        await tx.get(ORDERS, order_id, lock="wait")
        await self.close(tx, order_id)
        await tx.update_where(CHARGES, {"order_id": order_id, "status": UNSETTLED}, {"status": "closed"})

    async def ask(self, order: OrderRow, charge: ChargeRow) -> bool:
        """Ask the channel about a charge and apply what it says; False when it could not tell."""
        charge_no, name = charge["charge_no"], charge["channel"]
        try:
            state = await self.shop.channels[name].query(charge_no)
        except (Unreachable, OutcomeUnknown, Rejected):
            return False
        capture = captured(name, charge_no, state)
        if capture is not None:
            await self.shop.transactions.run(self.shop.payments.apply, capture)
        elif state.status == "NOT_FOUND" and charge["status"] == "opening" and order["status"] == "created":
            await self.shop.checkout.open_charge(charge_no, name, charge["amount_fen"], order["expires_us"])
        return True

    async def settle(self, charge: ChargeRow) -> bool:
        """Close a charge with the channel. True when the channel has said how it ended."""
        try:
            await self.shop.channels[charge["channel"]].close(charge["charge_no"])
        except Rejected as error:
            if error.code in ("ORDERPAID", "TRADE_NOT_EXIST"):
                return await self.last_word(charge, paid=error.code == "ORDERPAID")
            return False
        except (Unreachable, OutcomeUnknown):
            return False
        return True

    async def last_word(self, charge: ChargeRow, *, paid: bool) -> bool:
        """Close was refused: the charge is paid, or the channel never saw it scanned. Ask which."""
        name = charge["channel"]
        try:
            state = await self.shop.channels[name].query(charge["charge_no"])
        except (Unreachable, OutcomeUnknown, Rejected):
            return False
        capture = captured(name, charge["charge_no"], state)
        if capture is None:
            return not paid
        await self.shop.transactions.run(self.shop.payments.apply, capture)
        return True
