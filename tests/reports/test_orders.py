"""What became of an order is read from the books alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chaos.history import Book, History, State
from reports.orders import OrderLife, clicks_us, lives, risk_by_age
from tests.reports import storms
from tests.reports.storms import MINUTE, SECOND, UNIT_FEN, OrderEvents, header


def run(*orders: OrderEvents) -> History:
    history = History(header())
    history.events = sorted((e for order in orders for e in order.events), key=lambda event: event.t_us)
    return history


def life(teller: Callable[[OrderEvents], None], quantity: int = 1) -> OrderLife:
    order = OrderEvents(1, MINUTE, quantity)
    teller(order)
    return lives(run(order))[0]


@pytest.mark.parametrize(
    ("teller", "outcome"),
    [
        (storms.plain, "delivered"),
        (storms.unpaid, "unpaid"),
        (storms.stuck, "unresolved"),
        (storms.doubled, "over"),
        (storms.returned, "returned"),
    ],
)
def test_each_course_of_an_order_has_its_outcome(teller: Callable[[OrderEvents], None], outcome: str) -> None:
    """The outcome follows from captures, refunds and cards."""
    assert life(teller).outcome() == outcome


def test_the_platform_saying_completed_delivers_nothing() -> None:
    """A status is a claim; without a card the money is still at risk."""

    def claimed(order: OrderEvents) -> None:
        order.place()
        order.pay(order.click_us + SECOND)
        order.move(order.click_us + 2 * SECOND, "completed")

    assert life(claimed).outcome() == "unresolved"


def test_click_is_the_first_try_with_the_same_key() -> None:
    """Who clicks again after a lost answer has waited since the first click."""
    order = OrderEvents(1, MINUTE)
    storms.plain(order)
    again = OrderEvents(1, MINUTE + 5 * SECOND)
    again.place()
    history = run(order, again)
    assert lives(history)[0].clicked_us == MINUTE
    assert clicks_us(history) == [MINUTE]


def test_delivered_when_the_last_unit_arrives() -> None:
    """Two of three cards are not the order."""

    def slow(order: OrderEvents) -> None:
        order.place()
        order.pay(order.click_us + SECOND)
        for number in (1, 2, 3):
            order.card(order.click_us + number * MINUTE, number)

    assert life(slow, 3).delivered_us() == MINUTE + 3 * MINUTE


def test_short_delivery_with_the_rest_refunded_is_settled() -> None:
    """Two cards and the price of the third: nothing is left at risk."""

    def short(order: OrderEvents) -> None:
        order.place()
        order.pay(order.click_us + SECOND)
        order.card(order.click_us + MINUTE, 1)
        order.card(order.click_us + MINUTE, 2)
        order.refund(order.click_us + 3 * MINUTE, UNIT_FEN)

    short_life = life(short, 3)
    assert [fen for _, fen in short_life.at_risk()] == [3 * UNIT_FEN, UNIT_FEN, 0]
    assert short_life.outcome() == "returned"


def test_a_card_lost_in_a_failover_is_not_delivered() -> None:
    """A reverted commit takes the card back."""

    def failed_over(order: OrderEvents) -> None:
        storms.plain(order)
        row = {"card_id": "card-0001-1", "status": "available", "order_id": ""}
        order.state(order.click_us + 20 * MINUTE, "STK", "cards", "card-0001-1", row, op="revert")

    assert life(failed_over).outcome() == "unresolved"


def posting(name: str, lines: list[tuple[str, int]]) -> Callable[[OrderEvents, int], None]:
    def post(order: OrderEvents, t_us: int) -> None:
        key = f"{order.order_id}-{name}"
        row = {"posting_id": key, "posting": name, "order_id": order.order_id, "lines": lines}
        order.state(t_us, "GL", "postings", key, row)

    return post


def test_credit_in_the_wallet_returns_the_money_and_a_void_takes_it_back() -> None:
    """K-01 then K-17: risk ends with the credit, and with the void it is the goods that cover it."""

    def made_good(order: OrderEvents) -> None:
        order.place()
        order.pay(order.click_us + SECOND)
        credit = [("compensation_cost", UNIT_FEN), (f"wallet:{order.user}", -UNIT_FEN)]
        posting("credit", credit)(order, order.click_us + 5 * MINUTE)
        order.card(order.click_us + 20 * MINUTE)
        void = [(f"wallet:{order.user}", UNIT_FEN), ("compensation_cost", -UNIT_FEN)]
        posting("credit_void", void)(order, order.click_us + 21 * MINUTE)

    made = life(made_good)
    assert [fen for _, fen in made.at_risk()] == [UNIT_FEN, 0, 0, 0]
    assert made.outcome() == "delivered"


def test_a_provisional_credit_cannot_be_spent_so_the_risk_stays() -> None:
    """Money that cannot be spent yet is not back."""

    def provisional(order: OrderEvents) -> None:
        order.place()
        order.pay(order.click_us + SECOND)
        credit = [("compensation_cost", UNIT_FEN), (f"provisional:{order.user}", -UNIT_FEN)]
        posting("credit", credit)(order, order.click_us + 5 * MINUTE)

    assert life(provisional).outcome() == "unresolved"


def test_a_wallet_payment_is_a_capture() -> None:
    """Who pays from the wallet has paid."""

    def from_wallet(order: OrderEvents) -> None:
        order.place()
        paid = [(f"wallet:{order.user}", UNIT_FEN), ("suspense", -UNIT_FEN)]
        posting("wallet_payment", paid)(order, order.click_us + SECOND)

    assert life(from_wallet).captured == [(MINUTE + SECOND, UNIT_FEN)]


def test_a_booked_loss_is_not_given_too_much() -> None:
    """Double value that finance has approved is no finding."""

    def approved(order: OrderEvents) -> None:
        storms.plain(order)
        credit = [("compensation_cost", UNIT_FEN), (f"wallet:{order.user}", -UNIT_FEN)]
        posting("credit", credit)(order, order.click_us + 5 * MINUTE)

    def booked(order: OrderEvents) -> None:
        approved(order)
        loss = [("platform_loss", UNIT_FEN), ("compensation_cost", -UNIT_FEN)]
        posting("credit_loss", loss)(order, order.click_us + 6 * MINUTE)

    assert life(approved).outcome() == "over"
    assert life(booked).outcome() == "delivered"


def test_money_without_an_order_is_at_risk_too() -> None:
    """A payment on the static code belongs to no order and to the sums all the same."""
    history = History(header())
    history.events = [
        Book(MINUTE, "CH", "captured", "Q-m1-1", {"channel": "wechat", "paid_fen": 700, "payer": "m1"})
    ]
    stray = lives(history)[0]
    assert (stray.order_id, stray.outcome(), stray.start_us()) == ("Q-m1-1", "unresolved", MINUTE)


def test_a_supplier_delivery_counts_its_quantity() -> None:
    """Top-ups are delivered by the supplier's book."""

    def topped_up(order: OrderEvents) -> None:
        order.place()
        order.pay(order.click_us + SECOND)
        data = {"supplier": "alpha", "account": "138", "quantity": 2, "cost_fen": 10}
        order.events.append(
            Book(order.click_us + 4 * SECOND, "SUP", "delivered", f"{order.order_id}/s1", data)
        )

    assert life(topped_up, 2).outcome() == "delivered"


def test_money_at_risk_moves_through_the_ages() -> None:
    """Captured at 1:12, never given back: fresh, then over five minutes, then over thirty."""
    series = risk_by_age([life(storms.stuck)], 60 * MINUTE)
    captured = MINUTE + 12 * SECOND
    assert series == [
        (captured, (UNIT_FEN, 0, 0)),
        (captured + 5 * MINUTE, (0, UNIT_FEN, 0)),
        (captured + 30 * MINUTE, (0, 0, UNIT_FEN)),
        (60 * MINUTE + 1, (0, 0, 0)),
    ]


def test_an_order_lost_in_a_failover_keeps_what_the_channel_booked() -> None:
    """The platform forgets the order, the channel does not forget the money."""
    order = OrderEvents(1, MINUTE)
    storms.stuck(order)
    order.events.append(
        State(21 * MINUTE, 999, "platform-2", "ORD", "orders", "revert", order.order_id, None)
    )
    assert lives(run(order))[0].outcome() == "unresolved"
