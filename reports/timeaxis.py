"""The time axis that all panels of a sheet share.

Orders often come within minutes while their money stays out for an hour. Then the axis has two even
scales, one for the busy time and one for the rest, and says so where it changes.
"""

from __future__ import annotations

from dataclasses import dataclass

MINUTE_US = 60_000_000
_BUSY_SHARE = 0.55
_STEPS_MIN = (0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440, 2880)


@dataclass(frozen=True)
class TimeAxis:
    """From 0 to `until_us`. `busy_us` is where the scale changes, 0 when it does not."""

    until_us: int
    busy_us: int = 0

    @classmethod
    def over(cls, busy_us: int, until_us: int) -> TimeAxis:
        """Two scales only where one would squeeze the busy time into less than a third."""
        return cls(until_us, busy_us if busy_us * 3 < until_us else 0)

    def place(self, t_us: int) -> float:
        """Where an instant stands, 0 at the left end, 1 at the right."""
        if not self.busy_us:
            return min(t_us, self.until_us) / self.until_us
        if t_us <= self.busy_us:
            return _BUSY_SHARE * t_us / self.busy_us
        rest = (min(t_us, self.until_us) - self.busy_us) / (self.until_us - self.busy_us)
        return _BUSY_SHARE + (1 - _BUSY_SHARE) * rest

    def ticks(self) -> list[tuple[float, str]]:
        """Places and labels in minutes: some four on each scale, or eight on one."""
        if not self.busy_us:
            return self._ticks(0, self.until_us, 8)
        first = self._ticks(0, self.busy_us, 4)
        rest = [tick for tick in self._ticks(0, self.until_us, 5) if tick[0] > first[-1][0] + 0.08]
        return first + rest

    def _ticks(self, start_us: int, end_us: int, at_most: int) -> list[tuple[float, str]]:
        span_min = (end_us - start_us) / MINUTE_US
        step = next((s for s in _STEPS_MIN if span_min / s <= at_most), span_min / at_most)
        count = int(span_min / step)
        return [(self.place(int(i * step * MINUTE_US)), f"{i * step:g}") for i in range(count + 1)]
