"""Streams: a draw depends on seed, stream and key alone, and is as random as it should be."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from math import sqrt
from pathlib import Path
from statistics import fmean, pvariance
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.randomness import Streams, Weighted, zipf

if TYPE_CHECKING:
    from collections.abc import Callable

DRAWS = 20_000


def correlation(xs: list[float], ys: list[float]) -> float:
    mean_x, mean_y = fmean(xs), fmean(ys)
    shared = fmean((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return shared / sqrt(pvariance(xs) * pvariance(ys))


def test_a_draw_does_not_depend_on_other_draws() -> None:
    """Asked first or last, alone or among many, of the same seed or of an equal one."""
    streams = Streams(7)
    alone = streams.uniform("faults", "order", 3)
    for number in range(100):
        streams.uniform("faults", "other", number)
        streams.integer("arrivals", 1, 6, number)
    assert streams.uniform("faults", "order", 3) == alone == Streams(7).uniform("faults", "order", 3)


def test_known_values_never_change() -> None:
    """A replay token of today must replay tomorrow: changing a draw breaks every recorded seed."""
    streams = Streams(1)
    known = [streams.bits("golden"), streams.bits("golden", "a", 1), streams.sequence("golden", 2).bits()]
    assert known == GOLDEN


def test_the_same_in_another_process_with_another_hash_seed() -> None:
    """Nothing depends on Python's own hashes."""
    program = "from sim.randomness import Streams as S; print(S(1).bits('golden', 'a', 1))"
    for hash_seed in ("1", "2"):
        printed = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert int(printed) == GOLDEN[1]


def test_seed_stream_and_every_part_of_the_key_make_a_difference() -> None:
    """A number and its text are different keys, and parts do not run into one another."""
    draws = [
        Streams(1).bits("a", "x", 1),
        Streams(2).bits("a", "x", 1),
        Streams(1).bits("b", "x", 1),
        Streams(1).bits("a", "x", 2),
        Streams(1).bits("a", "x", "1"),
        Streams(1).bits("a", "x", True),
        Streams(1).bits("a", "x1"),
        Streams(1).bits("a", ("x", 1)),
        Streams(1).bits("a", "x"),
    ]
    assert len(set(draws)) == len(draws)


@given(st.integers(-(10**6), 10**6), st.integers(0, 10**6), st.integers(0, 2**63 - 1))
def test_integers_stay_within_their_bounds(low: int, width: int, seed: int) -> None:
    """Both ends included, whatever the bounds."""
    streams = Streams(seed)
    assert low <= streams.integer("dice", low, low + width, "k") <= low + width
    assert low <= streams.sequence("dice").integer(low, low + width) <= low + width


def test_dice_show_every_side_equally_often() -> None:
    """Within five standard deviations."""
    streams = Streams(3)
    dice, more_dice = streams.sequence("dice"), streams.sequence("dice", 2)
    draws: tuple[Callable[[int], int], ...] = (
        lambda number: streams.integer("dice", 1, 6, number),
        lambda number: streams.choice("dice", (1, 2, 3, 4, 5, 6), "choice", number),
        lambda _: dice.integer(1, 6),
        lambda _: more_dice.choice((1, 2, 3, 4, 5, 6)),
    )
    for draw in draws:
        counts = Counter(draw(number) for number in range(DRAWS))
        assert sorted(counts) == [1, 2, 3, 4, 5, 6]
        assert all(abs(count - DRAWS / 6) < 5 * sqrt(DRAWS * 5 / 36) for count in counts.values())


def test_uniform_and_exponential_have_their_mean_and_variance() -> None:
    """By key and in sequence."""
    streams = Streams(5)
    sequence = streams.sequence("arrivals")
    for uniform in (
        [streams.uniform("u", number) for number in range(DRAWS)],
        [sequence.uniform() for _ in range(DRAWS)],
    ):
        assert all(0 <= x < 1 for x in uniform)
        assert abs(fmean(uniform) - 0.5) < 0.011
        assert abs(pvariance(uniform) - 1 / 12) < 0.003
    for waits in (
        [streams.exponential("e", 40.0, number) for number in range(DRAWS)],
        [sequence.exponential(40.0) for _ in range(DRAWS)],
    ):
        assert min(waits) >= 0
        assert abs(fmean(waits) - 40) < 1.5
        assert abs(pvariance(waits) - 1600) < 160


def test_streams_seeds_and_neighbouring_keys_are_independent() -> None:
    """No correlation beyond chance: five standard deviations of 1/sqrt(n)."""
    one = [Streams(1).uniform("a", number) for number in range(DRAWS)]
    others = (
        [Streams(1).uniform("b", number) for number in range(DRAWS)],
        [Streams(2).uniform("a", number) for number in range(DRAWS)],
        one[1:] + one[:1],
    )
    for other in others:
        assert abs(correlation(one, other)) < 5 / sqrt(DRAWS)


def test_chances_are_kept_and_certainties_are_certain() -> None:
    """0 never, 1 always."""
    streams = Streams(9)
    assert abs(sum(streams.chance("c", 0.2, number) for number in range(DRAWS)) - DRAWS / 5) < 300
    assert not any(streams.chance("c", 0.0, number) for number in range(100))
    assert all(streams.chance("c", 1.0, number) for number in range(100))


def test_weights_are_kept_and_a_weight_of_zero_is_never_drawn() -> None:
    """Also at the very ends of the unit interval."""
    choices = Weighted("abcd", (0, 1, 3, 0))
    streams = Streams(11)
    counts = Counter(streams.weighted("w", choices, number) for number in range(DRAWS))
    assert set(counts) == {"b", "c"}
    assert abs(counts["c"] / DRAWS - 0.75) < 0.016
    assert (choices.at(0.0), choices.at(1 - 2**-53)) == ("b", "c")
    counts = Counter(map(streams.sequence("w").weighted, [choices] * DRAWS))
    assert abs(counts["c"] / DRAWS - 0.75) < 0.016


def test_zipf_ranks_fall_off_as_they_should() -> None:
    """Rank 0 is twice as frequent as rank 1 and ten times as frequent as rank 9."""
    streams, products = Streams(13), zipf(100)
    counts = Counter(streams.weighted("z", products, number) for number in range(DRAWS))
    assert counts[0] / counts[1] == pytest.approx(2, rel=0.1)
    assert counts[0] / counts[9] == pytest.approx(10, rel=0.25)
    assert max(counts) <= 99


def test_senseless_weights_are_refused() -> None:
    """At once, not at the first unlucky draw."""
    for items, weights in (("ab", (1,)), ("", ()), ("ab", (0, 0)), ("ab", (2, -1))):
        with pytest.raises(ValueError, match="weights"):
            Weighted(items, weights)


def test_sequences_of_different_keys_or_streams_differ() -> None:
    """And the same one begins again from the start."""
    streams = Streams(15)
    first = [streams.sequence("arrivals", "shop").bits() for _ in range(2)]
    assert first[0] == first[1]
    assert (
        first[0] != streams.sequence("arrivals", "kiosk").bits() != streams.sequence("clicks", "shop").bits()
    )
    sequence = streams.sequence("arrivals")
    assert len({sequence.bits() for _ in range(10_000)}) == 10_000


GOLDEN = [10417509930103832026, 17375945924830923199, 18256066073617916888]
