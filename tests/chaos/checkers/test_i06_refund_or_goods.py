"""I-06 on tiny histories."""

from __future__ import annotations

from tests.chaos.histories import Story


def test_a_refund_without_goods_is_fine() -> None:
    """The money is back and nothing was delivered."""
    verdict = Story().place().pay().refund().end().verdict("I-06")
    assert (verdict.outcome, verdict.checked) == ("holds", 1)


def test_a_refund_with_the_card_taken_back_is_fine() -> None:
    """A voided card is no delivery."""
    assert Story().plain().refund().card("O1-card0", "void", "O1").end().verdict("I-06").outcome == "holds"


def test_an_extra_capture_given_back_beside_the_goods_is_fine() -> None:
    """Half of what was taken is not a full refund."""
    story = Story().plain().open_charge("O1/c2").capture("O1/c2").refund("O1/c2").end()
    assert story.verdict("I-06").outcome == "holds"


def test_refund_and_goods_violate() -> None:
    """X-41: refund and delivery raced, and both won."""
    verdict = Story().plain().refund().end().verdict("I-06")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.id, witness.amount_fen, witness.users) == (
        "violated",
        "O1",
        1000,
        ("u1",),
    )


def test_wallet_credit_kept_beside_the_goods_violates() -> None:
    """Credit is money back as well."""
    assert Story().plain().credit().end().verdict("I-06").witnesses[0].amount_fen == 1000


def test_a_refund_still_on_its_way_is_undecided() -> None:
    """Accepted but not done: perhaps both, perhaps not."""
    assert Story().plain().refund(done=False).credit(amount_fen=1).end().verdict("I-06").outcome == "unknown"


def test_an_order_without_money_back_is_not_counted() -> None:
    """Nor is one from which money was taken."""
    assert Story().plain().end().verdict("I-06").checked == 0


def test_credit_for_goods_that_nobody_paid_is_another_matter() -> None:
    """Without a capture there is no full refund (I-01 and I-29 judge it)."""
    assert Story().place().credit().sell().end().verdict("I-06").outcome == "holds"


def test_a_refund_on_its_way_that_would_be_too_little_is_decided() -> None:
    """900 of 1000 fen: never the whole money back. All of it to the fen: perhaps."""
    story = Story().plain().refund(amount_fen=500).refund(amount_fen=400, intent="more", done=False, n=2)
    assert story.end().verdict("I-06").outcome == "holds"
    story = Story().plain().refund(amount_fen=500).refund(amount_fen=500, intent="more", done=False, n=2)
    assert story.end().verdict("I-06").outcome == "unknown"


def test_the_loss_is_the_goods_or_the_money_whichever_is_less() -> None:
    """Two of five pieces were delivered and everything went back: the two are lost."""
    story = Story().place(quantity=5).pay().sell(units=2).refund(amount_fen=5000).end()
    (witness,) = story.verdict("I-06").witnesses
    assert witness.amount_fen == 2000


def test_the_loss_on_an_order_that_was_forgotten_is_the_money() -> None:
    """What the goods cost is not known any more."""
    story = Story().plain().refund().state("orders", "O1", None, "revert").end()
    (witness,) = story.verdict("I-06").witnesses
    assert witness.amount_fen == 1000
