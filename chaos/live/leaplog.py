"""Which real time was which run time: for what others stamp with the wall's clock, as a database its commits.

Only leaps have to be kept. Between two of them run time goes with the wall's, second by second.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable
from typing import Final, NamedTuple

_TRIES: Final = 3  # this thread may lose the processor between two readings


class Leap(NamedTuple):
    """What held from a real moment on."""

    real_us: int  # since 1970, when the offset had been written
    ahead_us: int  # run time minus real time since 1970
    landed_us: int  # run time when it had been written


class LeapLog:
    """Appended to by the conductor; read by anybody in the same process, at any time."""

    def __init__(self) -> None:
        self._leaps: list[Leap] = []
        self._real_us: list[int] = []

    def note(self, now_us: Callable[[], int]) -> None:
        """The clock has just been moved; `now_us` reads it."""
        _, real_us, run_us = min(_both(now_us) for _ in range(_TRIES))
        self._leaps.append(Leap(real_us, run_us - real_us, run_us))
        self._real_us.append(real_us)

    def __len__(self) -> int:
        return len(self._leaps)

    def to_run_us(self, real_epoch_us: int) -> int:
        """Run time at a real time (µs since 1970); 0 before the run began. Monotone."""
        place = bisect_right(self._real_us, real_epoch_us) - 1
        if place < 0:
            return 0
        run_us = real_epoch_us + self._leaps[place].ahead_us
        if place + 1 < len(self._leaps):
            # The wall's clock may be corrected while the run goes on; the order of commits may not.
            return min(run_us, self._leaps[place + 1].landed_us)
        return run_us


def _both(now_us: Callable[[], int]) -> tuple[int, int, int]:
    """How far apart the readings may be, the real time and the run time, µs."""
    before_us = time.time_ns() // 1000
    run_us = now_us()
    after_us = time.time_ns() // 1000
    return after_us - before_us, (before_us + after_us) // 2, run_us
