"""Open-loop traffic: who orders what, and when, whatever happens to anybody else.

Arrivals do not wait for answers, so a slow platform meets the same crowd as a fast one. Arrival `i`
is drawn by the keys (seed, i) alone: faults and designs move nobody, and whole orders can be left
out (`keep`) while the others stay as they were. Everything is generated lazily, in order of time.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Final, NamedTuple, Protocol

from sim.randomness import Streams, Weighted

_LN2: Final = log(2.0)
_20_BITS: Final = (1 << 20) - 1
_12_BITS: Final = (1 << 12) - 1


class Arrival(NamedTuple):
    """One person with one wish at one time (µs since the start of the run)."""

    number: int
    at_us: int
    user: str
    sku: str
    quantity: int
    pay_with: str


@dataclass(frozen=True, slots=True)
class Demand:
    """What arrivals want. People are `u0` …, a million at most; quantities from min to max are equally likely."""

    people: int
    products: Weighted[str]
    pay_with: Weighted[str]
    quantity_min: int = 1
    quantity_max: int = 1


class Shape(Protocol):
    """When arrivals come."""

    def times(self, streams: Streams, orders: int) -> Iterator[tuple[int, int]]:
        """(number, µs since the start) of each arrival, in order of time."""
        ...


@dataclass(frozen=True, slots=True)
class Constant:
    """A Poisson stream of steady rate."""

    rate_per_s: float

    def times(self, streams: Streams, orders: int) -> Iterator[tuple[int, int]]:
        mean_us, at_us = 1_000_000.0 / self.rate_per_s, 0.0
        for index in range(orders):
            at_us += streams.exponential("arrival.gap", mean_us, index)
            yield index, int(at_us)


@dataclass(frozen=True, slots=True)
class StepPeak:
    """A Poisson stream that steps from its base to `factor` times as much, then halves its excess.

    The rate climbs in a straight line for `ramp_us`. The default is a sale: the peak half a minute
    after it opens, and a half-life of four minutes.
    """

    base_per_s: float
    factor: float
    at_us: int
    ramp_us: int = 30_000_000
    half_life_us: int = 240_000_000

    def times(self, streams: Streams, orders: int) -> Iterator[tuple[int, int]]:
        # Arrival i comes when the integral of the rate reaches the sum of i unit waiting times.
        due, after_peak_s = 0.0, 0.0
        for index in range(orders):
            due += streams.exponential("arrival.gap", 1.0, index)
            at_s, after_peak_s = self._time_s(due, after_peak_s)
            yield index, int(at_s * 1e6)

    def _time_s(self, due: float, after_peak_s: float) -> tuple[float, float]:
        """When the integral of the rate is `due`, and how long after the peak (where the search begins)."""
        base, excess = self.base_per_s, self.base_per_s * (self.factor - 1.0)
        at_s, ramp_s, half_life_s = self.at_us / 1e6, self.ramp_us / 1e6, self.half_life_us / 1e6
        if due <= base * at_s:
            return due / base, 0.0
        due -= base * at_s
        if ramp_s > 0 and due <= (base + excess / 2) * ramp_s:
            slope = excess / ramp_s
            return at_s + (sqrt(base * base + 2 * slope * due) - base) / slope, 0.0
        due -= (base + excess / 2) * ramp_s
        # base·x + area·(1 − 2^(−x/half-life)) = due. Concave, so Newton from the left never overshoots.
        area, x = excess * half_life_s / _LN2, after_peak_s
        for _ in range(50):
            rest = exp(-x / half_life_s * _LN2)
            step = (due - base * x - area * (1.0 - rest)) / (base + excess * rest)
            x += step
            if step < 1e-9:
                break
        return at_s + ramp_s + x, x


@dataclass(frozen=True, slots=True)
class Burst:
    """All arrivals at uniform times within a short span."""

    within_us: int

    def times(self, streams: Streams, orders: int) -> Iterator[tuple[int, int]]:
        drawn = [
            (int(streams.uniform("arrival.time", index) * self.within_us), index) for index in range(orders)
        ]
        drawn.sort()
        return ((index, at_us) for at_us, index in drawn)


def arrivals(
    streams: Streams, shape: Shape, demand: Demand, orders: int, keep: Container[int] | None = None
) -> Iterator[Arrival]:
    """The arrivals of a run, or only those whose number is in `keep`."""
    bits, people, product_at, pay_at = streams.bits, demand.people, demand.products.at, demand.pay_with.at
    low, span = demand.quantity_min, demand.quantity_max - demand.quantity_min + 1
    for index, at_us in shape.times(streams, orders):
        if keep is not None and index not in keep:
            continue
        drawn = bits("arrival", index)  # one draw serves four choices: 20, 20, 12 and 12 bits
        yield Arrival(
            index,
            at_us,
            f"u{(drawn & _20_BITS) * people >> 20}",
            product_at((drawn >> 20 & _20_BITS) / (1 << 20)),
            low + ((drawn >> 40 & _12_BITS) * span >> 12),
            pay_at((drawn >> 52) / (1 << 12)),
        )
