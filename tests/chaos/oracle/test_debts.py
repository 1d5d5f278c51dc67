"""What a finding says of the promise, and what it costs."""

from __future__ import annotations

import pytest

from chaos.oracle.debts import JUDGEMENTS, Debt, Finding, Judgement, firmest


def found(verdict: Judgement, owed_fen: int = 1000, paid_fen: int = 700) -> Finding:
    return Finding("K-01", "O1", "ann", verdict, owed_fen, paid_fen, 0, 0, 0, "paid", "none", "")


@pytest.mark.parametrize("verdict", ["missed", "undue", "doubled", "late", "wrong_amount"])
def test_a_broken_promise_is_wrong(verdict: Judgement) -> None:
    """Too little, too much, too late, twice and without cause."""
    assert found(verdict).wrong


@pytest.mark.parametrize("verdict", ["exact", "undecided"])
def test_a_promise_that_was_kept_or_still_may_be_is_not_wrong(verdict: Judgement) -> None:
    """No alarm without evidence."""
    assert not found(verdict).wrong


def test_every_judgement_is_one_or_the_other() -> None:
    """None can be forgotten."""
    assert set(JUDGEMENTS) == {"exact", "missed", "undue", "doubled", "late", "wrong_amount", "undecided"}


@pytest.mark.parametrize(
    ("verdict", "fen"),
    [
        ("missed", 1000),
        ("late", 1000),
        ("undecided", 1000),
        ("undue", 700),
        ("doubled", 700),
        ("wrong_amount", 300),
    ],
)
def test_the_money_at_risk_is_what_went_or_stayed_where_it_should_not(verdict: Judgement, fen: int) -> None:
    """What was owed, what was paid for nothing, or the difference of the two."""
    assert found(verdict).at_risk_fen == fen


def test_the_difference_counts_in_both_directions() -> None:
    """Three yuan too much are as wrong as three too little."""
    assert found("wrong_amount", 700, 1000).at_risk_fen == 300


def owed(due_us: int, *, binding: bool) -> Debt:
    return Debt("K-17", "O1", "", 1000, due_us, due_us + 5, binding, ())


def test_of_several_stretches_of_a_trigger_the_first_that_had_to_be_paid_is_the_debt() -> None:
    """Else the first that might have been; never two for one."""
    may, must, later = owed(1, binding=False), owed(2, binding=True), owed(3, binding=True)
    assert firmest([may, must, later]) == [must]
    assert firmest([may, owed(4, binding=False)]) == [may]
    assert firmest([]) == []
