"""I-10 on tiny histories."""

from __future__ import annotations

from tests.chaos.histories import Story


def sold_one(shown: int) -> Story:
    return Story().plain().end().read("product", "card", sku="card", shown=shown)


def test_the_stock_shown_is_the_unsold_count() -> None:
    """Ten loaded, one sold, nine shown."""
    assert sold_one(9).verdict("I-10").outcome == "holds"


def test_a_drifted_stock_violates() -> None:
    """X-30: the shop shows one that is not there."""
    verdict = sold_one(10).verdict("I-10")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.words, witness.id, witness.amount_fen) == (
        "violated",
        "shown",
        "card",
        1000,
    )
    assert (witness.data["shown"], witness.data["unsold"]) == (10, 9)


def test_a_drifted_counter_violates() -> None:
    """The counter row is compared as well as what a visitor reads."""
    story = Story().plain().state("products", "card", {"sku": "card", "shown": 7})
    (witness,) = story.end().read("product", "card", shown=9).verdict("I-10").witnesses
    assert (witness.words, witness.amount_fen) == ("counter", 2000)


def test_more_cards_than_loaded_violate_at_once() -> None:
    """A card from nowhere."""
    story = Story()
    for n in range(11):
        story.card(f"C{n}", "reserved", "O1")
    (witness,) = story.verdict("I-10").witnesses
    assert (witness.words, witness.data["card"], witness.amount_fen) == ("from_nowhere", "C10", 1000)


def test_a_deleted_card_violates() -> None:
    """Cards end sold or void, never gone."""
    story = Story().card("C1", "reserved", "O1").state("cards", "C1", None, "delete")
    assert story.verdict("I-10").witnesses[0].words == "vanished"


def test_a_card_held_back_may_be_shown_as_gone_or_not() -> None:
    """Ten loaded, one sold, one still reserved: nine unsold, eight to be had."""
    for shown, outcome in ((9, "holds"), (8, "holds"), (10, "violated"), (7, "violated")):
        story = Story().plain().place("O2", "u2").end().read("product", "card", shown=shown)
        assert story.verdict("I-10").outcome == outcome


def test_a_void_card_is_not_for_sale() -> None:
    """Ten loaded, one taken out."""
    story = Story().card("C1", "void").end()
    assert story.read("product", "card", shown=9).verdict("I-10").outcome == "holds"
    story = Story().card("C1", "reserved", "O1").card("C1", "void").end()
    assert story.read("product", "card", shown=9).verdict("I-10").outcome == "holds"


def test_a_product_nobody_touched_is_still_compared_when_read() -> None:
    """All ten are there, the shop says none; a product that was neither touched nor read says nothing."""
    assert Story().end().read("product", "card", shown=0).verdict("I-10").witnesses[0].data["unsold"] == 10
    assert Story().end().verdict("I-10").checked == 0


def test_a_card_taken_back_by_a_failover_does_not_count_twice() -> None:
    """Loaded late, lost, loaded again: still ten."""
    story = Story()
    for n in range(10):
        story.card(f"C{n}", "available", op="insert")
    story.state("cards", "C9", None, "revert").card("C9", "available", op="insert")
    verdict = story.end().read("product", "card", shown=10).verdict("I-10")
    assert (verdict.outcome, verdict.checked) == ("holds", 13)


def test_a_failed_look_at_the_shop_leaves_it_undecided() -> None:
    """What the shop shows is not known."""
    verdict = Story().plain().end().read("product", "card", error="503").verdict("I-10")
    assert (verdict.outcome, verdict.witnesses[0].words) == ("unknown", "not_read")


def test_an_unfinished_run_leaves_the_stock_undecided() -> None:
    """What the shop shows is compared when all is quiet."""
    verdict = Story().plain().verdict("I-10")
    assert (verdict.outcome, [doubt.words for doubt in verdict.witnesses]) == ("unknown", ["unfinished"])


def test_a_stock_of_unknown_size_is_undecided() -> None:
    """The header does not say how many cards were loaded."""
    products = {"card": {"kind": "card", "unit_fen": 1000}}
    verdict = Story(facts={"products": products}).plain().end().verdict("I-10")
    assert (verdict.outcome, [doubt.words for doubt in verdict.witnesses]) == ("unknown", ["stock_unknown"])


def test_a_counter_may_count_what_is_reserved_as_gone_or_not_and_nothing_else() -> None:
    """Ten loaded, one sold, one reserved: nine or eight."""
    for kept, outcome in ((9, "holds"), (8, "holds"), (10, "violated"), (7, "violated")):
        story = Story().plain().place("O2", "u2").state("products", "card", {"sku": "card", "shown": kept})
        assert story.end().read("product", "card", shown=9).verdict("I-10").outcome == outcome


def test_a_counter_of_nothing_is_a_counter() -> None:
    """Zero shown and nine there is as wrong as ten; the witness names the row and the read."""
    story = Story().plain().state("products", "card", {"sku": "card", "shown": 0})
    at = len(story.events) - 1
    (witness,) = story.end().read("product", "card", shown=9).verdict("I-10").witnesses
    assert (witness.words, witness.amount_fen, witness.events) == ("counter", 9000, (at,))


def test_only_cards_have_a_stock() -> None:
    """A top-up that a visitor was shown has nothing to be counted."""
    verdict = Story().end().read("product", "topup", shown=3).verdict("I-10")
    assert (verdict.outcome, verdict.checked) == ("holds", 0)


def test_each_card_that_vanished_is_money_of_its_own() -> None:
    """Two deleted cards are two; a third, loaded in their place, comes from nowhere no more."""
    story = Story().card("C1", "available").card("C2", "available")
    story.state("cards", "C1", None, "delete").state("cards", "C2", None, "delete")
    verdict = story.verdict("I-10")
    assert (verdict.count, verdict.amount_fen) == (2, 2000)
    assert verdict.witnesses[0].events == (2,)
