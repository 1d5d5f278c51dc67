"""I-04 on tiny histories."""

from __future__ import annotations

from tests.chaos.histories import Story


def test_the_right_amount_is_fulfilled() -> None:
    """Captured = payable."""
    verdict = Story().plain().verdict("I-04")
    assert (verdict.outcome, verdict.checked) == ("holds", 1)


def test_goods_without_any_capture_are_another_matter() -> None:
    """I-02 judges those."""
    assert Story().place().sell().verdict("I-04").checked == 0


def test_a_wrong_amount_held_is_fine() -> None:
    """Held in suspense and refunded, never fulfilled."""
    story = Story().place().capture(paid_fen=1).apply(to="held").refund(amount_fen=1).end()
    assert story.verdict("I-04").outcome == "holds"


def test_a_wrong_amount_fulfilled_violates() -> None:
    """X-12: a card for one fen."""
    verdict = Story().place().capture(paid_fen=1).apply().sell().verdict("I-04")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.id, witness.amount_fen) == ("violated", "O1", 999)
    assert (witness.data["paid_fen"], witness.data["payable_fen"]) == (1, 1000)


def test_a_supplier_delivery_for_a_wrong_amount_violates() -> None:
    """Top-ups alike."""
    story = Story().place(sku="topup").capture(paid_fen=2999)
    assert story.book("SUP", "delivered", "O1/s1", quantity=1).verdict("I-04").witnesses[0].amount_fen == 1


def test_a_second_capture_of_the_right_amount_permits_fulfilment() -> None:
    """The wrong one goes back (I-01); the right one is a payment."""
    story = (
        Story().place().capture(paid_fen=1).open_charge("O1/c2").capture("O1/c2", 1000).apply("O1/c2").sell()
    )
    assert story.verdict("I-04").outcome == "holds"


def test_an_order_whose_row_was_lost_is_undecided() -> None:
    """What was payable is not known any more."""
    story = Story().place().capture().state("orders", "O1", None, "revert").card("O1-card0", "sold", "O1")
    assert story.verdict("I-04").outcome == "unknown"


def test_the_witness_shows_the_capture_and_the_goods_that_went_out_for_it() -> None:
    """What was taken back meanwhile is no delivery."""
    story = Story().place(quantity=3).capture(paid_fen=1)
    captured_at = len(story.events) - 1
    with story:
        story.card("a", "sold", "O1").card("b", "sold", "O1").card("a", "void", "O1")
    (witness,) = story.verdict("I-04").witnesses
    assert witness.events == (captured_at, captured_at + 1, captured_at + 2)


def test_goods_that_were_all_taken_back_are_judged_no_more() -> None:
    """Sold and voided: one delivery was judged, and no goods are left to judge."""
    story = Story().plain().card("O1-card0", "void", "O1").verdict("I-04")
    assert (story.outcome, story.checked) == ("holds", 1)


def test_a_charge_that_was_opened_and_left_pays_for_nothing() -> None:
    """Only captures are compared with the price."""
    story = Story().place(payable_fen=0, unit_fen=1000).open_charge("O1/c2").capture("O1/c2", 5)
    assert story.card("O1-card0", "sold", "O1").verdict("I-04").outcome == "violated"


def test_goods_for_an_order_that_never_was_are_another_matter() -> None:
    """There is no price to compare with, and nothing was lost: I-02 judges them."""
    story = Story().book("CH", "captured", "O9/c1", paid_fen=5, payer="u1").card("x", "sold", "O9")
    assert story.verdict("I-04").outcome == "holds"
