"""I-25 on tiny histories."""

from __future__ import annotations

import pytest

from tests.chaos.histories import Story


def test_final_states_that_fit_the_facts_hold() -> None:
    """delivered: completed; refunded: refunded; never paid: closed."""
    story = Story().plain("O1")
    story.place("O2").pay("O2/c1").move("O2", "refunding").refund("O2/c1").move("O2", "refunded")
    verdict = story.place("O3").move("O3", "closed").end().verdict("I-25")
    assert (verdict.outcome, verdict.checked) == ("holds", 3)


def test_a_stale_success_that_revives_a_refunded_order_violates() -> None:
    """X-18."""
    story = Story().place().pay().move("O1", "refunding").refund().move("O1", "refunded").move("O1", "paid")
    verdict = story.end().verdict("I-25")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.words, witness.id, witness.amount_fen) == (
        "violated",
        "refunded",
        "O1",
        1000,
    )
    assert witness.data["status"] == "paid"


def test_a_closed_order_that_was_paid_violates() -> None:
    """The callback came last, and was dropped."""
    (witness,) = Story().place().capture().move("O1", "closed").end().verdict("I-25").witnesses
    assert (witness.words, witness.data["status"], witness.amount_fen) == ("paid", "closed", 1000)


@pytest.mark.parametrize("status", ["paid", "refunded"])
def test_a_delivered_order_that_does_not_say_so_violates(status: str) -> None:
    """The goods are out."""
    story = Story().place().pay().card("O1-card0", "sold", "O1")
    if status != "paid":
        story.move("O1", status)
    assert story.end().verdict("I-25").witnesses[0].words == "delivered"


def test_an_order_completed_without_money_violates() -> None:
    """Never paid, yet completed."""
    assert Story().place().move("O1", "completed").end().verdict("I-25").witnesses[0].words == "never_paid"


def test_a_false_success_refunded_after_completion_holds() -> None:
    """Refunds after completion do not change the status."""
    story = Story().place(sku="topup").pay().move("O1", "completed").refund(amount_fen=3000).end()
    assert story.verdict("I-25").outcome == "holds"


def test_a_refund_on_its_way_is_undecided() -> None:
    """The last fact is not in yet."""
    assert Story().place().pay().refund(done=False).end().verdict("I-25").outcome == "unknown"
