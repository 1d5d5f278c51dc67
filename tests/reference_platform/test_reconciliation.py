"""Reconciliation: what only the bill knows is found, and repaired like anything else."""

from __future__ import annotations

from reference_platform.ports import Request, Unreachable
from reference_platform.tables import CHARGES, JOBS
from tests.reference_platform.floor import Floor


def expired(floor: Floor) -> str:
    order_id = floor.order()
    floor.run_for(905)
    assert floor.status(order_id) == "closed"
    return order_id


def test_a_payment_after_close_whose_callbacks_are_all_lost_is_found_in_the_bill() -> None:
    """X-09, I-32: within the half hour that K-05 promises."""
    floor = Floor()
    order_id = expired(floor)
    floor.run_for(600)
    floor.channel.pay(f"{order_id}/c1")
    floor.run_for(1750)
    assert floor.status(order_id) == "completed"


def test_without_it_nobody_ever_knows() -> None:
    """The step of the ladder that `resilient` adds."""
    floor = Floor("compensated")
    order_id = expired(floor)
    floor.channel.pay(f"{order_id}/c1")
    floor.run_for(7200)
    assert floor.status(order_id) == "closed"


def test_stray_money_is_found_and_refunded() -> None:
    """K-04 without any callback."""
    floor = Floor()
    floor.order()
    floor.channel.pay("Q-ann-1", 700)
    floor.run_for(700)
    assert floor.row(CHARGES, charge_no="Q-ann-1")["status"] == "paid"
    assert floor.channel.refunded_fen() == 700


def test_a_bill_that_cannot_be_had_is_asked_for_again_from_the_same_moment() -> None:
    """No stretch of time is skipped."""
    floor = Floor()
    order_id = expired(floor)
    floor.channel.pay(f"{order_id}/c1")
    floor.channel.script.next("bill", *[Unreachable("down")] * 3)
    floor.run_for(900)
    since = [ref for call, ref in floor.channel.script.calls if call == "bill"]
    assert max(since.count(moment) for moment in since) == 4
    assert floor.status(order_id) == "completed"


def test_it_comes_to_an_end_when_nothing_is_open() -> None:
    """Three more looks, and then silence until the next order."""
    floor = Floor()
    floor.buy()
    floor.run_for(3 * 3600)
    asked = floor.channel.script.count("bill")
    assert 3 <= asked <= 6
    assert floor.rows(JOBS) == []
    floor.run_for(24 * 3600)
    assert floor.channel.script.count("bill") == asked
    floor.order(key="k2")
    floor.run_for(700)
    assert floor.channel.script.count("bill") == asked + 1


def test_two_nodes_share_one_reconciliation() -> None:
    """One bill for the cluster, not one for each node."""
    floor = Floor(nodes=2)
    for n, node in enumerate(["platform-1", "platform-2"] * 2):
        body = {"client_key": str(n), "sku": "game-100", "quantity": 1, "pay_with": "wechat", "account": ""}
        floor.send(Request("place_order", "ann", body), node)
    assert len(floor.rows(JOBS, job="reconcile")) == 1
