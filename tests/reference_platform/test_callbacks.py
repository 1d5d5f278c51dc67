"""Callbacks: n deliveries have the effect of one, forgeries have none, an ack means remembered."""

from __future__ import annotations

from typing import Any

import pytest

from reference_platform.ports import Request, Response, Unreachable
from reference_platform.tables import CARDS, CHARGES, INBOX, ORDERS, POSTINGS
from tests.reference_platform.floor import CARD, Floor


def test_a_payment_delivers_and_is_acknowledged() -> None:
    """Capture, goods and inbox row are one transaction; the ack comes after it, in both channels' ways."""
    floor = Floor()
    order_id = floor.order(quantity=2)
    answer = floor.pay(order_id)
    assert (answer.status, answer.raw) == (200, b"success")
    assert floor.row(INBOX)["status"] == "processed"
    assert floor.path(order_id) == ["created", "paid", "completed"]
    assert floor.balance("revenue") == -2000


def test_two_callbacks_within_a_millisecond_have_the_effect_of_one() -> None:
    """X-06, I-23: the rival waits for the row and finds nothing to do; both get a success ack."""
    floor = Floor(nodes=2)
    order_id = floor.order()
    callback = floor.channel.pay(f"{order_id}/c1")
    answers: list[Response] = []
    floor.send_later(callback, answers, "platform-1")
    floor.send_later(callback, answers, "platform-2")
    floor.run_for(1)
    assert [answer.status for answer in answers] == [200, 200]
    assert len(floor.rows(CARDS, status="sold")) == 1
    assert len(floor.rows(POSTINGS, posting="capture")) == 1


def test_notices_of_one_capture_under_different_ids_count_once() -> None:
    """A channel may tell of one payment in two notices."""
    floor = Floor()
    order_id = floor.buy()
    assert floor.send(floor.channel.notice(f"{order_id}/c1", "n2")).status == 200
    assert len(floor.rows(INBOX)) == 2
    assert len(floor.rows(POSTINGS, posting="capture")) == 1


@pytest.mark.parametrize(
    ("forgery", "status"),
    [
        ({"app_id": "other-app"}, 403),
        ({"paid_fen": 1}, 503),
        ({}, 503),
    ],
    ids=["app", "amount", "unpaid"],
)
def test_a_notice_that_the_channel_does_not_confirm_has_no_effect(
    forgery: dict[str, Any], status: int
) -> None:
    """X-13, X-14: however well it is signed, the channel's own answer decides."""
    floor = Floor()
    order_id = floor.order()
    assert floor.send(floor.channel.notice(f"{order_id}/c1", **forgery)).status == status
    assert floor.status(order_id) == "created"
    assert floor.rows(INBOX) == []
    assert floor.rows(POSTINGS) == []


def test_a_bad_signature_is_refused_for_good() -> None:
    """Nobody signed these bytes."""
    floor = Floor()
    order_id = floor.order()
    forged = floor.channel.notice(f"{order_id}/c1")
    forged.raw = b"forged"
    assert floor.send(forged).status == 401
    assert floor.rows(INBOX) == []


def test_a_notice_for_a_charge_nobody_has_heard_of_has_no_effect() -> None:
    """An unknown charge number is first of all a question to the channel."""
    floor = Floor()
    assert floor.send(floor.channel.notice("Q-1", paid_fen=100)).status == 503
    assert floor.rows(CHARGES) == []


def test_no_ack_while_the_channel_cannot_confirm() -> None:
    """The notice is sent again later; then it counts."""
    floor = Floor()
    order_id = floor.order()
    callback = floor.channel.pay(f"{order_id}/c1")
    floor.channel.script.next("query", Unreachable("partition"))
    assert floor.send(callback).status == 503
    assert floor.status(order_id) == "created"
    assert floor.send(callback).status == 200
    assert floor.status(order_id) == "completed"


def test_a_crash_right_after_the_commit_is_harmless() -> None:
    """X-11, I-24: what was committed is found by the repeated notice, which changes nothing."""
    floor = Floor()
    order_id = floor.order()
    callback = floor.channel.pay(f"{order_id}/c1")
    answers: list[Response] = []
    before = floor.commits
    floor.send_later(callback, answers)
    while floor.commits == before:
        floor.run_for(0.0001)
    floor.nodes["platform-1"].crash()
    floor.nodes["platform-1"].restart()
    assert floor.send(callback).status == 200
    assert len(floor.rows(CARDS, status="sold")) == 1


def test_a_stale_success_after_a_full_refund_revives_nothing() -> None:
    """X-18, I-25: the charge is known to be paid, whatever comes again."""
    floor = Floor(suppliers=("alpha",))
    floor.alpha.script.next("submit", Unreachable("down"))
    order_id = floor.buy("phone-50")
    floor.run_for(120)
    assert floor.status(order_id) == "refunded"
    assert floor.send(floor.channel.notice(f"{order_id}/c1", "n9")).status == 200
    assert floor.status(order_id) == "refunded"


def test_a_wrong_amount_is_held_and_never_fulfilled() -> None:
    """X-12, I-04: the money goes to suspense and the order waits for finance."""
    floor = Floor()
    order_id = floor.order()
    assert floor.pay(order_id, paid_fen=999).status == 200
    assert floor.status(order_id) == "held"
    assert floor.balance("suspense") == -999
    assert floor.rows(CARDS, status="sold") == []


def test_callbacks_for_strange_parties_are_refused() -> None:
    """Only channels and suppliers we have an account with."""
    floor = Floor()
    assert floor.send(Request("callback.stripe")).status == 404
    assert floor.send(Request("callback.supplier.nobody")).status == 404


def test_naive_gives_a_card_for_each_callback() -> None:
    """X-32: what the inbox is for."""
    floor = Floor("naive")
    order_id = floor.buy()
    floor.send(floor.channel.notice(f"{order_id}/c1"))
    assert len(floor.rows(CARDS, order_id=order_id)) == 2
    assert floor.row(ORDERS)["sku"] == CARD


def test_an_inbox_alone_stops_that() -> None:
    """The first remedy of the ladder."""
    floor = Floor("callback_idempotent")
    order_id = floor.buy()
    floor.run_for(1)
    floor.send(floor.channel.notice(f"{order_id}/c1"))
    floor.run_for(1)
    assert len(floor.rows(CARDS, order_id=order_id)) == 1
    assert floor.status(order_id) == "completed"
