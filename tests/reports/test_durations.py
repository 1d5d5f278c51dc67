"""Lengths of time on an axis: ticks that people would choose, labels without zeros to count."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.words import Words
from reports import TEXTS, durations


@pytest.mark.parametrize(
    ("ms", "told"),
    [
        (0.25, "250 µs"), (20, "20 ms"), (999.7, "1,000 ms"), (1_943.028, "1.94 s"), (3_000, "3 s"), (7_200_000, "2 h"),
        (0.0, "0 µs"),
    ],
)  # fmt: skip
def test_times_are_told_in_the_unit_that_fits(ms: float, told: str) -> None:
    """Three digits and a unit, in the reader's language; never in powers of ten."""
    assert durations.short(ms, Words("en", TEXTS)) == told
    assert not durations.short(ms, Words("zh", TEXTS)).isascii()


def test_a_wide_range_has_few_ticks_and_round_ones() -> None:
    """At most as many as there is room for."""
    assert durations.ticks(40, 4_000) == [50, 200, 1_000]
    assert durations.ticks(18_300, 22_100) == [20_000, 22_000]


@given(st.floats(0.01, 5e7), st.floats(1.02, 1e6), st.integers(2, 8))
def test_an_axis_is_never_without_two_ticks(low_ms: float, ratio: float, at_most: int) -> None:
    """One tick says nothing of a scale; all lie on the axis, in order, and no more than asked for."""
    high_ms = low_ms * ratio
    ticks = durations.ticks(low_ms, high_ms, at_most)
    assert 2 <= len(ticks) <= at_most
    assert all(low_ms * 0.999999 <= tick <= high_ms * 1.000001 for tick in ticks)
    assert all(first < second for first, second in pairwise(ticks))
