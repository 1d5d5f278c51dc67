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
