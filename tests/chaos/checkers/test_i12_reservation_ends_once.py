"""I-12 on tiny histories."""

from __future__ import annotations

from tests.chaos.histories import Story


def test_a_reservation_consumed_holds() -> None:
    """Reserved, then sold to the same order."""
    verdict = Story().plain().end().verdict("I-12")
    assert (verdict.outcome, verdict.checked) == ("holds", 1)


def test_a_reservation_released_holds() -> None:
    """Reserved, then available again."""
    assert Story().place().card("O1-card0", "available").end().verdict("I-12").outcome == "holds"


def test_a_reservation_never_ended_violates() -> None:
    """X-37: a hanging try."""
    verdict = Story().place().end().verdict("I-12")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.words, witness.id, witness.data["order"]) == (
        "violated", "held", "O1-card0", "O1",
    )  # fmt: skip
    assert (witness.amount_fen, witness.users) == (1000, ("u1",))


def test_a_reservation_taken_by_another_violates() -> None:
    """Consumed, but not by its holder."""
    (witness,) = Story().place().card("O1-card0", "sold", "O2").end().verdict("I-12").witnesses
    assert (witness.words, witness.data["other"]) == ("taken", "O2")


def test_sold_and_released_violates() -> None:
    """It ended twice."""
    assert (
        Story().plain().card("O1-card0", "available").verdict("I-12").witnesses[0].words
        == "released_after_sale"
    )


def test_a_failover_may_take_a_sale_back() -> None:
    """A revert is no release."""
    assert (
        Story().plain().card("O1-card0", "available", "", "revert").end().verdict("I-12").outcome == "holds"
    )


def test_a_reservation_in_an_unfinished_run_is_undecided() -> None:
    """It may still end."""
    assert Story().place().verdict("I-12").outcome == "unknown"


def test_a_sold_card_may_be_voided() -> None:
    """Taking a card back is no second ending of its reservation."""
    assert Story().plain().card("O1-card0", "void", "O1").end().verdict("I-12").outcome == "holds"


def test_a_card_that_went_from_one_reservation_to_another_was_taken() -> None:
    """Held for O1, then for O2, and never released in between; the witness shows both."""
    story = Story().place().card("O1-card0", "reserved", "O2")
    (witness, *_) = story.verdict("I-12").witnesses
    assert (witness.words, witness.data["order"], witness.data["other"]) == ("taken", "O1", "O2")
    assert witness.amount_fen == 1000


def test_a_sold_card_that_is_reserved_again_was_released_after_sale() -> None:
    """Its buyer has the secret."""
    story = Story().plain().card("O1-card0", "reserved", "O2")
    assert story.verdict("I-12").witnesses[0].words == "released_after_sale"


def test_a_card_that_was_taken_out_of_stock_after_its_sale_was_not_released() -> None:
    """Void is a way to take goods back."""
    assert Story().plain().card("O1-card0", "void", "O1").end().verdict("I-12").outcome == "holds"


def test_a_free_card_may_be_given_to_anybody() -> None:
    """It was held for nobody, and so was one whose row is gone."""
    story = Story().card("a", "available").card("a", "reserved", "O1").card("a", "sold", "O1")
    story.card("b", "reserved", "O1").state("cards", "b", None, "revert").card("b", "sold", "O2")
    assert story.end().verdict("I-12").outcome == "holds"


def test_a_reservation_for_nobody_that_never_ends_is_held_all_the_same() -> None:
    """Of an order that no book knows; it cost nobody anything that could be told."""
    (witness,) = Story().card("a", "reserved", "O9").end().verdict("I-12").witnesses
    assert (witness.words, witness.amount_fen, witness.users, len(witness.events)) == ("held", 0, (), 2)


def test_the_witness_of_a_wrong_end_shows_the_reservation_and_its_end() -> None:
    """Two events: when it was held, and when it was taken."""
    story = Story().place()
    (witness,) = story.card("O1-card0", "sold", "O2").verdict("I-12").witnesses
    held, taken = (story.events[event] for event in witness.events)
    assert (held.row["status"], taken.row["status"]) == ("reserved", "sold")  # type: ignore[union-attr,index]
