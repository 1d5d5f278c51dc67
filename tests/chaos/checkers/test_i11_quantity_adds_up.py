"""I-11 on tiny histories."""

from __future__ import annotations

from tests.chaos.histories import Story


def bulk(delivered: int) -> Story:
    story = Story().place(quantity=5)
    return story.capture().apply().sell(units=delivered, refunded=5 - delivered)


def test_all_delivered() -> None:
    """5 of 5."""
    assert bulk(5).end().verdict("I-11").outcome == "holds"


def test_the_missing_units_refunded() -> None:
    """X-25: 3 delivered, 2 × 1000 fen back."""
    assert bulk(3).refund(amount_fen=2000, intent="short").end().verdict("I-11").outcome == "holds"


def test_the_missing_units_refunded_beside_an_extra_capture() -> None:
    """Money for a second capture buys no units."""
    story = bulk(3).refund(amount_fen=2000, intent="short").open_charge("O1/c2").capture("O1/c2")
    assert story.refund("O1/c2", 5000, "extra:O1/c2", n=2).end().verdict("I-11").outcome == "holds"


def test_complete_goods_with_the_extra_capture_still_open_are_complete() -> None:
    """Half of the extra money is back; the rest is I-03's, not a missing unit."""
    story = bulk(5).open_charge("O1/c2").capture("O1/c2").refund("O1/c2", 2500, "extra:O1/c2").end()
    verdict = story.verdict("I-11")
    assert (verdict.outcome, verdict.checked) == ("holds", 1)


def test_missing_units_paid_back_into_the_wallet_are_paid_back() -> None:
    """Part at the channel, part in the wallet."""
    story = bulk(3).refund(amount_fen=1000, intent="short").credit(amount_fen=1000)
    assert story.settle_credit("credit_final", amount_fen=1000).end().verdict("I-11").outcome == "holds"


def test_the_missing_money_is_counted_without_the_extra_capture() -> None:
    """Extra returned in full, 1000 of the missing 2000 as well."""
    story = bulk(3).refund(amount_fen=1000, intent="short").open_charge("O1/c2").capture("O1/c2")
    (witness,) = story.refund("O1/c2", 5000, "extra:O1/c2", n=2).end().verdict("I-11").witnesses
    assert (witness.words, witness.amount_fen) == ("short", 1000)


def test_an_order_whose_row_was_lost_is_undecided() -> None:
    """How many were ordered is not known."""
    verdict = bulk(5).state("orders", "O1", None, "revert").end().verdict("I-11")
    assert (verdict.outcome, verdict.checked) == ("unknown", 1)


def test_missing_units_violate() -> None:
    """3 delivered, the rest forgotten."""
    verdict = bulk(3).end().verdict("I-11")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.words, witness.id, witness.amount_fen) == (
        "violated",
        "short",
        "O1",
        2000,
    )
    assert (witness.data["quantity"], witness.data["units"]) == (5, 3)


def test_refunding_a_delivered_unit_violates() -> None:
    """4 delivered and 2 refunded make 6."""
    (witness,) = bulk(4).refund(amount_fen=2000).end().verdict("I-11").witnesses
    assert (witness.words, witness.amount_fen) == ("over", 1000)


def test_a_refund_on_its_way_is_undecided() -> None:
    """Accepted is not done."""
    assert bulk(3).refund(amount_fen=2000, done=False).end().verdict("I-11").outcome == "unknown"


def test_an_unpaid_order_is_not_judged() -> None:
    """Nothing was owed."""
    assert Story().place().end().verdict("I-11").checked == 0
