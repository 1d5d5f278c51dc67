"""The facts on which a compensation is decided: a closed vocabulary, from the platform's own tables.

They are computed inside the transaction that acts, with the order locked, so a fact cannot change
between the decision and the act.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final

from reference_platform.ports import SECOND, Transaction
from reference_platform.tables import (
    ATTEMPTS,
    CHARGES,
    COMPENSATIONS,
    ORDERS,
    REFUNDS,
    AttemptRow,
    ChargeRow,
    CompensationRow,
    OrderRow,
    RefundRow,
)


@dataclass(frozen=True, slots=True)
class Case:
    """Everything known of one order (or of money without one) at this moment.

    `incident` is what the moment was about: a charge, an attempt, a refund or the order itself.
    """

    order_id: str
    incident: str
    now_us: int
    disclosed_wait_us: int
    order: OrderRow | None
    charges: list[ChargeRow]
    attempts: list[AttemptRow]
    refunds: list[RefundRow]
    compensations: list[CompensationRow]

    @property
    def credit(self) -> CompensationRow | None:
        """The make-good that was given for the order."""
        return next((row for row in self.compensations if row["action"] == "credit_wallet"), None)

    @property
    def charge(self) -> ChargeRow | None:
        """The charge that the incident is about."""
        return next((row for row in self.charges if row["charge_no"] == self.incident), None)

    @property
    def attempt(self) -> AttemptRow | None:
        """The supplier attempt that the incident is about."""
        return next((row for row in self.attempts if row["attempt_no"] == self.incident), None)

    @property
    def supplier_undecided(self) -> bool:
        return any(row["status"] in ("sending", "unknown", "processing") for row in self.attempts)


async def open_case(
    tx: Transaction, order_id: str, incident: str, now_us: int, wait_us: Callable[[OrderRow], Any]
) -> Case:
    """Lock the order (or the stray charge) and read everything about it."""
    order = await tx.get(ORDERS, order_id, lock="wait")
    if order is None:
        await tx.get(CHARGES, incident, lock="wait")
    where = {"order_id": order_id}
    return Case(
        order_id=order_id,
        incident=incident,
        now_us=now_us,
        disclosed_wait_us=0 if order is None else await wait_us(order),
        order=order,
        charges=await tx.select(CHARGES, where),
        attempts=await tx.select(ATTEMPTS, where),
        refunds=await tx.select(REFUNDS, where),
        compensations=await tx.select(COMPENSATIONS, where),
    )


# ---------------------------------------------------------------- the vocabulary


def _of_order(column: str, missing: Any) -> Callable[[Case], Any]:
    return lambda case: missing if case.order is None else case.order[column]  # type: ignore[literal-required]


def _missing_qty(case: Case) -> int:
    order = case.order
    return 0 if order is None else order["quantity"] - order["delivered_qty"] - order["refunded_qty"]


def _paid_age_s(case: Case) -> int:
    order = case.order
    return 0 if order is None or not order["paid_us"] else (case.now_us - order["paid_us"]) // SECOND


def _disclosed_wait_open(case: Case) -> bool:
    order = case.order
    return order is not None and case.now_us < order["paid_us"] + case.disclosed_wait_us


def _refund_requested(case: Case) -> bool:
    """A refund of the order itself, not of an extra charge."""
    return any(row["quantity"] > 0 for row in case.refunds)


def _charge_is_extra(case: Case) -> bool:
    """This charge is paid, and the order does not live on it."""
    charge = case.charge
    if charge is None or charge["status"] != "paid" or case.order is None:
        return False
    return any(row["status"] == "paid" and row is not charge for row in case.charges)


def _charge_refunded(case: Case) -> bool:
    return any(row["charge_no"] == case.incident for row in case.refunds)


def _suspense(case: Case) -> str:
    """Why money of this incident belongs to nobody yet: held, refund_failed, unmatched, or nothing."""
    if any(row["refund_no"] == case.incident and row["status"] == "failed" for row in case.refunds):
        return "refund_failed"
    if case.order is None:
        settled = any(row["charge_no"] == case.incident and row["status"] == "done" for row in case.refunds)
        return "" if settled or case.charge is None else "unmatched"
    return "held" if case.order["status"] == "held" else ""


FACTS: Final[Mapping[str, Callable[[Case], Any]]] = {
    "order_exists": lambda case: case.order is not None,
    "order_status": _of_order("status", ""),
    "paid_with": _of_order("pay_with", ""),
    "captured_fen": _of_order("captured_fen", 0),
    "delivered_qty": _of_order("delivered_qty", 0),
    "missing_qty": _missing_qty,
    "paid_age_s": _paid_age_s,
    "disclosed_wait_open": _disclosed_wait_open,
    "supplier_undecided": lambda case: case.supplier_undecided,
    "refund_requested": _refund_requested,
    "credit_status": lambda case: "" if case.credit is None else case.credit["status"],
    "charge_paid_fen": lambda case: 0 if case.charge is None else case.charge["paid_fen"],
    "charge_is_extra": _charge_is_extra,
    "charge_refunded": _charge_refunded,
    "attempt_status": lambda case: "" if case.attempt is None else case.attempt["status"],
    "suspense": _suspense,
}

OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": eq,
    "!=": ne,
    ">": gt,
    ">=": ge,
    "<": lt,
    "<=": le,
    "in": lambda fact, value: fact in value,
    "not in": lambda fact, value: fact not in value,
}


# ---------------------------------------------------------------- amounts


def _missing_value(case: Case) -> int:
    return 0 if case.order is None else _missing_qty(case) * case.order["unit_fen"]


def _delivered_value(case: Case) -> int:
    return 0 if case.order is None else case.order["delivered_qty"] * case.order["unit_fen"]


def _suspense_fen(case: Case) -> int:
    for refund in case.refunds:
        if refund["refund_no"] == case.incident:
            return refund["amount_fen"]
    if case.order is None:
        return 0 if case.charge is None else case.charge["paid_fen"]
    return case.order["captured_fen"]


AMOUNTS: Final[Mapping[str, Callable[[Case], int]]] = {
    "captured": lambda case: 0 if case.order is None else case.order["captured_fen"],
    "charge_paid": lambda case: 0 if case.charge is None else case.charge["paid_fen"],
    "missing_value": _missing_value,
    "delivered_value": _delivered_value,
    "credit": lambda case: 0 if case.credit is None else case.credit["amount_fen"],
    "suspense": _suspense_fen,
}
