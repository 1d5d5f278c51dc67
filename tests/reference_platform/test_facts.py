"""The facts of a case: small, closed, and computed from rows alone."""

from __future__ import annotations

from typing import Any

from reference_platform.facts import FACTS, Case
from reference_platform.tables import CHARGES, ORDERS
from tests.reference_platform.floor import Floor


def case(floor: Floor, order_id: str, incident: str = "", **rows: Any) -> Case:
    parts = {"charges": floor.rows(CHARGES), "attempts": [], "refunds": [], "compensations": []} | rows
    order: Any = floor.row(ORDERS, order_id=order_id)
    return Case(order_id, incident or order_id, order["created_us"], 0, order, **parts)


def refund(quantity: int, status: str = "requested") -> dict[str, Any]:
    return {"refund_no": "O/r1", "charge_no": "O/c2", "quantity": quantity, "status": status}


def test_the_refund_of_an_extra_charge_is_not_a_refund_of_the_order() -> None:
    """K-01 and K-06 are excluded by a refund of the goods, not by K-03's."""
    floor = Floor()
    order_id = floor.order()
    assert FACTS["refund_requested"](case(floor, order_id)) is False
    assert FACTS["refund_requested"](case(floor, order_id, refunds=[refund(0)])) is False
    assert FACTS["refund_requested"](case(floor, order_id, refunds=[refund(1)])) is True


def test_a_failed_refund_is_money_in_suspense() -> None:
    """K-16 asks about the refund, the held order or the stray charge that it was told of."""
    floor = Floor()
    order_id = floor.order()
    assert FACTS["suspense"](case(floor, order_id)) == ""
    assert FACTS["suspense"](case(floor, order_id, "O/r1", refunds=[refund(1, "failed")])) == "refund_failed"
    assert FACTS["suspense"](case(floor, order_id, "O/r1", refunds=[refund(1, "done")])) == ""
