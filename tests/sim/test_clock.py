"""A node's clock: right by default, skewed or drifting when told to be."""

from __future__ import annotations

import datetime as dt

import pytest

from sim.clock import EPOCH_US, NodeClock
from sim.kernel import Kernel
from sim.node import Incarnation, Node

SECOND = 1_000_000
DAY = 86_400 * SECOND


def test_kernel_time_zero_is_the_first_of_january_2024() -> None:
    """The epoch is a fixed instant, so runs show the same dates everywhere."""
    assert dt.datetime.fromtimestamp(EPOCH_US / SECOND, dt.UTC) == dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    assert NodeClock(Kernel()).now_us() == EPOCH_US


def test_a_skewed_clock_shows_another_time_but_sleeps_as_long() -> None:
    """An offset is an error of the time of day only."""
    clock = NodeClock(kernel := Kernel())
    kernel.run_until(3 * SECOND)
    clock.skew(-5 * SECOND)
    assert clock.now_us() == EPOCH_US - 2 * SECOND
    kernel.run_until(4 * SECOND)
    assert (clock.now_us(), clock.offset_us) == (EPOCH_US - SECOND, -5 * SECOND)
    assert clock.true_us(SECOND) == SECOND


def test_a_drifting_clock_gains_from_the_moment_it_starts_to_drift() -> None:
    """100 ppm fast gains 8.64 s a day, and its sleeps are as much too short."""
    clock = NodeClock(kernel := Kernel())
    kernel.run_until(DAY)
    clock.skew(0, drift_ppm=100)
    assert clock.offset_us == 0
    kernel.run_until(2 * DAY)
    assert clock.offset_us == 8_640_000
    assert clock.true_us(1_000_100) == 1_000_000
    clock.skew(7)
    kernel.run_until(3 * DAY)
    assert clock.offset_us == 7


def test_a_clock_cannot_stand_still() -> None:
    """Its owner would sleep for ever."""
    with pytest.raises(ValueError, match="stand still"):
        NodeClock(Kernel()).skew(0, drift_ppm=-1_000_000)


def test_the_platforms_clock_sleeps_by_the_nodes_clock() -> None:
    """A node whose clock runs at double speed wakes after half the time; its polls are daemons."""
    woke: list[int] = []

    def boot(incarnation: Incarnation) -> None:
        async def poll() -> None:
            await incarnation.clock.sleep(SECOND)
            woke.append(kernel.now)
            await incarnation.clock.sleep_daemon(SECOND)
            woke.append(kernel.now)

        incarnation.spawn(poll(), "poll")

    node = Node(kernel := Kernel(), "fast", boot)
    node.clock.skew(0, drift_ppm=1_000_000)
    node.start()
    assert kernel.run_until_idle(DAY)
    assert woke == [SECOND // 2]
    kernel.run_until(DAY)
    assert woke == [SECOND // 2, SECOND]
