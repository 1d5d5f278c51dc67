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


FITTING = {
    "never_paid": ("created", "closing", "closed"),
    "paid": ("paid", "paid_late", "fulfilling", "held", "refunding"),
    "delivered": ("completed",),
    "refunded": ("refunded",),
}
STATES = [status for states in FITTING.values() for status in states]


@pytest.mark.parametrize("fact", FITTING)
@pytest.mark.parametrize("status", STATES)
def test_each_fact_has_its_own_final_states(fact: str, status: str) -> None:
    """Four things can have become of the money; every other state contradicts them."""
    story = Story().place()
    if fact != "never_paid":
        story.capture()
    if fact == "delivered":
        story.card("O1-card0", "sold", "O1")
    if fact == "refunded":
        story.refund()
    verdict = story.order("O1", status=status).end().verdict("I-25")
    assert [witness.words for witness in verdict.witnesses] == ([] if status in FITTING[fact] else [fact])


def test_completing_an_order_whose_money_had_all_gone_back_revives_it() -> None:
    """X-18 without the goods: refunded in full, then a stale success. Half of it back is no reason yet."""
    revived = Story().place(sku="topup").pay().refund(amount_fen=3000).move("O1", "completed").end()
    assert [witness.words for witness in revived.verdict("I-25").witnesses] == ["refunded"]
    story = Story().place(sku="topup").pay().refund(amount_fen=1000, intent="part")
    story.move("O1", "completed").refund(amount_fen=2000, n=2).end()
    assert story.verdict("I-25").outcome == "holds"


def test_goods_that_were_delivered_and_refunded_may_say_either() -> None:
    """I-06 judges that it was both; to the fen, or it is still a delivery."""
    for status, back_fen, outcome in (
        ("refunded", 1000, "holds"), ("completed", 1000, "holds"), ("refunded", 999, "violated"),
        ("paid", 1000, "violated"),
    ):  # fmt: skip
        story = Story().plain().refund(amount_fen=back_fen).order("O1", status=status)
        assert story.end().verdict("I-25").outcome == outcome


def test_money_back_in_the_wallet_is_money_back() -> None:
    """Credited for good: the order is refunded, not paid; and completed only if it had been."""
    story = Story().place().pay().credit().settle_credit("credit_final").move("O1", "refunded").end()
    assert story.verdict("I-25").outcome == "holds"
    story = Story().place().pay().refund().order("O1", refunded_qty=1).end()
    assert [witness.words for witness in story.verdict("I-25").witnesses] == ["refunded"]


def test_an_order_without_a_row_has_no_state_to_be_wrong() -> None:
    """Its money is I-01's; a refund on its way is told once."""
    story = Story().book("CH", "captured", "O9/c1", paid_fen=5, payer="u1").end()
    assert (story.verdict("I-25").outcome, story.verdict("I-25").checked) == ("holds", 0)
    verdict = Story().place().pay().refund(done=False).move("O1", "completed").end().verdict("I-25")
    assert (verdict.outcome, verdict.count) == ("unknown", 1)


def test_the_money_at_risk_is_what_was_paid_else_the_price() -> None:
    """700 fen captured of 1000; of another order nothing."""
    assert Story().place().capture(paid_fen=700).end().verdict("I-25").amount_fen == 700
    assert Story().place().move("O1", "completed").end().verdict("I-25").amount_fen == 1000
