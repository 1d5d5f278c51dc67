"""What a number of runs allows us to say: exact binomial bounds, nothing approximated.

"At most 1% at 95%" means: were the true rate 1% or more, so few failures would be seen in less than 5% of
campaigns of this size (Clopper and Pearson, one-sided).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import ceil, log
from typing import Literal

from scipy.stats import binomtest

_FAR = 10_000_000
"""More runs than anybody makes; a rate that needs more is not to be proven."""


@dataclass(frozen=True)
class Bounds:
    """A rate between `low` and `high`, each by itself true at the confidence asked for."""

    low: float
    high: float


@cache
def bounds(failed: int, runs: int, confidence: float) -> Bounds:
    """The bounds of a rate that showed itself as `failed` of `runs`."""
    if runs == 0:
        return Bounds(0.0, 1.0)
    low = binomtest(failed, runs, alternative="greater").proportion_ci(confidence, method="exact").low
    high = binomtest(failed, runs, alternative="less").proportion_ci(confidence, method="exact").high
    return Bounds(float(low), float(high))


@cache
def needed(failed: int, rate: float, confidence: float) -> int:
    """How many runs with no more than `failed` failures exclude `rate`."""
    if failed == 0:
        guess = ceil(log(1 - confidence) / log(1 - rate))
        return next(n for n in range(max(1, guess - 1), guess + 3) if bounds(0, n, confidence).high < rate)
    low, high = failed, _FAR
    while low + 1 < high:
        middle = (low + high) // 2
        if bounds(failed, middle, confidence).high < rate:
            high = middle
        else:
            low = middle
    return high


Judged = Literal["holds", "violated", "inconclusive"]


def outcome(failed: int, doubtful: int, runs: int, rate: float, confidence: float) -> Judged:
    """Whether a rate is below `rate`: holds, violated or inconclusive. What is doubtful counts against both."""
    if runs and bounds(failed + doubtful, runs, confidence).high < rate:
        return "holds"
    if runs and bounds(failed, runs, confidence).low > rate:
        return "violated"
    return "inconclusive"
