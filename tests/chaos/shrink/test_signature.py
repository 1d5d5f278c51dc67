"""What makes two failures the same: on verdicts made by hand."""

from __future__ import annotations

import pytest

from chaos.checkers.verdict import Verdict, Witness
from chaos.shrink.signature import NothingToShrink, Signature


def violated(invariant: str, *witnesses: tuple[str, int]) -> Verdict:
    found = tuple(Witness(entity, f"{entity}-1", "lost", t_us=t_us) for entity, t_us in witnesses)
    return Verdict(invariant, "violated", 5, len(found), found, 100, min(t_us for _, t_us in witnesses))


HOLDS = Verdict("I-05", "holds", 5)


def test_it_is_the_invariant_broken_first_and_its_first_witness() -> None:
    """Later ones often only follow from it."""
    verdicts = [HOLDS, violated("I-08", ("wallet", 9)), violated("I-09", ("order", 7), ("card", 4))]
    assert Signature.of(verdicts) == Signature("I-09", "card")
    assert Signature.of(verdicts, "I-08") == Signature("I-08", "wallet")
    assert str(Signature.of(verdicts)) == "I-09 (card)"


def test_of_several_at_one_moment_it_is_the_least_broad() -> None:
    """Money is missing (I-01) because a card was sold twice (I-09): the latter says what is wrong."""
    assert Signature.of([violated("I-01", ("order", 4)), violated("I-09", ("card", 4))]).invariant == "I-09"


def test_another_invariant_or_another_kind_of_thing_is_another_failure() -> None:
    """Else shrinking would wander from one bug to the next."""
    wanted = Signature("I-09", "card")
    assert wanted.verdict([violated("I-09", ("order", 3), ("card", 8))]) is not None
    assert wanted.verdict([violated("I-09", ("order", 3))]) is None
    assert wanted.verdict([violated("I-08", ("card", 3))]) is None
    assert wanted.verdict([Verdict("I-09", "unknown", 1, 1, (Witness("card", "c", "shown"),))]) is None


def test_the_witness_told_of_is_of_that_kind() -> None:
    """The leap starts from what it names."""
    wanted = Signature("I-09", "card")
    assert wanted.witness([violated("I-09", ("order", 3), ("card", 8))]).t_us == 8
    with pytest.raises(ValueError, match="is not in this run"):
        wanted.witness([HOLDS])


def test_nothing_violated_is_nothing_to_shrink() -> None:
    """Undecided is not violated."""
    with pytest.raises(NothingToShrink, match="nothing is violated"):
        Signature.of([HOLDS, Verdict("I-09", "unknown", 1, 1)])


def test_an_invariant_that_was_not_violated_cannot_be_shrunk() -> None:
    """The message says which were, in their order."""
    verdicts = [HOLDS, violated("I-08", ("wallet", 9)), violated("I-09", ("card", 4))]
    with pytest.raises(NothingToShrink, match=r"^I-05 is not violated in this run; violated: I-08, I-09$"):
        Signature.of(verdicts, "I-05")


def test_of_several_that_are_equally_narrow_it_is_the_first() -> None:
    """Nobody can say which one it was, so one of them is held on to."""
    assert Signature.of([violated("I-09", ("card", 4)), violated("I-08", ("wallet", 4))]) == Signature(
        "I-08", "wallet"
    )
