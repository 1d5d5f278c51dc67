"""Two runs side by side, by meaning: times, transaction numbers and the order of ids mean nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chaos.history import Header, History
from chaos.shrink.difference import compare, steps_apart
from chaos.shrink.spoken import spoken

Tell = Callable[[History], None]


def told(*steps: Tell, every_us: int = 1_000, tx: int = 1) -> History:
    now = [0]
    history = History(Header(1, "0", "s", "d", 1, 1, 2, 3), lambda: now[0])
    for number, step in enumerate(steps):
        now[0] += every_us
        history.tx = tx + number  # type: ignore[attr-defined]
        step(history)
    return history


def orders(history: History) -> None:
    history.invoke("u0", "place_order", {"quantity": 1, "sku": "game-100", "pay_with": "wechat"})


def captured(history: History) -> None:
    history.book("CH", "captured", "order-u0-k0/c1", {"channel": "wechat", "paid_fen": 9800})


def struck(history: History) -> None:
    history.fault("channel.callback_loss", "touch", "0/channel.callback_loss/wechat/order-u0-k0/c1", {})


def card(status: str) -> Tell:
    def tell(history: History) -> None:
        row = {"status": status, "order_id": "order-u0-k0"}
        history.state(history.tx, "platform-1", "STK", "cards", "update", "game-100#1", row)  # type: ignore[attr-defined]

    return tell


def looks(status: str) -> Tell:
    return lambda history: history.ok(1, "u0", "view_order", {"order_id": "order-u0-k0", "status": status})


def test_the_first_step_that_differs_is_shown_beside_what_the_other_run_did() -> None:
    """The failing run sells the card at once, the passing one reserves it first."""
    failing = told(orders, captured, card("sold"))
    passing = told(orders, captured, card("reserved"), card("sold"), every_us=700, tx=9)
    difference = compare(failing, passing, "en")
    assert difference is not None
    assert difference.same == 2
    assert [said.lane for said in difference.shared] == ["user", "channel"]
    left, right = difference.rows[0]
    assert left is None or "sold" in left.text
    assert right is not None
    assert "reserved" in right.text


def test_times_transactions_faults_and_repeated_looks_are_no_difference() -> None:
    """Only what happened counts; who looks three times sees the same thing once."""
    failing = told(orders, struck, captured, looks("paid"), looks("paid"), card("sold"))
    passing = told(orders, captured, looks("paid"), card("sold"), every_us=10, tx=77)
    assert compare(failing, passing, "en") is None
    assert steps_apart(failing, passing) == 0


def test_a_step_that_only_came_later_is_a_difference_when_nothing_else_is() -> None:
    """The same goods, an hour late: the step is named with both times."""
    failing = told(orders, captured, card("sold"), every_us=1_800_000_000)
    passing = told(orders, captured, card("sold"))
    difference = compare(failing, passing, "en")
    assert difference is not None
    assert difference.same == 0
    left, right = difference.rows[0]
    assert left is not None
    assert right is not None
    assert left.text == right.text
    assert left.t_us - right.t_us >= 1_000_000


def test_steps_apart_counts_what_one_did_and_the_other_did_not() -> None:
    """The measure of nearness."""
    assert steps_apart(told(orders, captured, card("sold")), told(orders)) == 2
    assert steps_apart(told(orders), told(orders)) == 0


def test_a_long_difference_is_cut_and_counted() -> None:
    """Ten rows are read, a hundred are not."""
    failing = told(orders, *[card(str(number)) for number in range(40)])
    difference = compare(failing, told(orders), "en")
    assert difference is not None
    assert (len(difference.rows), difference.left_out) == (10, 30)


@pytest.mark.parametrize(
    ("lang", "words"), [("en", "u0 orders 1 × game-100"), ("zh", "u0 下单 1 件 game-100")]
)
def test_steps_are_told_in_words_of_both_languages(lang: str, words: str) -> None:
    """A reader of either language understands them."""
    (said,) = spoken(told(orders), lang)
    assert words in said.text
