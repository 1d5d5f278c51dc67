"""Active query and close: the channel is asked, not waited for."""

from __future__ import annotations

from reference_platform.ports import ChargeState, Rejected, Unreachable
from reference_platform.tables import CARDS, CHARGES, JOBS
from tests.reference_platform.floor import Floor
from tests.reference_platform.scripted import UNKNOWN


def test_a_capture_is_known_within_the_minute_without_any_callback() -> None:
    """X-09: every callback lost."""
    floor = Floor()
    order_id = floor.order()
    floor.run_for(10)
    floor.channel.pay(f"{order_id}/c1")
    floor.run_for(27)
    assert floor.status(order_id) == "completed"


def test_a_capture_at_any_age_is_known_within_a_minute_and_a_bit() -> None:
    """The five-minute promise leaves little time: looks are at most a minute apart."""
    for paid_at_s in (25, 60, 130, 250, 490, 730):
        floor = Floor()
        order_id = floor.order()
        floor.run_for(paid_at_s)
        floor.channel.pay(f"{order_id}/c1")
        floor.run_for(62)
        assert floor.status(order_id) == "completed", paid_at_s


def test_an_unpaid_order_is_closed_with_the_channel_and_gives_its_cards_back() -> None:
    """I-12, I-20: closing, close at the channel, closed, released."""
    floor = Floor()
    order_id = floor.order(quantity=2)
    floor.run_for(901)
    assert floor.path(order_id) == ["created", "closing", "closed"]
    assert floor.channel.charges[f"{order_id}/c1"]["status"] == "CLOSED"
    assert floor.row(CHARGES)["status"] == "closed"
    assert len(floor.rows(CARDS, status="available")) == 5
    assert "order_closed" in floor.notices.topics()
    assert floor.rows(JOBS, job="unpaid") == []


def test_paid_between_the_last_query_and_the_close() -> None:
    """X-02: close answers ORDERPAID, and that means paid."""
    floor = Floor()
    order_id = floor.order()
    floor.run_for(899)
    floor.channel.pay(f"{order_id}/c1")
    floor.run_for(3)
    assert floor.path(order_id) == ["created", "closing", "paid", "completed"]


def test_never_closed_without_the_channels_word() -> None:
    """I-20: a partition is no answer; the order stays in closing until there is one."""
    floor = Floor()
    order_id = floor.order()
    floor.run_for(890)
    floor.channel.script.next("close", *[Unreachable("partition")] * 3, UNKNOWN)
    floor.run_for(60)
    assert floor.status(order_id) == "closing"
    floor.run_for(120)
    assert floor.status(order_id) == "closed"


def test_too_early_to_close_is_tried_again() -> None:
    """A channel closes no charge younger than five minutes."""
    floor = Floor()
    order_id = floor.order()
    floor.run_for(890)
    floor.channel.script.next("close", Rejected("TOO_EARLY"))
    floor.run_for(30)
    assert floor.status(order_id) == "closing"
    floor.run_for(30)
    assert floor.status(order_id) == "closed"


def test_no_such_trade_is_checked_by_a_query() -> None:
    """X-03: a code that nobody scanned; the query's word that it is unpaid is enough to close."""
    floor = Floor()
    order_id = floor.order()
    floor.run_for(890)
    floor.channel.script.next("close", Rejected("TRADE_NOT_EXIST"))
    floor.channel.script.next("query", ChargeState("NOTPAY"))
    floor.run_for(20)
    assert floor.status(order_id) == "closed"


def test_paid_says_the_close_and_unpaid_says_the_query() -> None:
    """A query may lag behind: with ORDERPAID on the table nothing is closed."""
    floor = Floor()
    order_id = floor.order()
    floor.run_for(899)
    floor.channel.pay(f"{order_id}/c1")
    floor.channel.script.next("query", ChargeState("NOTPAY"))
    floor.run_for(3)
    assert floor.status(order_id) == "closing"
    floor.run_for(60)
    assert floor.status(order_id) == "completed"


def test_other_charges_of_a_paid_order_are_closed() -> None:
    """X-15: what is still open could be paid a second time."""
    floor = Floor()
    order_id = floor.order()
    floor.ask("new_charge", order_id=order_id, channel="alipay")
    floor.pay(order_id)
    floor.run_for(250)
    assert floor.channels["alipay"].charges[f"{order_id}/c2"]["status"] == "CLOSED"
    assert sorted(row["status"] for row in floor.rows(CHARGES)) == ["closed", "paid"]


def test_an_expiry_survives_a_crash() -> None:
    """The timer is a row, not a thread."""
    floor = Floor()
    order_id = floor.order()
    floor.nodes["platform-1"].crash()
    floor.run_for(100)
    floor.nodes["platform-1"].restart()
    floor.run_for(900)
    assert floor.status(order_id) == "closed"


def test_another_node_takes_over_from_a_dead_one() -> None:
    """The watch goes on when the node that took the order never comes back."""
    floor = Floor(nodes=2)
    order_id = floor.order()
    floor.run_for(1)
    floor.nodes["platform-1"].crash()
    floor.channel.pay(f"{order_id}/c1")
    floor.run_for(60)
    assert floor.status(order_id) == "completed"


def test_naive_closes_blindly_and_turns_the_late_callback_away() -> None:
    """What the channel would have said was never asked."""
    floor = Floor("naive")
    order_id = floor.order()
    floor.run_for(899.99)
    callback = floor.channel.pay(f"{order_id}/c1")
    floor.run_for(1)
    assert floor.status(order_id) == "closed"
    assert floor.send(callback).status == 409
