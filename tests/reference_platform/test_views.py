"""What users see: their own, committed, and nothing that contradicts itself."""

from __future__ import annotations

from reference_platform.ports import DAY
from sim.clock import EPOCH_US
from tests.reference_platform.floor import CARD, VIP, Floor


def test_only_ones_own_order_can_be_seen() -> None:
    """404, as if it were not there."""
    floor = Floor()
    order_id = floor.buy()
    assert floor.ask("view_order", order_id=order_id).body["status"] == "completed"
    assert floor.ask("view_order", "bob", order_id=order_id).status == 404
    assert floor.ask("view_order", order_id="nothing").status == 404


def test_cards_are_shown_when_they_are_sold() -> None:
    """A reserved secret is nobody's yet."""
    floor = Floor()
    order_id = floor.order(quantity=2)
    assert floor.ask("view_order", order_id=order_id).body["cards"] == []
    floor.pay(order_id)
    assert floor.ask("view_order", order_id=order_id).body["cards"] == ["secret-0", "secret-1"]


def test_the_stock_shown_is_what_is_left() -> None:
    """I-10: counted, not kept; without what is reserved."""
    floor = Floor(cards=5)
    floor.order(quantity=2)
    assert floor.ask("view_product", sku=CARD).body == {"sku": CARD, "shown": 3, "unit_fen": 1000}
    assert floor.ask("view_product", sku="nothing").status == 404


def test_a_membership_is_extended_from_its_end() -> None:
    """I-16: two purchases are sixty days, however soon after each other."""
    floor = Floor()
    floor.buy(VIP, key="a")
    until_us = floor.ask("view_membership").body["until_us"]
    floor.buy(VIP, key="b")
    body = floor.ask("view_membership").body
    assert body["member"] is True
    assert body["until_us"] == until_us + 30 * DAY
    assert abs(until_us - EPOCH_US - 30 * DAY) < DAY / 1000
    assert floor.ask("view_membership", "bob").body == {"member": False, "until_us": 0}


def test_a_wallet_that_was_never_used_is_empty() -> None:
    """Not an error."""
    assert Floor().ask("view_wallet", "bob").body == {"balance_fen": 0, "provisional_fen": 0}
