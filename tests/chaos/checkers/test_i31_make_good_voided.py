"""I-31 on tiny histories."""

from __future__ import annotations

import pytest

from tests.chaos.histories import Story


@pytest.mark.parametrize("posting", ["credit_void", "credit_loss"])
def test_a_make_good_that_was_settled_holds(posting: str) -> None:
    """K-17: voided, or booked as a loss."""
    verdict = Story().place().pay().credit().sell().settle_credit(posting).end().verdict("I-31")
    assert (verdict.outcome, verdict.checked) == ("holds", 1)


def test_part_voided_and_part_lost_holds() -> None:
    """300 were already spent."""
    story = Story().place().pay().credit().sell()
    story.settle_credit("credit_void", amount_fen=700).settle_credit("credit_loss", amount_fen=300)
    assert story.end().verdict("I-31").outcome == "holds"


def test_goods_and_make_good_violate() -> None:
    """X-38: the original succeeded after all, and the credit stayed."""
    verdict = Story().place().pay().credit().sell().end().verdict("I-31")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.id, witness.amount_fen, witness.users) == (
        "violated",
        "O1",
        1000,
        ("u1",),
    )


def test_voiding_a_part_is_not_enough() -> None:
    """300 fen stayed."""
    story = Story().place().pay().credit().sell().settle_credit("credit_void", amount_fen=700).end()
    assert story.verdict("I-31").witnesses[0].amount_fen == 300


def test_credit_for_what_never_came_may_stay() -> None:
    """Two of five delivered; credit for three is no double value."""
    story = Story().place(quantity=5).capture().apply().credit(amount_fen=3000).sell(units=2, refunded=3)
    assert story.settle_credit("credit_final", amount_fen=3000).end().verdict("I-31").outcome == "holds"


def test_an_unfinished_run_is_undecided() -> None:
    """It may still be voided."""
    assert Story().place().pay().credit().sell().verdict("I-31").outcome == "unknown"


def test_an_order_whose_row_was_lost_is_undecided() -> None:
    """What the goods were worth is not known."""
    story = Story().place().pay().credit().sell().state("orders", "O1", None, "revert").end()
    assert story.verdict("I-31").outcome == "unknown"


def test_only_orders_that_were_made_good_are_judged() -> None:
    """A refund to the wallet beside the goods is I-06's."""
    story = Story().plain().posting("O1", "wallet_refund", ("suspense", 1000), ("wallet:u1", -1000)).end()
    verdict = story.verdict("I-31")
    assert (verdict.outcome, verdict.checked) == ("holds", 0)


def test_too_much_credit_for_goods_that_never_came_is_not_double() -> None:
    """I-29 and I-30 judge the amount; goods taken back are goods that never came."""
    assert Story().place().pay().credit(amount_fen=1200).end().verdict("I-31").outcome == "holds"
    story = Story().place().pay().credit(amount_fen=1200).card("O1-card0", "sold", "O1")
    assert story.card("O1-card0", "void", "O1").end().verdict("I-31").outcome == "holds"


def test_a_single_fen_beside_the_goods_is_double() -> None:
    """999 of 1000 were taken back."""
    story = Story().place().pay().credit().sell().settle_credit("credit_void", amount_fen=999).end()
    assert story.verdict("I-31").amount_fen == 1


def test_a_single_fen_of_credit_is_judged() -> None:
    """However small the make-good was."""
    assert Story().place().pay().credit(amount_fen=1).sell().end().verdict("I-31").amount_fen == 1


def test_a_lost_row_is_named_as_the_reason_of_the_doubt() -> None:
    """Not a checker that stumbled."""
    story = Story().place().pay().credit().sell().state("orders", "O1", None, "revert").end()
    assert [doubt.words for doubt in story.verdict("I-31").witnesses] == ["row_lost"]
