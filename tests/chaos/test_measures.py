"""What a run took: times from click to card and from capture to settlement, money at risk, cost of compensations."""

from __future__ import annotations

import pytest

from chaos.account import Account, Charge, Delivery
from chaos.books import Books
from chaos.checkers.judge import Judge
from chaos.measures import Measures, measure, rounded_up
from tests.chaos.histories import Story

S = 1_000_000


def measures(story: Story) -> Measures:
    history = story.history()
    judge = Judge(history.header)
    judge.feed_all(history.events)
    judge.finish()
    return measure(judge.books)


@pytest.mark.parametrize(
    ("us", "rounded"),
    [(0, 0), (999, 999), (1000, 1000), (1001, 1010), (123_456, 124_000), (999_999, 1_000_000), (-5, 0)],
)
def test_times_are_rounded_up_to_three_digits(us: int, rounded: int) -> None:
    """What is counted as 1.24 s took at most that."""
    assert rounded_up(us) == rounded


def test_the_time_to_the_card_begins_with_the_first_click() -> None:
    """Not with the retry that worked, nor with the order's row."""
    early = Story()
    early.invoke("u1", "place_order", client_key="key-O1", sku="card", quantity=1)
    late = Story()
    times = []
    for story in (early.wait(40 * S), late):
        took = measures(story.place("O1").pay().wait(2 * S).sell("O1"))
        assert (took.paid_orders, took.open_orders, took.undelivered, took.at_risk_end_fen) == (1, 0, 0, 0)
        times.append((*took.click_to_card, *took.time_to_settle))
    (early_card, early_settled), (late_card, late_settled) = times
    assert 40 * S <= early_card - late_card <= 42 * S
    assert early_settled == late_settled < late_card


def test_goods_that_were_taken_back_are_not_yet_there() -> None:
    """A false success undone, a sale lost in a failover: the time runs until the buyer has it all for good."""
    books = Books(Story().history().header)
    deliveries = [Delivery(1, 0, 2), Delivery(5, 1, -1), Delivery(9, 2, 1)]
    row = {"quantity": 2, "payable_fen": 200, "unit_fen": 100}
    books.accounts["O1"] = Account(
        "O1", row, clicked_us=0, moved_us=9, captures=1, captured_fen=200, units=2, deliveries=deliveries,
        charges=[Charge("O1/c1", captured_us=3)],
    )  # fmt: skip
    assert measure(books).click_to_card == {9: 1}


def test_what_was_paid_and_never_given_is_open_and_at_risk() -> None:
    """It is in no time, but it is counted."""
    took = measures(Story().place("O1").pay())
    assert (took.paid_orders, took.open_orders, took.undelivered) == (1, 1, 1)
    assert (took.click_to_card, took.time_to_settle) == ({}, {})
    assert took.at_risk_end_fen == took.at_risk_peak_fen == took.captured_fen > 0


def test_an_unpaid_order_measures_nothing() -> None:
    """Nobody waits for goods that nobody paid for."""
    assert measures(Story().place("O1")) == Measures()


def test_a_refund_settles_an_order_without_a_card() -> None:
    """The time runs until the channel has paid the money back."""
    story = Story().place("O1").pay().wait(5 * S)
    price_fen = story.orders["O1"]["payable_fen"]
    took = measures(story.refund(amount_fen=price_fen))
    assert (took.open_orders, took.undelivered, took.click_to_card, took.at_risk_end_fen) == (0, 0, {}, 0)
    (settled_us,) = took.time_to_settle
    assert settled_us >= 5 * S


def test_money_at_risk_peaks_while_orders_overlap() -> None:
    """Two orders at once are twice the risk; one after the other are not."""
    together = Story().place("O1").place("O2", "u2").pay("O1/c1").pay("O2/c1").sell("O1").sell("O2")
    apart = Story().place("O1").place("O2", "u2").pay("O1/c1").sell("O1").pay("O2/c1").sell("O2")
    assert measures(together).at_risk_peak_fen == 2 * measures(apart).at_risk_peak_fen
    assert measures(together).captured_fen == measures(apart).captured_fen


def test_a_credit_costs_until_it_is_taken_back() -> None:
    """A make-good that was voided cost nothing in the end; one that stands, or a booked loss, did."""
    story = Story().place("O1").pay()
    price_fen = story.orders["O1"]["payable_fen"]
    lines = (("compensation_cost", price_fen), ("wallet:u1", -price_fen))
    credited = story.posting("O1", "credit", *lines)
    assert measures(credited).compensation_fen == price_fen
    void = tuple((name, -amount) for name, amount in lines)
    assert measures(credited.posting("O1", "credit_void", *void)).compensation_fen == 0
