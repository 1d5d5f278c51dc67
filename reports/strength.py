"""What a number of clean or failed runs allows us to say, at 95% confidence."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from chaos.tally import upper_bound
from chaos.words import Words
from reports.campaign import Pair

_Z95 = 1.959963984540054


def interval(failed: int, runs: int) -> tuple[float, float]:
    """Wilson's score interval for a rate; good for few runs, where the plain one is not."""
    rate, z2 = failed / runs, _Z95 * _Z95
    centre = (rate + z2 / (2 * runs)) / (1 + z2 / runs)
    half = _Z95 / (1 + z2 / runs) * sqrt(rate * (1 - rate) / runs + z2 / (4 * runs * runs))
    return max(0.0, centre - half), min(1.0, centre + half)


def sentence(pairs: Sequence[Pair], words: Words) -> str:
    """What the runs of one design say, all scenarios together and, when clean, the thinnest alone."""
    runs, failed = sum(pair.runs for pair in pairs), sum(pair.bad for pair in pairs)
    if runs == 0:
        return words("strength.none")
    if failed:
        low, high = interval(failed, runs)
        return words(
            "strength.some", k=f"{failed:,}", n=f"{runs:,}", low=f"{100 * low:.1f}", high=_percent_up(high)
        )
    text = words("strength.clean", n=f"{runs:,}", bound=_percent_up(upper_bound(runs)))
    thinnest = min(pair.runs for pair in pairs if pair.runs)
    if thinnest < runs:
        text += words("strength.alone", n=f"{thinnest:,}", bound=_percent_up(upper_bound(thinnest)))
    return text


def _percent_up(rate: float) -> str:
    """Rounded away from zero, so that "under" stays true."""
    tenths = int(rate * 1000)
    return f"{(tenths + (tenths < rate * 1000)) / 10:.1f}"
