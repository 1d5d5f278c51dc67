"""Refunds: one intent, one number; accepted is not done."""

from __future__ import annotations

from reference_platform.ports import Rejected, Request, Response, SupplierReply
from reference_platform.tables import CARDS, REFUNDS, TICKETS
from tests.reference_platform.floor import CARD, TOPUP, Floor
from tests.reference_platform.scripted import UNKNOWN

FAIL = SupplierReply("fail")


def failing() -> tuple[Floor, str]:
    """A shop whose only supplier fails, and a paid top-up that is therefore refunded."""
    floor = Floor(suppliers=("alpha",))
    floor.alpha.script.next("submit", FAIL)
    return floor, floor.order(TOPUP)


def test_accepted_is_not_done() -> None:
    """The order is refunded when the channel says that the money is back."""
    floor, order_id = failing()
    floor.channel.script.next("query_refund", "PROCESSING")
    floor.pay(order_id)
    floor.run_for(30)
    assert floor.row(REFUNDS)["status"] == "accepted"
    assert floor.status(order_id) == "refunding"
    assert floor.balance("suspense") == -500
    floor.run_for(60)
    assert floor.row(REFUNDS)["status"] == "done"
    assert floor.status(order_id) == "refunded"
    assert floor.balance("suspense") == 0


def test_an_unknown_refund_is_asked_for_again_under_the_same_number() -> None:
    """X-19, I-05: a new number would pay twice; repeats are a minute apart."""
    floor, order_id = failing()
    floor.channel.script.next("refund", UNKNOWN, UNKNOWN)
    floor.pay(order_id)
    floor.run_for(50)
    assert floor.channel.script.count("refund") == 1
    floor.run_for(150)
    assert [ref for call, ref in floor.channel.script.calls if call == "refund"] == [f"{order_id}/r1"] * 3
    assert floor.status(order_id) == "refunded"


def test_too_often_is_tried_again_later() -> None:
    """A channel takes refunds of one charge at least a minute apart."""
    floor, order_id = failing()
    floor.channel.script.next("refund", Rejected("FREQUENCY_LIMITED"))
    floor.pay(order_id)
    floor.run_for(120)
    assert floor.status(order_id) == "refunded"


def test_an_abnormal_refund_is_a_ticket_and_finance_can_retry_it() -> None:
    """The channel will not pay: people look, and the same number is tried again."""
    floor, order_id = failing()
    floor.channel.script.next("query_refund", "ABNORMAL")
    floor.pay(order_id)
    floor.run_for(60)
    ticket = floor.row(TICKETS)
    assert (ticket["reason"], ticket["team"]) == ("refund_failed", "finance+engineering")
    assert floor.status(order_id) == "refunding"
    assert floor.ask("admin.tickets").body["tickets"][0]["ticket_id"] == ticket["ticket_id"]
    floor.ask("admin.resolve_ticket", ticket_id=ticket["ticket_id"])
    floor.run_for(60)
    assert floor.status(order_id) == "refunded"
    assert floor.ask("admin.tickets").body["tickets"] == []
    assert len(floor.channel.refunds) == 1


def test_a_refused_refund_is_a_ticket() -> None:
    """An error code that waiting does not cure."""
    floor, order_id = failing()
    floor.channel.script.next("refund", Rejected("TRADE_OVERDUE"))
    floor.pay(order_id)
    floor.run_for(60)
    assert floor.row(REFUNDS)["status"] == "failed"
    assert floor.row(TICKETS)["reason"] == "refund_failed"


def test_a_refund_notice_makes_us_look_at_once() -> None:
    """It names the charge only, so it is a hint and not a proof."""
    floor, order_id = failing()
    floor.channel.script.next("query_refund", "PROCESSING")
    floor.pay(order_id)
    floor.run_for(25)
    assert floor.status(order_id) == "refunding"
    floor.send(floor.channel.notice(f"{order_id}/c1", "n2", event="REFUND"))
    floor.run_for(1)
    assert floor.status(order_id) == "refunded"


def test_a_user_may_not_have_back_what_was_delivered() -> None:
    """409, and nothing happens; nor for another's order, nor for an unpaid one."""
    floor = Floor()
    paid, unpaid = floor.buy(), floor.order(key="k2")
    assert floor.ask("request_refund", order_id=paid).body["error"] == "not_refundable"
    assert floor.ask("request_refund", order_id=unpaid).status == 409
    assert floor.ask("request_refund", "bob", order_id=paid).status == 404
    assert floor.rows(REFUNDS) == []


def test_no_refund_while_a_supplier_may_still_deliver() -> None:
    """X-41, I-14: first find out, then pay back."""
    floor = Floor()
    floor.alpha.script.next("submit", UNKNOWN)
    order_id = floor.buy(TOPUP)
    floor.run_for(1)
    assert floor.ask("request_refund", order_id=order_id).body["error"] == "supplier_pending"


def test_a_refund_and_a_delivery_never_both_happen() -> None:
    """X-41, I-06: whoever locks the order first decides."""
    for after_us in range(0, 6000, 400):
        floor = Floor(nodes=2)
        order_id = floor.order(TOPUP)
        answers: list[Response] = []
        floor.send(floor.channel.pay(f"{order_id}/c1"), "platform-1")
        floor.run_for(after_us / 1_000_000)
        floor.send_later(Request("request_refund", "ann", {"order_id": order_id}), answers, "platform-2")
        floor.run_for(200)
        refunded = bool(floor.channel.refunds)
        assert refunded != bool(floor.alpha.delivered), after_us
        assert floor.status(order_id) == ("refunded" if refunded else "completed")


def test_held_money_goes_back_when_finance_says_so() -> None:
    """K-16's ticket: the wrong amount is refunded as it came, and the cards are free again."""
    floor = Floor()
    order_id = floor.order(CARD)
    floor.pay(order_id, paid_fen=999)
    floor.run_for(1801)
    ticket = floor.row(TICKETS)
    assert (ticket["reason"], ticket["ref"]) == ("held", order_id)
    floor.ask("admin.resolve_ticket", ticket_id=ticket["ticket_id"])
    floor.run_for(60)
    assert floor.path(order_id) == ["created", "held", "refunding", "refunded"]
    assert floor.channel.refunds[f"{order_id}/r1"][1] == 999
    assert floor.rows(CARDS, order_id=order_id) == []
    assert floor.balance("suspense") == 0


def test_a_ticket_is_resolved_once() -> None:
    """Two clerks, one refund."""
    floor = Floor()
    order_id = floor.order(CARD)
    floor.pay(order_id, paid_fen=999)
    floor.run_for(1801)
    ticket_id = floor.row(TICKETS)["ticket_id"]
    assert floor.ask("admin.resolve_ticket", ticket_id=ticket_id).body["done"] == "refunded"
    assert floor.ask("admin.resolve_ticket", ticket_id=ticket_id).body["done"] == "nothing"
    assert floor.ask("admin.resolve_ticket", ticket_id="none").status == 404
