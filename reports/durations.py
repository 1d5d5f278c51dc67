"""Lengths of time on a figure's logarithmic axis: round ticks, and short labels in the reader's words."""

from __future__ import annotations

from math import ceil, floor

from chaos.words import Words

LEAST_MS = 0.01
"""What is shorter stands here: a logarithm has no place for nothing."""

_UNITS = ((3_600_000.0, "h"), (60_000.0, "min"), (1_000.0, "s"), (1.0, "ms"), (0.001, "us"))
_STEPS = (500.0, 200.0, 100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
_LADDER = (
    (0.001, (1, 10, 100)),
    (1.0, (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    (1_000.0, (1, 2, 5, 10, 30)),
    (60_000.0, (1, 2, 5, 10, 30)),
    (3_600_000.0, (1, 2, 5, 12, 24)),
)


def ticks(low_ms: float, high_ms: float, at_most: int = 4) -> list[float]:
    """Round values in ms that people would choose: of a wide range some of a ladder, of a narrow one even steps."""
    ladder = [unit * step for unit, steps in _LADDER for step in steps if low_ms <= unit * step <= high_ms]
    if len(ladder) < 2:
        ladder = _even(low_ms, high_ms)
    return ladder[:: -(-len(ladder) // at_most)]


def _even(low_ms: float, high_ms: float) -> list[float]:
    """Two or more multiples of the largest round step that has so many in the range."""
    size = next((size for size, _ in _UNITS if high_ms >= size), _UNITS[-1][0])
    for step in _STEPS:
        first, last = ceil(low_ms / size / step), floor(high_ms / size / step)
        if last > first:
            return [number * step * size for number in range(first, last + 1)]
    return [low_ms, high_ms]


def short(ms: float, words: Words) -> str:
    """`250 µs`, `424 ms`, `1.94 s`, `5 min`, `2 h`: three digits in one unit."""
    size, unit = next(((size, unit) for size, unit in _UNITS if ms >= size), _UNITS[-1])
    number = ms / size
    return words(f"unit.{unit}", n=f"{number:,.0f}" if number >= 100 else f"{number:.3g}")
