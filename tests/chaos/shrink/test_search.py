"""Leaving out, largest pieces first; halving numbers. Both on sets and numbers, without any run."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from chaos.shrink.search import DURATIONS_US, NUMBERS, below, lowest, thin


class Pieces:
    """Fails as long as all needed pieces are there; counts how often it was asked."""

    def __init__(self, pieces: int, needed: set[int]) -> None:
        self.left = list(range(pieces))
        self.needed = needed
        self.asked = 0

    def without(self, gone: Sequence[int]) -> bool:
        self.asked += 1
        rest = [piece for piece in self.left if piece not in gone]
        if not self.needed <= set(rest):
            return False
        self.left = rest
        return True


@given(
    st.integers(1, 60).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1), max_size=4)))
)
def test_only_what_is_needed_is_left(case: tuple[int, set[int]]) -> None:
    """Whichever pieces the failure needs, all others are gone afterwards."""
    count, needed = case
    pieces = Pieces(count, needed)
    thin(lambda: pieces.left, pieces.without)
    assert set(pieces.left) == needed


def test_one_needed_piece_of_many_costs_a_handful_of_tries() -> None:
    """300 orders, one of them matters: about two tries for each halving."""
    pieces = Pieces(300, {117})
    thin(lambda: pieces.left, pieces.without)
    assert pieces.left == [117]
    assert pieces.asked < 25


def test_pieces_that_vanish_on_their_own_are_not_asked_for() -> None:
    """A fault that is no longer reached goes with the one before it."""
    left = ["a", "b", "c", "d"]
    asked: list[list[str]] = []

    def without(gone: Sequence[str]) -> bool:
        asked.append(list(gone))
        if "a" in gone:
            return False
        left[:] = ["a"]
        return True

    thin(lambda: left, without)
    assert left == ["a"]
    assert ["b"] not in asked


@given(st.integers(0, len(DURATIONS_US)))
def test_the_lowest_value_that_still_fails_is_found(first: int) -> None:
    """From some value on the failure is there; that value is found in the number of halvings and one."""
    adopted: list[int] = []
    asked = 0

    def fails(value: int) -> bool:
        nonlocal asked
        asked += 1
        if DURATIONS_US.index(value) < first:
            return False
        adopted.append(value)
        return True

    lowest(DURATIONS_US, fails)
    assert adopted[-1:] == list(DURATIONS_US[first : first + 1])
    assert asked <= 1 + len(DURATIONS_US).bit_length()


def test_plainer_numbers_keep_the_sign_and_grow_in_size() -> None:
    """An amount may be short or over; only how much is made smaller."""
    assert below(-7, duration=False) == [0, -1, -2, -3, -5]
    assert below(0, duration=True) == []
    assert list(NUMBERS) == sorted(NUMBERS)
    assert list(DURATIONS_US) == sorted(DURATIONS_US)
