"""A node's own clock, which may be wrong.

Kernel time 0 is the epoch below. A skewed clock shows another time of day than the true one; a
drifting clock also measures durations wrongly, so what its owner takes for a second is a little less
or more. Everything is integer arithmetic: no clock depends on floating point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim.kernel import Kernel, NodeDead, sleep, sleep_daemon

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from sim.node import Incarnation

EPOCH_US: Final = 1_704_067_200_000_000
"""2024-01-01T00:00:00Z in microseconds since 1970: the time of day at kernel time 0."""

_MILLION: Final = 1_000_000


class NodeClock:
    """The hardware clock of a node: it keeps its error over crashes and restarts."""

    __slots__ = ("_base_us", "_kernel", "_right", "_since_us", "drift_ppm", "wrong_readings")

    def __init__(self, kernel: Kernel, offset_us: int = 0, drift_ppm: int = 0) -> None:
        self._kernel = kernel
        self._base_us = EPOCH_US + offset_us  # what the clock showed at kernel time 0, drift left out
        self._since_us = 0  # kernel time since which it drifts at the present rate
        self.drift_ppm = drift_ppm
        self.wrong_readings = 0  # how often it was read while it was wrong
        self._right = not offset_us and not drift_ppm

    def now_us(self) -> int:
        """What the clock shows, in microseconds since 1970."""
        if self._right:
            return EPOCH_US + self._kernel.now
        self.wrong_readings += 1
        return EPOCH_US + self._kernel.now + self.offset_us

    @property
    def offset_us(self) -> int:
        """How far the clock is ahead of true time now; negative when it is behind."""
        drifted_us = (self._kernel.now - self._since_us) * self.drift_ppm // _MILLION
        return self._base_us - EPOCH_US + drifted_us

    def skew(self, offset_us: int, drift_ppm: int = 0) -> None:
        """From now on be `offset_us` ahead of true time, gaining `drift_ppm` microseconds a second."""
        if drift_ppm <= -_MILLION:
            raise ValueError(f"a clock with a drift of {drift_ppm} ppm would stand still or run backwards")
        self._base_us = EPOCH_US + offset_us
        self._since_us = self._kernel.now
        self.drift_ppm = drift_ppm
        self._right = not offset_us and not drift_ppm

    def true_us(self, us: int) -> int:
        """How long it truly takes until this clock has gone on by `us`."""
        if self.drift_ppm:
            return us * _MILLION // (_MILLION + self.drift_ppm)
        return us


class IncarnationClock:
    """The platform's `Clock` port: a node's clock in the hands of one incarnation of its software."""

    __slots__ = ("_clock", "_incarnation")

    def __init__(self, clock: NodeClock, incarnation: Incarnation) -> None:
        self._clock = clock
        self._incarnation = incarnation

    def now_us(self) -> int:
        """The node's time, in microseconds since 1970."""
        if not self._incarnation.alive:
            raise NodeDead(self._incarnation.name)
        clock = self._clock
        if clock._right:
            return EPOCH_US + clock._kernel._now  # `now_us` written out: the platform asks all the time
        return clock.now_us()

    def sleep(self, us: int) -> Coroutine[object, object, None]:
        """Sleep `us` microseconds by this clock."""
        if not self._incarnation.alive:
            raise NodeDead(self._incarnation.name)
        return sleep(self._clock.true_us(us))  # type: ignore[return-value]  # awaitable, and cheaper

    def sleep_daemon(self, us: int) -> Coroutine[object, object, None]:
        """Sleep without counting as pending work: for polls that go on for ever."""
        if not self._incarnation.alive:
            raise NodeDead(self._incarnation.name)
        return sleep_daemon(self._clock.true_us(us))  # type: ignore[return-value]
