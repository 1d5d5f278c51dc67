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


def test_an_order_that_nobody_paid_is_not_counted() -> None:
    """Nor is money for an order that never was: I-01 has it."""
    assert Story().place().end().verdict("I-11").checked == 0
    orphan = Story().book("CH", "captured", "O9/c1", paid_fen=5, payer="u1").end()
    assert (orphan.verdict("I-11").outcome, orphan.verdict("I-11").checked) == ("holds", 0)


def test_a_wrong_amount_is_not_counted_however_much_was_asked_for() -> None:
    """Held, and neither delivered nor given back: I-01's."""
    verdict = Story().place().capture(paid_fen=999).end().verdict("I-11")
    assert (verdict.outcome, verdict.checked) == ("holds", 0)


def test_goods_and_money_for_the_same_piece_are_one_too_many() -> None:
    """Delivered and refunded; delivered and credited."""
    for story in (Story().plain().refund(), Story().plain().credit()):
        (witness,) = story.end().verdict("I-11").witnesses
        assert (witness.words, witness.amount_fen) == ("over", 1000)


def test_a_price_below_the_sum_of_its_pieces_goes_back_as_it_was_paid() -> None:
    """Five for 45 yuan: nothing delivered, 45 back."""
    story = Story().place(quantity=5, payable_fen=4500).pay().refund(amount_fen=4500).end()
    assert story.verdict("I-11").outcome == "holds"


def test_a_refund_on_its_way_that_is_too_small_is_short() -> None:
    """Three of five missing, two on their way back."""
    story = (
        Story().place(quantity=5).pay().sell(units=2, refunded=3).refund(amount_fen=2000, done=False).end()
    )
    (witness,) = story.verdict("I-11").witnesses
    assert (witness.words, witness.amount_fen) == ("short", 3000)


def test_an_extra_capture_that_was_kept_is_no_missing_piece_and_hides_none() -> None:
    """All goods came: I-03's. One of two is missing and nothing came back: short."""
    twice = Story().plain().open_charge("O1/c2").capture("O1/c2")
    assert twice.end().verdict("I-11").outcome == "holds"
    short = Story().place(quantity=2).pay().sell(units=1).open_charge("O1/c2").capture("O1/c2").end()
    assert [witness.words for witness in short.verdict("I-11").witnesses] == ["short"]


def test_more_than_the_extra_capture_back_beside_the_goods_is_over() -> None:
    """Both captures went back, and the goods stayed: 10 yuan too much, not 20."""
    story = Story().plain().open_charge("O1/c2").capture("O1/c2").refund("O1/c2").refund("O1/c1", n=2)
    (witness,) = story.end().verdict("I-11").witnesses
    assert (witness.words, witness.amount_fen) == ("over", 1000)


def test_an_order_that_was_lost_and_never_found_is_undecided_only_if_it_was_there() -> None:
    """A failover took its row."""
    story = Story().plain().state("orders", "O1", None, "revert").end()
    assert (story.verdict("I-11").outcome, story.verdict("I-11").checked) == ("unknown", 1)


def test_a_single_fen_short_is_short() -> None:
    """999 of 1000 fen came back."""
    story = Story().place().pay().refund(amount_fen=999).end()
    (witness,) = story.verdict("I-11").witnesses
    assert (witness.words, witness.amount_fen) == ("short", 1)
