"""Top-ups through suppliers: one order line, at most one success, over all numbers and routes.

An attempt is committed before it is sent. A time-out, a refusal as duplicate and an early "not
found" all mean *unknown*: such an attempt is asked about under its own number until the supplier
commits itself, and until then there is no new number, no other supplier and no refund.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reference_platform.answers import Refused
from reference_platform.orders import UNDELIVERED
from reference_platform.ports import (
    MINUTE,
    SECOND,
    OutcomeUnknown,
    Rejected,
    SupplierReply,
    Transaction,
    Unreachable,
)
from reference_platform.tables import ATTEMPTS, ORDERS, AttemptRow, OrderRow
from reference_platform.wiring import Part

ASK_AFTER_US: Final = 3 * MINUTE + 5 * SECOND
ASK_EVERY_US: Final = 3 * MINUTE
NOT_FOUND_AFTER_US: Final = 10 * MINUTE
CONFIRM_AGAIN_US: Final = 20 * MINUTE
STUCK_US: Final = 30 * MINUTE

UNKNOWN: Final = SupplierReply("unknown")
FAILED: Final = SupplierReply("fail")


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next for an order: submit an attempt, or ask about it."""

    submit: bool
    attempt: AttemptRow
    order: OrderRow


class TopUps(Part):
    """Sends attempts and finds out what became of them."""

    def start(self) -> None:
        self.shop.jobs.handlers["supply"] = self.supply
        self.shop.jobs.handlers["confirm"] = self.confirm
        self.shop.jobs.handlers["confirm_again"] = self.confirm

    async def supply(self, order_id: str, tries: int) -> int | None:  # noqa: ARG002 - a handler's signature
        """Bring an order closer to delivery; when to go on."""
        while True:
            step = await self.shop.transactions.run(self.decide, order_id)
            if not isinstance(step, Step):
                return step
            reply = await (self.submit(step) if step.submit else self.ask(step.attempt))
            again_us = await self.shop.transactions.run(self.learn, step.attempt["attempt_no"], reply)
            if again_us != 0:
                return again_us

    async def decide(self, tx: Transaction, order_id: str) -> Step | int | None:
        """The next step, a time to wait for, or None when the order needs no supplier any more."""
        order = await tx.get(ORDERS, order_id, lock="wait")
        if order is None or order["status"] not in UNDELIVERED or order["delivered_qty"]:
            return None
        attempts = await tx.select(ATTEMPTS, {"order_id": order_id}, order_by="sent_us")
        now = self.clock.now_us()
        if attempts and self.undecided(attempts[-1]):
            due_us = attempts[-1]["sent_us"] + ASK_AFTER_US
            return due_us if now < due_us else Step(submit=False, attempt=attempts[-1], order=order)
        if attempts and attempts[-1]["status"] == "success":
            return None
        suppliers = (await self.shop.catalogue.product(tx, order["sku"]))["suppliers"]
        if len(attempts) >= len(suppliers):
            await self.shop.remedies.undeliverable(tx, order)
            return None
        if order["status"] != "fulfilling":
            order = await self.shop.orders.transition(tx, order, "fulfilling", "sent to a supplier")
        attempt = self.number(order_id, len(attempts) + 1, suppliers[len(attempts)], now)
        await tx.insert(ATTEMPTS, attempt)
        return Step(submit=True, attempt=attempt, order=order)

    def undecided(self, attempt: AttemptRow) -> bool:
        """Whether this attempt may still succeed. One that was being sent when we died may, too."""
        return attempt["status"] in ("sending", "unknown", "processing")

    def number(self, order_id: str, n: int, supplier: str, now: int) -> AttemptRow:
        """A fresh attempt under a number that is never used again."""
        return {
            "attempt_no": f"{order_id}/s{n}",
            "order_id": order_id,
            "supplier": supplier,
            "status": "sending",
            "delivered": 0,
            "cost_fen": 0,
            "sent_us": now,
        }

    async def submit(self, step: Step) -> SupplierReply:
        """Send an attempt. Refused or unreachable certainly had no effect; silence may have had one."""
        attempt, order = step.attempt, step.order
        try:
            return await self.shop.suppliers[attempt["supplier"]].submit(
                attempt["attempt_no"], order["sku"], order["account"], order["quantity"]
            )
        except (Unreachable, Rejected):
            return FAILED
        except OutcomeUnknown:
            return UNKNOWN

    async def ask(self, attempt: AttemptRow) -> SupplierReply:
        """What the supplier says of an attempt; no answer says nothing."""
        try:
            return await self.shop.suppliers[attempt["supplier"]].query(attempt["attempt_no"])
        except (Unreachable, Rejected, OutcomeUnknown):
            return UNKNOWN

    def verdict(self, attempt: AttemptRow, reply: SupplierReply) -> str:
        """Success, fail, processing or unknown: what a reply is worth for this attempt."""
        if reply.status in ("success", "fail", "processing"):
            return reply.status
        if reply.status == "not_found" and self.clock.now_us() >= attempt["sent_us"] + NOT_FOUND_AFTER_US:
            return "fail"
        return "unknown"

    # ------------------------------------------------------------ learning

    async def learn(self, tx: Transaction, attempt_no: str, reply: SupplierReply) -> int | None:
        """Book what is known of an attempt now. 0: go on at once; a time: ask then; None: nothing to do."""
        order = await tx.get(ORDERS, attempt_no.partition("/")[0], lock="wait")
        attempt = await tx.get(ATTEMPTS, attempt_no, lock="wait")
        if order is None or attempt is None:
            raise Refused(404, "unknown_attempt")
        verdict = self.verdict(attempt, reply)
        if verdict == "success":
            if attempt["status"] == "fail" and await self.overtaken(tx, attempt):
                raise Refused(503, "later_attempt_open")
            if attempt["status"] != "success":
                await self.succeeded(tx, order, attempt, reply)
            return None
        if attempt["status"] == "success":
            if verdict == "fail":
                await self.shop.remedies.false_success(tx, order, attempt)
            return None
        if attempt["status"] == "fail":
            # Perhaps we booked this ourselves and never heard of our commit: the order still wants a step.
            return 0 if verdict == "fail" else None
        if attempt["status"] != verdict:
            await tx.update(ATTEMPTS, attempt_no, {"status": verdict})
        if verdict == "fail":
            return 0
        await self.report_stuck(tx, order)
        return max(attempt["sent_us"] + ASK_AFTER_US, self.clock.now_us() + ASK_EVERY_US)

    async def overtaken(self, tx: Transaction, attempt: AttemptRow) -> bool:
        """Whether a later attempt is still open. Until that is decided, a success after a failure must wait:
        believing it would leave nobody to ask about the later one.
        """
        attempts = await tx.select(ATTEMPTS, {"order_id": attempt["order_id"]}, order_by="sent_us")
        return any(self.undecided(later) for later in attempts if later["sent_us"] > attempt["sent_us"])

    async def succeeded(
        self, tx: Transaction, order: OrderRow, attempt: AttemptRow, reply: SupplierReply
    ) -> None:
        """The supplier says it delivered: owe it its cost, and complete the order with it."""
        attempt_no, cost_fen = attempt["attempt_no"], reply.cost_fen
        await tx.update(
            ATTEMPTS, attempt_no, {"status": "success", "delivered": reply.delivered, "cost_fen": cost_fen}
        )
        if cost_fen:
            await self.shop.ledger.supplier_cost(tx, order["order_id"], attempt["supplier"], cost_fen)
        if order["status"] in UNDELIVERED and not order["delivered_qty"]:
            await self.shop.fulfilment.delivered(tx, order, reply.delivered, (), {})
            now = self.clock.now_us()
            await self.shop.jobs.schedule(tx, "confirm", attempt_no, now + ASK_AFTER_US)
            await self.shop.jobs.schedule(tx, "confirm_again", attempt_no, now + CONFIRM_AGAIN_US)
        else:
            await self.shop.tickets.open(tx, "delivered_twice", attempt_no, order["order_id"], "operations")

    async def report_stuck(self, tx: Transaction, order: OrderRow) -> None:
        """Somebody looks after an order that no supplier has answered for in half an hour."""
        if self.clock.now_us() >= order["paid_us"] + STUCK_US and order["status"] in UNDELIVERED:
            order_id = order["order_id"]
            await self.shop.tickets.open(tx, "undelivered", order_id, order_id, "operations")

    async def told(self, supplier: str, attempt_no: str, reply: SupplierReply) -> None:
        """A verified callback of a supplier."""
        await self.shop.transactions.run(self.learn_from_callback, supplier, attempt_no, reply)

    async def learn_from_callback(
        self, tx: Transaction, supplier: str, attempt_no: str, reply: SupplierReply
    ) -> None:
        """As an answer, but the job that would have asked is to be told."""
        await tx.get(ORDERS, attempt_no.partition("/")[0], lock="wait")
        attempt = await tx.get(ATTEMPTS, attempt_no)
        if attempt is None or attempt["supplier"] != supplier:
            raise Refused(404, "unknown_attempt")
        again_us = await self.learn(tx, attempt_no, reply)
        if again_us == 0:
            await self.shop.jobs.schedule(tx, "supply", attempt["order_id"], self.clock.now_us())
        elif again_us is None and attempt["status"] in ("unknown", "processing"):
            await self.shop.jobs.cancel(tx, "supply", attempt["order_id"])

    # ------------------------------------------------------------ confirming

    async def confirm(self, attempt_no: str, tries: int) -> int | None:  # noqa: ARG002 - a handler's signature
        """A supplier's success is believed for the moment, and checked twice later, counted from its word."""
        attempt = await self.shop.transactions.run(self.find, attempt_no)
        if attempt is None or attempt["status"] != "success":
            return None
        reply = await self.ask(attempt)
        verdict = self.verdict(attempt, reply)
        if verdict == "fail":
            await self.shop.transactions.run(self.learn, attempt_no, FAILED)
        return None if verdict in ("fail", "success") else self.clock.now_us() + ASK_EVERY_US

    async def find(self, tx: Transaction, attempt_no: str) -> AttemptRow | None:
        return await tx.get(ATTEMPTS, attempt_no)


class HastyTopUps(TopUps):
    """No fence: whatever is not a plain success counts as failed, and the next supplier gets the order."""

    def undecided(self, attempt: AttemptRow) -> bool:
        return attempt["status"] == "processing"

    def verdict(self, attempt: AttemptRow, reply: SupplierReply) -> str:  # noqa: ARG002 - as the fence's
        return reply.status if reply.status in ("success", "processing") else "fail"
