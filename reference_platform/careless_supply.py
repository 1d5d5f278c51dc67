"""Suppliers and refunds on the platform of the complaints: call, and take silence for a no."""

from __future__ import annotations

from typing import cast

from reference_platform.answers import Refused, ok
from reference_platform.careless import InlineFulfilment
from reference_platform.orders import UNDELIVERED
from reference_platform.ports import PortError, Request, Response, SupplierReply, Transaction
from reference_platform.refunds import Refunds
from reference_platform.tables import (
    ATTEMPTS,
    CHARGES,
    ORDERS,
    REFUNDS,
    AttemptRow,
    InboxRow,
    OrderRow,
    RefundRow,
)
from reference_platform.topup import FAILED, TopUps
from reference_platform.wiring import Shop


class InlineTopUps(TopUps):
    """Tries one supplier after the other while the caller waits; no answer means the next one."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self.fulfilment = cast(InlineFulfilment, shop.fulfilment)

    def start(self) -> None:
        """There are no jobs to register."""

    async def supply(self, order_id: str, tries: int) -> int | None:  # noqa: ARG002 - as a handler
        run = self.shop.transactions.run
        order, used, suppliers = await run(self.prepare, order_id)
        for n, supplier in enumerate(suppliers, start=used + 1):
            attempt = self.number(order_id, n, supplier, self.clock.now_us())
            await run(self.write_attempt, attempt)
            reply = await self.buy(order, attempt)
            if reply.status in ("success", "processing"):
                await self.told(supplier, attempt["attempt_no"], reply)
                break
            await run(self.mark, attempt["attempt_no"], FAILED)
        return None

    async def prepare(self, tx: Transaction, order_id: str) -> tuple[OrderRow, int, tuple[str, ...]]:
        """The order, how many numbers it has used up, and whom to ask."""
        order = await tx.get(ORDERS, order_id)
        if order is None:
            raise Refused(404, "unknown_order")
        product = await self.shop.catalogue.product(tx, order["sku"])
        used = len(await tx.select(ATTEMPTS, {"order_id": order_id}))
        if order["status"] in ("paid", "paid_late"):
            order = await self.shop.orders.transition(tx, order, "fulfilling", "sent to a supplier")
        return order, used, product["suppliers"]

    async def write_attempt(self, tx: Transaction, attempt: AttemptRow) -> None:
        await tx.insert(ATTEMPTS, attempt, on_conflict="nothing")

    async def buy(self, order: OrderRow, attempt: AttemptRow) -> SupplierReply:
        """One call to one supplier; whatever goes wrong went wrong."""
        try:
            return await self.shop.suppliers[attempt["supplier"]].submit(
                attempt["attempt_no"], order["sku"], order["account"], order["quantity"]
            )
        except PortError:
            return FAILED

    async def mark(self, tx: Transaction, attempt_no: str, reply: SupplierReply) -> AttemptRow | None:
        changes = {"status": reply.status, "delivered": reply.delivered, "cost_fen": reply.cost_fen}
        return await tx.update(ATTEMPTS, attempt_no, changes)

    async def told(self, supplier: str, attempt_no: str, reply: SupplierReply) -> None:  # noqa: ARG002 - trusted
        attempt = await self.shop.transactions.run(self.mark, attempt_no, reply)
        if attempt is None:
            raise Refused(404, "unknown_attempt")
        if reply.status == "success":
            await self.shop.transactions.run(self.pay_supplier, attempt)
            await self.shop.transactions.run(self.fulfilment.complete, attempt["order_id"], reply.delivered)

    async def pay_supplier(self, tx: Transaction, attempt: AttemptRow) -> None:
        if attempt["cost_fen"]:
            supplier, cost_fen = attempt["supplier"], attempt["cost_fen"]
            await self.shop.ledger.supplier_cost(tx, attempt["order_id"], supplier, cost_fen)


class UnlockedRefunds(Refunds):
    """Reads, pays, writes: two clicks at once are two refunds, and a delivery in between is not seen."""

    def start(self) -> None:
        """There are no jobs to register."""

    async def requested(self, request: Request) -> Response:
        run = self.shop.transactions.run
        order = await run(self.refundable, request.user, request.body.get("order_id") or "")
        order_id, amount_fen = order["order_id"], order["captured_fen"]
        number = f"{order_id}/r{self.ids.new('refund', order_id)}"
        if order["pay_with"] != "wallet":
            charge_no = await run(self.paid_charge, order_id)
            await self.shop.channels[charge_no[1]].refund(number, charge_no[0], amount_fen)
        await run(self.write_down, order, number)
        return ok({"order_id": order_id, "status": "refunded"})

    async def refundable(self, tx: Transaction, user: str, order_id: str) -> OrderRow:
        order = await tx.get(ORDERS, order_id)
        if order is None or order["user"] != user:
            raise Refused(404, "unknown_order")
        if order["status"] not in UNDELIVERED:
            raise Refused(409, "not_refundable")
        return order

    async def paid_charge(self, tx: Transaction, order_id: str) -> tuple[str, str]:
        """(number, channel) of the charge that was paid."""
        charges = await tx.select(CHARGES, {"order_id": order_id, "status": "paid"})
        if not charges:
            raise Refused(409, "not_refundable")
        return charges[0]["charge_no"], charges[0]["channel"]

    async def write_down(self, tx: Transaction, order: OrderRow, number: str) -> None:
        """Accepted by the channel is as good as done."""
        order_id, amount_fen = order["order_id"], order["captured_fen"]
        by_wallet = order["pay_with"] == "wallet"
        charge_no, channel = (order_id, "wallet") if by_wallet else await self.paid_charge(tx, order_id)
        refund: RefundRow = {
            "refund_no": number,
            "order_id": order_id,
            "charge_no": charge_no,
            "channel": channel,
            "intent": "full",
            "amount_fen": amount_fen,
            "quantity": order["quantity"],
            "status": "done",
            "requested_us": self.clock.now_us(),
        }
        await tx.insert(REFUNDS, refund, on_conflict="nothing")
        if by_wallet:
            await self.shop.ledger.wallet_refund(tx, order_id, order["user"], amount_fen)
        else:
            await self.shop.ledger.refund(tx, order_id, channel, amount_fen)
        await self.shop.orders.transition(
            tx, order, "refunded", "asked for by the user", refunded_qty=order["quantity"]
        )

    async def notified(self, notice: InboxRow) -> None:
        """A refund's notice: thank you, we know."""
