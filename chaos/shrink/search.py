"""How to look for the smallest: leave out large pieces first, then smaller ones; halve the span of a number.

Both ask `tries(…)`, which runs a candidate and adopts it when it still fails, so what `now` shows may have
shrunk by more than was asked for: a fault that is no longer reached is gone as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

MS, SECOND, MINUTE, HOUR = 1_000, 1_000_000, 60_000_000, 3_600_000_000
DURATIONS_US = (
    0, MS, 10 * MS, 100 * MS, SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 20 * SECOND, 30 * SECOND,
    MINUTE, 2 * MINUTE, 3 * MINUTE, 5 * MINUTE, 6 * MINUTE, 8 * MINUTE, 10 * MINUTE, 15 * MINUTE, 20 * MINUTE,
    30 * MINUTE, 45 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 24 * HOUR,
)  # fmt: skip
"""Round durations, each about half of the next, finer where the platform's own limits lie."""

NUMBERS = (0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000, 1_000_000)


def thin(now: Callable[[], Sequence[Any]], tries: Callable[[Sequence[Any]], bool]) -> None:
    """Leave out as much of `now()` as can be left out; `tries(pieces)` is asked to do without them.

    Everything, then halves, quarters … single pieces, from the last to the first (ddmin by complements).
    """
    size = len(now())
    while size:
        end = len(now())
        while end > 0:
            start = max(0, end - size)
            tries(now()[start:end])
            end = min(start, len(now()))
        size //= 2


def lowest(values: Sequence[Any], tries: Callable[[Any], bool]) -> None:
    """Find the first of `values`, ascending, that still fails: the very first, else by halves.

    The value in force lies above all of them.
    """
    if not values or tries(values[0]):
        return
    low, high = 1, len(values)
    while low < high:
        middle = (low + high) // 2
        if tries(values[middle]):
            high = middle
        else:
            low = middle + 1


def below(value: int, *, duration: bool) -> list[int]:
    """Plainer numbers than this one, ascending in size, its sign kept."""
    sign = -1 if value < 0 else 1
    return [sign * step for step in (DURATIONS_US if duration else NUMBERS) if step < abs(value)]
