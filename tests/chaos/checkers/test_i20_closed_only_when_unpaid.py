"""I-20 on tiny histories."""

from __future__ import annotations

import pytest

from tests.chaos.histories import Story


def asked(result: str, call: str = "query") -> Story:
    return Story().place().book("CH", "answered", "O1/c1", call=call, result=result)


@pytest.mark.parametrize("result", ["NOTPAY", "CLOSED", "TRADE_NOT_EXIST", "NOT_FOUND"])
def test_closing_on_the_channels_word_holds(result: str) -> None:
    """The channel said unpaid."""
    verdict = asked(result).move("O1", "closed").verdict("I-20")
    assert (verdict.outcome, verdict.checked) == ("holds", 1)


def test_closing_after_the_channel_closed_holds() -> None:
    """The channel's own closing is its word."""
    assert (
        Story().place().book("CH", "closed", "O1/c1").move("O1", "closed").verdict("I-20").outcome == "holds"
    )


def test_an_order_that_never_closes_is_not_judged() -> None:
    """Nobody need ask the channel about an order that was paid."""
    verdict = Story().plain().end().verdict("I-20")
    assert (verdict.outcome, verdict.checked) == ("holds", 0)


def test_an_order_that_a_failover_closes_again_is_not_judged_again() -> None:
    """Taking back is no decision to close."""
    story = asked("NOTPAY").move("O1", "closed")
    closed = story.orders["O1"]
    story.capture().move("O1", "paid_late").state("orders", "O1", closed, "revert")
    story.book("CH", "answered", "O1/c1", call="query", result="SUCCESS")
    assert (story.verdict("I-20").outcome, story.verdict("I-20").checked) == ("holds", 1)


def test_a_blind_close_violates() -> None:
    """Closed by a timer, nobody asked."""
    verdict = Story().place().move("O1", "closed").verdict("I-20")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.words, witness.id, witness.amount_fen) == (
        "violated",
        "blind",
        "O1",
        1000,
    )


def test_a_blind_close_of_a_paid_order_says_so() -> None:
    """X-01: worse, because money is there."""
    (witness,) = Story().place().capture().move("O1", "closed").verdict("I-20").witnesses
    assert (witness.words, witness.amount_fen, len(witness.events)) == ("blind_paid", 1000, 2)


@pytest.mark.parametrize("result", ["ORDERPAID", "SUCCESS", "USERPAYING", "TOO_EARLY"])
def test_closing_against_the_channels_word_violates(result: str) -> None:
    """ "Already paid" means paid, and "too early" is no answer."""
    assert asked(result, "close").move("O1", "closed").verdict("I-20").witnesses[0].words == "said_paid"


def test_closing_on_a_lagging_query_of_a_paid_charge_is_the_channels_error() -> None:
    """The capture was there before the answer, but the channel's word was unpaid: the money is I-21's."""
    story = Story().place().capture().book("CH", "answered", "O1/c1", call="query", result="NOTPAY")
    assert story.move("O1", "closed").verdict("I-20").outcome == "holds"


def test_a_payment_after_the_answer_is_no_violation() -> None:
    """X-02: paid between the last query and the close is I-21's."""
    assert asked("NOTPAY").capture().move("O1", "closed").verdict("I-20").outcome == "holds"


def test_every_charge_must_be_asked_for() -> None:
    """A second charge nobody asked about."""
    story = asked("NOTPAY").open_charge("O1/c2", "alipay").move("O1", "closed")
    assert story.verdict("I-20").witnesses[0].data["charge"] == "O1/c2"


def test_an_answer_without_a_result_is_undecided() -> None:
    """What the channel said is not in the book."""
    story = Story().place().book("CH", "answered", "O1/c1", call="close", result=None)
    verdict = story.move("O1", "closed").verdict("I-20")
    assert (verdict.outcome, verdict.witnesses[0].words) == ("unknown", "answer_missing")


def test_an_order_that_stays_closed_is_judged_when_it_closed() -> None:
    """Its row may change afterwards."""
    story = Story().place().move("O1", "closed").order("O1", refunded_qty=1)
    verdict = story.verdict("I-20")
    assert (verdict.count, verdict.checked) == (1, 1)


def test_an_order_that_is_not_closed_is_not_judged() -> None:
    """However it got there."""
    assert Story().place().move("O1", "held").move("O1", "paid").verdict("I-20").checked == 0


def test_a_charge_that_never_reached_the_channel_need_not_be_asked_for() -> None:
    """The platform wrote it down and got no further."""
    story = asked("NOTPAY").charge_row("O1/c2", "insert").move("O1", "closed")
    verdict = story.verdict("I-20")
    assert (verdict.outcome, verdict.checked) == ("holds", 1)


def test_the_money_at_risk_is_what_was_paid_else_the_price() -> None:
    """A blind close over 700 fen, over nothing yet, and of an order whose price is unknown."""
    assert Story().place().capture(paid_fen=700).move("O1", "closed").verdict("I-20").amount_fen == 700
    assert Story().place().move("O1", "closed").verdict("I-20").amount_fen == 1000
