"""Refunds: one number for one intent, accepted is not done, and unknown means the same number again."""

from __future__ import annotations

from typing import Any, Final

from reference_platform.answers import Refused, ok
from reference_platform.orders import UNDELIVERED
from reference_platform.ports import (
    MINUTE,
    SECOND,
    OneOf,
    PortError,
    Rejected,
    Request,
    Response,
    Transaction,
)
from reference_platform.tables import (
    ATTEMPTS,
    CHARGES,
    INBOX,
    ORDERS,
    REFUNDS,
    ChargeRow,
    InboxRow,
    OrderRow,
    RefundRow,
)
from reference_platform.wiring import Part

AGAIN_US: Final = MINUTE + 5 * SECOND
FIRST_LOOK_US: Final = 20 * SECOND
LOOK_EVERY_US: Final = 40 * SECOND
PASSING: Final = ("FREQUENCY_LIMITED", "TOO_EARLY", "SYSTEM_ERROR", "RATE_LIMITED")


class Refunds(Part):
    """Requests refunds and follows each to its end."""

    def start(self) -> None:
        self.shop.jobs.handlers["refund"] = self.pursue

    # ------------------------------------------------------------ what is refunded

    async def full(self, tx: Transaction, order: OrderRow, cause: str) -> str:
        """Give back everything paid for a locked, undelivered order; the refund's number."""
        order = await self.shop.orders.transition(tx, order, "refunding", cause)
        if order["kind"] == "card":
            await self.shop.stock.release(tx, order["order_id"])
        return await self.undelivered(tx, order, order["captured_fen"], order["quantity"], "full")

    async def undelivered(
        self, tx: Transaction, order: OrderRow, amount_fen: int, quantity: int, intent: str
    ) -> str:
        """Give back what was paid for `quantity` units, to where it came from."""
        refunds = await tx.select(REFUNDS, {"order_id": order["order_id"]})
        if order["pay_with"] == "wallet":
            return await self.to_wallet(tx, order, amount_fen, quantity, intent, len(refunds) + 1)
        charges = await tx.select(CHARGES, {"order_id": order["order_id"], "status": "paid"})
        charge = self.accepted_charge(charges, refunds)
        return await self.request(tx, charge, intent, amount_fen, quantity, len(refunds) + 1)

    def accepted_charge(self, charges: list[ChargeRow], refunds: list[RefundRow]) -> ChargeRow:
        """The paid charge that counts for the order: the one not given back as an extra."""
        extras = [row["intent"] for row in refunds]
        return next((row for row in charges if f"extra:{row['charge_no']}" not in extras), charges[0])

    async def charge(self, tx: Transaction, charge: ChargeRow, intent: str) -> str:
        """Give back all of a charge that its order does not need."""
        refunds = await tx.select(REFUNDS, {"order_id": charge["order_id"]})
        return await self.request(tx, charge, intent, charge["paid_fen"], 0, len(refunds) + 1)

    async def request(
        self, tx: Transaction, charge: ChargeRow, intent: str, amount_fen: int, quantity: int, n: int
    ) -> str:
        """Write the intent and a job to pursue it. The same intent a second time is the first one."""
        refund: RefundRow = {
            "refund_no": f"{charge['order_id']}/r{n}",
            "order_id": charge["order_id"],
            "charge_no": charge["charge_no"],
            "channel": charge["channel"],
            "intent": intent,
            "amount_fen": amount_fen,
            "quantity": quantity,
            "status": "requested",
            "requested_us": self.clock.now_us(),
        }
        if not await tx.insert(REFUNDS, refund, on_conflict="nothing"):
            same = await tx.select(REFUNDS, {"charge_no": charge["charge_no"], "intent": intent})
            return same[0]["refund_no"]
        await self.shop.jobs.begin(tx, "refund", refund["refund_no"])
        return refund["refund_no"]

    async def to_wallet(
        self, tx: Transaction, order: OrderRow, amount_fen: int, quantity: int, intent: str, n: int
    ) -> str:
        """A wallet is ours, so its refund is done at once."""
        order_id = order["order_id"]
        refund: RefundRow = {
            "refund_no": f"{order_id}/r{n}",
            "order_id": order_id,
            "charge_no": order_id,
            "channel": "wallet",
            "intent": intent,
            "amount_fen": amount_fen,
            "quantity": quantity,
            "status": "done",
            "requested_us": self.clock.now_us(),
        }
        if await tx.insert(REFUNDS, refund, on_conflict="nothing"):
            await self.shop.ledger.wallet_refund(tx, order_id, order["user"], amount_fen)
            await self.close_order(tx, order, refund)
        return refund["refund_no"]

    # ------------------------------------------------------------ a user asks

    async def requested(self, request: Request) -> Response:
        """Serve `request_refund`."""
        order = await self.shop.transactions.run(
            self.request_by_user, request.user, request.body.get("order_id") or ""
        )
        return ok({"order_id": order["order_id"], "status": order["status"]})

    async def request_by_user(self, tx: Transaction, user: str, order_id: str) -> OrderRow:
        """Refund what is paid and not delivered; never while a supplier may still deliver it."""
        order = await tx.get(ORDERS, order_id, lock="wait")
        if order is None or order["user"] != user:
            raise Refused(404, "unknown_order")
        if order["status"] not in UNDELIVERED:
            raise Refused(409, "not_refundable")
        await self.check_supplier(tx, order_id)
        if await self.shop.remedies.credited(tx, order_id):
            raise Refused(409, "compensated_already")
        if order["delivered_qty"]:
            if await tx.select(REFUNDS, {"order_id": order_id, "intent": "short"}):
                raise Refused(409, "refund_requested_before")
            missing = order["quantity"] - order["delivered_qty"]
            await self.undelivered(tx, order, missing * order["unit_fen"], missing, "short")
        else:
            await self.full(tx, order, "asked for by the user")
        row = await tx.get(ORDERS, order_id)
        return order if row is None else row

    async def check_supplier(self, tx: Transaction, order_id: str) -> None:
        """No refund while an attempt is undecided: it may yet succeed."""
        for attempt in await tx.select(ATTEMPTS, {"order_id": order_id}):
            if self.shop.topups.undecided(attempt):
                raise Refused(409, "supplier_pending")

    # ------------------------------------------------------------ to the end

    async def pursue(self, refund_no: str, tries: int) -> int | None:  # noqa: ARG002 - a handler's signature
        """Ask the channel for the refund, then ask until it is done; when to go on."""
        refund = await self.shop.transactions.run(self.find, refund_no)
        if refund is None or refund["status"] not in ("requested", "accepted"):
            return None
        if refund["status"] == "requested":
            return await self.ask(refund)
        word = await self.shop.channels[refund["channel"]].query_refund(refund_no)
        if word == "SUCCESS":
            await self.shop.transactions.run(self.done, refund_no)
            return None
        if word == "ABNORMAL":
            await self.shop.transactions.run(self.failed, refund_no)
            return None
        if word == "NOT_FOUND":
            return await self.ask(refund)
        return self.clock.now_us() + LOOK_EVERY_US

    async def find(self, tx: Transaction, refund_no: str) -> RefundRow | None:
        return await tx.get(REFUNDS, refund_no)

    async def ask(self, refund: RefundRow) -> int | None:
        """Request the refund under its own number, as often as it takes, at least a minute apart."""
        refund_no = refund["refund_no"]
        try:
            await self.shop.channels[refund["channel"]].refund(
                refund_no, refund["charge_no"], refund["amount_fen"]
            )
        except Rejected as error:
            if error.code in PASSING:
                return self.clock.now_us() + AGAIN_US
            await self.shop.transactions.run(self.failed, refund_no)
            return None
        except PortError:
            return self.clock.now_us() + AGAIN_US
        await self.shop.transactions.run(self.accepted, refund_no)
        return self.clock.now_us() + FIRST_LOOK_US

    async def accepted(self, tx: Transaction, refund_no: str) -> None:
        """The channel will pay; it has not yet."""
        await tx.update(REFUNDS, refund_no, {"status": "accepted"}, where={"status": "requested"})

    async def done(self, tx: Transaction, refund_no: str) -> None:
        """The money is back with the payer."""
        order_id = refund_no.partition("/")[0]
        order = await tx.get(ORDERS, order_id, lock="wait")
        refund = await tx.update(
            REFUNDS,
            refund_no,
            {"status": "done"},
            where={"status": OneOf(("requested", "accepted", "failed"))},
        )
        if refund is None:
            return
        await self.shop.ledger.refund(tx, order_id, refund["channel"], refund["amount_fen"])
        await self.shop.remedies.refunded(tx, refund)
        if order is not None:
            await self.close_order(tx, order, refund)

    async def close_order(self, tx: Transaction, order: OrderRow, refund: RefundRow) -> None:
        """What a finished refund means for its order; an extra capture's means nothing."""
        quantity = refund["quantity"]
        if not quantity:
            return
        order_id, user = order["order_id"], order["user"]
        refunded: dict[str, Any] = {"refunded_qty": order["refunded_qty"] + quantity}
        told = {"refunded_fen": refund["amount_fen"]}
        if order["status"] == "refunding":
            await self.shop.orders.transition(tx, order, "refunded", "refund done", **refunded)
            await self.shop.outbox.tell(tx, user, order_id, "order_refunded", told)
        elif order["status"] in ("paid", "paid_late", "fulfilling"):
            await self.shop.orders.transition(tx, order, "completed", "rest refunded", **refunded)
            await self.shop.outbox.tell(tx, user, order_id, "order_partly_refunded", told)
        else:
            await tx.update(ORDERS, order_id, refunded)
            await self.shop.outbox.tell(tx, user, order_id, "order_refunded", told)

    async def failed(self, tx: Transaction, refund_no: str) -> None:
        """The channel will not pay: the money stays with us, and somebody has to look."""
        order_id = refund_no.partition("/")[0]
        await tx.get(ORDERS, order_id, lock="wait")
        refund = await tx.update(
            REFUNDS, refund_no, {"status": "failed"}, where={"status": OneOf(("requested", "accepted"))}
        )
        if refund is not None:
            await self.shop.tickets.open(tx, "refund_failed", refund_no, order_id, "finance+engineering")
            await self.shop.remedies.suspended(tx, order_id, refund_no, refund["requested_us"])

    async def again(self, tx: Transaction, refund_no: str) -> None:
        """Finance has cleared the way for a failed refund: the same number once more."""
        refund = await tx.update(REFUNDS, refund_no, {"status": "requested"}, where={"status": "failed"})
        if refund is not None:
            await self.shop.jobs.begin(tx, "refund", refund_no)

    async def notified(self, notice: InboxRow) -> None:
        """A notice about a refund names its charge only: look at what is under way there."""
        await self.shop.transactions.run(self.look_now, notice)

    async def look_now(self, tx: Transaction, notice: InboxRow) -> None:
        if not await tx.insert(INBOX, notice, on_conflict="nothing"):
            return
        for refund in await tx.select(REFUNDS, {"order_id": notice["charge_no"].partition("/")[0]}):
            if refund["charge_no"] == notice["charge_no"] and refund["status"] == "accepted":
                await self.shop.jobs.schedule(tx, "refund", refund["refund_no"], self.clock.now_us())
