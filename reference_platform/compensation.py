"""The compensation engine: follows the policy, rule by rule, and nothing else.

A moment reported by another part puts each rule of that moment into the job line, due when its
`after` is over. The job opens the case with the order locked, checks trigger and exclusions, writes
the compensation (unique by rule, order and incident) and acts, all in one transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reference_platform.facts import AMOUNTS, FACTS, OPERATORS, Case, open_case
from reference_platform.policy import Condition, Policy, Rule, shipped
from reference_platform.ports import OneOf, Transaction
from reference_platform.remedies import Remedies
from reference_platform.tables import (
    ATTEMPTS,
    COMPENSATIONS,
    ORDERS,
    WALLETS,
    AttemptRow,
    CompensationRow,
    OrderRow,
    RefundRow,
)
from reference_platform.wiring import Shop

if TYPE_CHECKING:
    from reference_platform.payments import Capture


@dataclass(frozen=True, slots=True)
class Deed:
    """What came of an action: the compensation's status, and the refund it started."""

    status: str
    refund_no: str = ""


Act = Callable[[Transaction, Case, int], Awaitable[Deed]]


class Engine(Remedies):
    """Remedies by policy."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self.policy: Policy = shipped(shop.config.policy or "standard")
        self.rules = self.policy.by_id
        self.by_moment = self.policy.by_moment
        self.actions: dict[str, Act] = {
            "credit_wallet": self.credit_wallet,
            "refund_charge": self.refund_charge,
            "fulfil_or_refund": self.fulfil_or_refund,
            "refund_missing": self.refund_missing,
            "revoke_and_refund": self.revoke_and_refund,
            "open_ticket": self.open_ticket,
            "void_credit": self.void_credit,
        }

    def start(self) -> None:
        self.shop.jobs.handlers["rule"] = self.run_rule

    # ------------------------------------------------------------ moments

    async def happened(self, tx: Transaction, moment: str, order_id: str, incident: str, at_us: int) -> None:
        """Have the rules of this moment looked at when they may first apply."""
        for rule in self.by_moment.get(moment, ()):
            ref = f"{rule.id}|{order_id}|{incident}"
            if rule.after:
                await self.shop.jobs.schedule(tx, "rule", ref, at_us + rule.after)
            else:
                await self.shop.jobs.begin(tx, "rule", ref)

    async def captured(self, tx: Transaction, order: OrderRow) -> None:
        """A promise with a disclosed waiting time is broken only after that time."""
        at_us = order["paid_us"]
        wait_us = await self.disclosed_wait_us(tx, order)
        for rule in self.by_moment.get("captured", ()):
            ref = f"{rule.id}|{order['order_id']}|{order['order_id']}"
            await self.shop.jobs.schedule(tx, "rule", ref, at_us + max(rule.after, wait_us))

    async def late_captured(self, tx: Transaction, order: OrderRow) -> None:
        order_id = order["order_id"]
        if "late_captured" in self.by_moment:
            await self.happened(tx, "late_captured", order_id, order_id, order["paid_us"])
        else:
            await super().late_captured(tx, order)

    async def extra_captured(self, tx: Transaction, order: OrderRow, capture: Capture) -> None:
        await self.happened(tx, "extra_captured", order["order_id"], capture.charge_no, capture.paid_us)

    async def orphan_captured(self, tx: Transaction, capture: Capture) -> None:
        await self.happened(tx, "orphan_captured", capture.order_id, capture.charge_no, capture.paid_us)
        await self.happened(tx, "suspended", capture.order_id, capture.charge_no, capture.paid_us)

    async def short_delivered(self, tx: Transaction, order: OrderRow) -> None:
        await self.happened(tx, "short_delivered", order["order_id"], order["order_id"], self.clock.now_us())

    async def false_success(self, tx: Transaction, order: OrderRow, attempt: AttemptRow) -> None:
        now = self.clock.now_us()
        await self.happened(tx, "false_success", order["order_id"], attempt["attempt_no"], now)

    async def suspended(self, tx: Transaction, order_id: str, ref: str, since_us: int) -> None:
        await self.happened(tx, "suspended", order_id, ref, since_us)

    async def delivered(self, tx: Transaction, order: OrderRow) -> None:
        """The five minutes are moot; but if they were over, the make-good is to be taken back."""
        order_id = order["order_id"]
        now = self.clock.now_us()
        for rule in self.by_moment.get("captured", ()):
            if now < order["paid_us"] + rule.after:
                await self.shop.jobs.cancel(tx, "rule", f"{rule.id}|{order_id}|{order_id}")
            elif await self.credited(tx, order_id):
                await self.happened(tx, "delivered", order_id, order_id, now)

    async def disclosed_wait_us(self, tx: Transaction, order: OrderRow) -> int:
        return (await self.shop.catalogue.product(tx, order["sku"]))["disclosed_wait_us"]

    # ------------------------------------------------------------ one rule, one case

    async def run_rule(self, ref: str, tries: int) -> int | None:  # noqa: ARG002 - a handler's signature
        """Look at one rule for one incident."""
        rule_id, order_id, incident = ref.split("|")
        rule = self.rules.get(rule_id)
        if rule is not None and rule.enabled:
            await self.shop.transactions.run(self.decide, rule, order_id, incident)
        return None

    async def decide(self, tx: Transaction, rule: Rule, order_id: str, incident: str) -> None:
        """Compensate if the rule says so, and at most once."""

        async def wait_us(order: OrderRow) -> int:
            return await self.disclosed_wait_us(tx, order)

        case = await open_case(tx, order_id, incident, self.clock.now_us(), wait_us)
        if self.compensated(rule, case) or not self.applies(rule, case):
            return
        amount_fen = self.amount_fen(rule, case)
        evidence: dict[str, Any] = {str(fact): FACTS[fact](case) for fact in rule.evidence}
        deed = await self.actions[rule.action](tx, case, amount_fen)
        await self.record(tx, rule, case, amount_fen, evidence, deed)

    def compensated(self, rule: Rule, case: Case) -> bool:
        """Whether this rule has served this incident already."""
        return any(row["rule"] == rule.id and row["incident"] == case.incident for row in case.compensations)

    def applies(self, rule: Rule, case: Case) -> bool:
        """Every condition of the trigger and no exclusion."""
        return all(holds(each, case) for each in rule.trigger) and not self.excluded(rule, case)

    def excluded(self, rule: Rule, case: Case) -> bool:
        return any(holds(each, case) for each in rule.exclusions)

    def amount_fen(self, rule: Rule, case: Case) -> int:
        """By the rule's formula, within its cap."""
        amount_fen = AMOUNTS[rule.amount](case)
        return amount_fen if rule.cap_fen is None else min(amount_fen, rule.cap_fen)

    async def record(
        self, tx: Transaction, rule: Rule, case: Case, amount_fen: int, evidence: dict[str, Any], deed: Deed
    ) -> None:
        """The entry in the book CMP, and word to the member where it is theirs to know."""
        user = "" if case.order is None else case.order["user"]
        row: CompensationRow = {
            "cmp_id": self.ids.new("cmp", case.order_id, rule.id),
            "rule": rule.id,
            "order_id": case.order_id,
            "incident": case.incident,
            "user": user,
            "action": rule.action,
            "amount_fen": amount_fen,
            "status": deed.status,
            "refund_no": deed.refund_no,
            "evidence": evidence,
            "at_us": case.now_us,
        }
        await tx.insert(COMPENSATIONS, row)
        topic = {
            "credit_wallet": "compensation",
            "refund_charge": "compensation",
            "void_credit": "compensation_voided",
        }
        if user and rule.action in topic:
            told = {"rule": rule.id, "amount_fen": amount_fen}
            await self.shop.outbox.tell(tx, user, case.order_id, topic[rule.action], told)

    # ------------------------------------------------------------ actions

    async def credit_wallet(self, tx: Transaction, case: Case, amount_fen: int) -> Deed:
        """Equal value at once; not to be spent while a supplier may still deliver."""
        order = known(case)
        account = "provisional" if case.supplier_undecided else "wallet"
        lines = (("compensation_cost", amount_fen), (f"{account}:{order['user']}", -amount_fen))
        await self.shop.ledger.post(tx, "credit", case.order_id, lines)
        return Deed("provisional" if case.supplier_undecided else "done")

    async def refund_charge(self, tx: Transaction, case: Case, amount_fen: int) -> Deed:  # noqa: ARG002 - in full
        """Give back a charge that no order needs."""
        charge = case.charge
        if charge is None:
            raise LookupError(f"{case.incident} is not a charge")
        intent = "orphan" if case.order is None else f"extra:{charge['charge_no']}"
        return Deed("requested", await self.shop.refunds.charge(tx, charge, intent))

    async def fulfil_or_refund(self, tx: Transaction, case: Case, amount_fen: int) -> Deed:  # noqa: ARG002
        """Reserve again and deliver; if nothing can be delivered, give everything back."""
        row = await self.shop.fulfilment.resume(tx, known(case))
        if row["status"] == "paid_late" and row["kind"] == "card":
            return self.refunding(row, await self.shop.refunds.full(tx, row, "late and out of stock"))
        return Deed("done")

    async def refund_missing(self, tx: Transaction, case: Case, amount_fen: int) -> Deed:
        """The value of what is missing; of the whole order when nothing came."""
        order = known(case)
        if order["delivered_qty"] == 0:
            return self.refunding(order, await self.shop.refunds.full(tx, order, "nothing to deliver"))
        missing = FACTS["missing_qty"](case)
        number = await self.shop.refunds.undelivered(tx, order, amount_fen, missing, "short")
        return self.refunding(order, number)

    async def revoke_and_refund(self, tx: Transaction, case: Case, amount_fen: int) -> Deed:
        """Take the delivery out of the books, and give the money back."""
        order, attempt = known(case), case.attempt
        if attempt is None:
            raise LookupError(f"{case.incident} is not an attempt")
        await tx.update(ATTEMPTS, attempt["attempt_no"], {"status": "fail", "delivered": 0, "cost_fen": 0})
        if attempt["cost_fen"]:
            await self.shop.ledger.supplier_cost(tx, case.order_id, attempt["supplier"], -attempt["cost_fen"])
        await self.shop.ledger.revoke_delivery(tx, case.order_id, order["delivered_qty"] * order["unit_fen"])
        row = await tx.update(ORDERS, case.order_id, {"delivered_qty": 0})
        number = await self.shop.refunds.undelivered(
            tx, row or order, amount_fen, order["delivered_qty"], "full"
        )
        return self.refunding(order, number)

    async def open_ticket(self, tx: Transaction, case: Case, amount_fen: int) -> Deed:  # noqa: ARG002
        """Finance and engineering look together."""
        reason = str(FACTS["suspense"](case))
        await self.shop.tickets.open(tx, reason, case.incident, case.order_id, "finance+engineering")
        return Deed("done")

    async def void_credit(self, tx: Transaction, case: Case, amount_fen: int) -> Deed:
        """Take the make-good back; what was spent of it is our loss."""
        order, credit = known(case), case.credit
        if credit is None:
            raise LookupError(f"{case.order_id} has no credit")
        user = order["user"]
        lost_fen = 0
        if credit["status"] == "provisional":
            await self.take_back(tx, case.order_id, f"provisional:{user}", amount_fen)
        else:
            wallet = await tx.get(WALLETS, user, lock="wait")
            left_fen = min(amount_fen, wallet["balance_fen"] if wallet is not None else 0)
            lost_fen = amount_fen - left_fen
            await self.take_back(tx, case.order_id, f"wallet:{user}", left_fen)
            if lost_fen:
                lines = (("platform_loss", lost_fen), ("compensation_cost", -lost_fen))
                await self.shop.ledger.post(tx, "credit_loss", case.order_id, lines)
        await tx.update(COMPENSATIONS, credit["cmp_id"], {"status": "loss" if lost_fen else "voided"})
        return Deed("done")

    async def take_back(self, tx: Transaction, order_id: str, account: str, amount_fen: int) -> None:
        if amount_fen:
            lines = ((account, amount_fen), ("compensation_cost", -amount_fen))
            await self.shop.ledger.post(tx, "credit_void", order_id, lines)

    def refunding(self, order: OrderRow, refund_no: str) -> Deed:
        """A refund into the wallet is done at once, any other is pursued."""
        return Deed("done" if order["pay_with"] == "wallet" else "requested", refund_no)

    # ------------------------------------------------------------ credits and refunds

    async def find_credit(self, tx: Transaction, order_id: str) -> CompensationRow | None:
        rows = await tx.select(COMPENSATIONS, {"order_id": order_id, "action": "credit_wallet"})
        return next((row for row in rows if row["status"] in ("provisional", "done")), None)

    async def credited(self, tx: Transaction, order_id: str) -> bool:
        return await self.find_credit(tx, order_id) is not None

    async def undeliverable(self, tx: Transaction, order: OrderRow) -> None:
        """A make-good that was given is the refund; there is no second one."""
        credit = await self.find_credit(tx, order["order_id"])
        if credit is None:
            await super().undeliverable(tx, order)
            return
        order_id, user, amount_fen = order["order_id"], order["user"], credit["amount_fen"]
        lines: tuple[tuple[str, int], ...] = (("suspense", amount_fen), ("compensation_cost", -amount_fen))
        if credit["status"] == "provisional":
            lines += ((f"provisional:{user}", amount_fen), (f"wallet:{user}", -amount_fen))
        await self.shop.ledger.post(tx, "credit_final", order_id, lines)
        await tx.update(COMPENSATIONS, credit["cmp_id"], {"status": "done"})
        rest_fen = order["captured_fen"] - amount_fen
        if rest_fen > 0:  # the rule has a cap: the rest goes back where it came from
            order = await self.shop.orders.transition(tx, order, "refunding", "credit is the refund in part")
            await self.shop.refunds.undelivered(tx, order, rest_fen, order["quantity"], "full")
            return
        await self.shop.orders.transition(
            tx,
            order,
            "refunded",
            "credit is the refund",
            refunded_qty=order["quantity"] - order["delivered_qty"],
        )
        await self.shop.outbox.tell(tx, user, order_id, "order_refunded", {"refunded_fen": amount_fen})

    async def refunded(self, tx: Transaction, refund: RefundRow) -> None:
        """The compensations that asked for this refund are done with it."""
        await tx.update_where(
            COMPENSATIONS,
            {
                "order_id": refund["order_id"],
                "refund_no": refund["refund_no"],
                "status": OneOf(("requested",)),
            },
            {"status": "done"},
        )


def holds(condition: Condition, case: Case) -> bool:
    """Whether one condition is true of a case."""
    return OPERATORS[condition.op](FACTS[condition.fact](case), condition.value)


def known(case: Case) -> OrderRow:
    """The case's order, for actions that make no sense without one."""
    if case.order is None:
        raise LookupError(f"{case.order_id} is not an order")
    return case.order
