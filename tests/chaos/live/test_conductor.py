from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from chaos.live.clock import SharedClock
from chaos.live.conductor import Conductor
from chaos.live.slots import Slot
from tests.chaos.live.hosts import HOUR_US, spawn, until

LOOKS = 40  # so many looks make it certain that the conductor had its chance


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[SharedClock]:
    clock = SharedClock.create(tmp_path / "clock", 3)
    yield clock
    clock.close()


@pytest.fixture
def slots(clock: SharedClock) -> Iterator[tuple[Slot, Slot]]:
    """Two processes that block. The first waits for one hour, the second for two."""
    one, two = clock.slot("one"), clock.slot("two")
    for slot, hours in ((one, 1), (two, 2)):
        slot.due(hours * HOUR_US)
        slot.idle(True)
    yield one, two
    one.close()
    two.close()


@contextmanager
def _conducted(clock: SharedClock, **options: Any) -> Iterator[Conductor]:
    with Conductor(clock, **options) as conductor:
        yield conductor


@contextmanager
def _old_call(slot: Slot) -> Iterator[None]:
    """A call that has been under way since the machine was started."""
    slot._begin()
    long_ago_ns = 1
    slot._under_way = [long_ago_ns]
    slot._publish_calls()
    yield
    slot._end(long_ago_ns)


def _half_its_age_s() -> float:
    """Older than any call that a test makes, however long the machine stalls; younger than `_old_call`."""
    return time.monotonic() / 2


def _chances(conductor: Conductor) -> None:
    """Let it look often enough to do what it is going to do."""
    enough = conductor.figures.looks + LOOKS
    until(lambda: conductor.figures.looks >= enough)


def test_while_nothing_moves_time_leaps_to_the_earliest_timer(
    clock: SharedClock, slots: tuple[Slot, Slot]
) -> None:
    """To that of anybody, exactly; and not further before it was served."""
    with _conducted(clock) as conductor:
        until(lambda: clock.now_us() >= HOUR_US)
        _chances(conductor)
        assert clock.now_us() < 2 * HOUR_US
        slots[0].due(3 * HOUR_US)
        until(lambda: clock.now_us() >= 2 * HOUR_US)
    assert conductor.figures.leaps == 2
    assert conductor.figures.held_s["one"] > 0
    assert conductor.figures.leapt_s > 0.99 * conductor.figures.run_s


def test_a_process_at_work_holds_time(clock: SharedClock, slots: tuple[Slot, Slot]) -> None:
    """Whatever it does may set a timer, or send something."""
    slots[1].idle(False)
    with _conducted(clock) as conductor:
        _chances(conductor)
        assert clock.now_us() < HOUR_US
        slots[1].idle(True)
        until(lambda: clock.now_us() >= HOUR_US)
    assert conductor.figures.held_s["two"] > 0
    assert set(conductor.figures.spent_s) == {"moving", "quiet"}


def test_a_call_under_way_holds_time(clock: SharedClock, slots: tuple[Slot, Slot]) -> None:
    """Both ends may block: the call is between them."""
    with slots[0].working(), _conducted(clock, old_s=1e9) as conductor:
        _chances(conductor)
        assert clock.now_us() < HOUR_US
        assert clock.pace() == 1.0


def test_time_hastens_while_everybody_waits_for_a_time_out(
    clock: SharedClock, slots: tuple[Slot, Slot]
) -> None:
    """In small leaps, as fast as the pace says; and it stops at the earliest timer."""
    soon_us = 4_000_000
    slots[0].due(soon_us)
    with slots[0].working(), _conducted(clock, old_s=0.05, haste=40) as conductor:
        until(lambda: clock.pace() == 40)
        until(lambda: clock.now_us() >= soon_us)
        _chances(conductor)
        figures = conductor.figures
        steps = figures.hasty_steps
        _chances(conductor)
        assert figures.hasty_steps == steps
        assert clock.now_us() < HOUR_US
    assert figures.spent_s["waiting"] > 0
    assert figures.spent_s["hastening"] > 0
    assert figures.leaps == 0
    assert figures.hasty_steps > 1
    assert 0 < figures.hasty_s < 4
    assert clock.pace() == 1.0


def test_time_does_not_hasten_while_any_call_is_new(clock: SharedClock, slots: tuple[Slot, Slot]) -> None:
    """Somebody waits for a time-out, but another call may be answered any moment."""
    with _old_call(slots[0]), _conducted(clock, old_s=_half_its_age_s(), haste=2) as conductor:
        until(lambda: conductor.figures.hasty_steps > 3)
        with slots[1].working():
            _chances(conductor)  # a look may have been under way when the call began
            steps = conductor.figures.hasty_steps
            _chances(conductor)
            assert conductor.figures.hasty_steps == steps


def test_a_poll_beside_an_old_call_does_not_begin_the_wait_anew(
    clock: SharedClock, slots: tuple[Slot, Slot]
) -> None:
    """It interrupts the haste only while it is under way: an hour of waiting has thousands of polls."""
    with _old_call(slots[0]), _conducted(clock, old_s=_half_its_age_s(), haste=2) as conductor:
        for _ in range(5):
            with slots[1].working():
                steps = conductor.figures.hasty_steps
            until(lambda steps=steps: conductor.figures.hasty_steps > steps + 1)  # type: ignore[misc]


def test_a_call_that_ended_while_another_goes_on_is_forgotten(slots: tuple[Slot, Slot]) -> None:
    """Whichever of them began first."""
    first, second = slots[0].working(), slots[0].working()
    with first:
        began_ns = slots[0]._under_way[0]
        with second:
            assert slots[0]._under_way[-1] >= began_ns
        assert slots[0]._under_way == [began_ns]
    second.__enter__()
    with first:
        second.__exit__(None, None, None)
        assert len(slots[0]._under_way) == 1
    assert slots[0]._under_way == []


def test_the_orchestrator_may_forbid_haste_and_leaps(clock: SharedClock, slots: tuple[Slot, Slot]) -> None:
    """A toxic that delays makes real time count; what processes wrote must be read before a leap."""
    allowed = False
    with _conducted(clock, old_s=0.0, may_hasten=lambda: allowed, may_leap=lambda: allowed) as conductor:
        with slots[0].working():
            _chances(conductor)
            assert conductor.figures.hasty_steps == 0
        _chances(conductor)
        assert clock.now_us() < HOUR_US
        allowed = True
        until(lambda: clock.now_us() >= HOUR_US)


def test_holding_keeps_the_walls_pace_whatever_else_is_so(
    clock: SharedClock, slots: tuple[Slot, Slot]
) -> None:
    """While a process is started again, nobody moves; time must not hasten all the same."""
    with ExitStack() as conducting, ExitStack() as held:
        held.enter_context(slots[1].holding())
        held.enter_context(slots[0].working())
        conductor = conducting.enter_context(_conducted(clock, old_s=0.0))
        _chances(conductor)
        assert conductor.figures.hasty_steps == 0
        held.close()
        until(lambda: clock.now_us() >= HOUR_US)


def test_a_hold_ends_by_itself(clock: SharedClock, slots: tuple[Slot, Slot]) -> None:
    """What is on its way and counted by nobody gets its moment, and no more."""
    slots[0].hold(3600.0)
    slots[1].hold(0.2)
    slots[0].hold(0.1)  # the longer one stands
    with _conducted(clock) as conductor:
        _chances(conductor)
        assert clock.now_us() < HOUR_US
    slots[0].silence()
    slots[0].due(HOUR_US)
    slots[0].idle(True)
    second = Conductor(clock)
    second._thread.start()
    until(lambda: clock.now_us() >= HOUR_US)
    second.close()


def test_no_leap_goes_past_the_limit(clock: SharedClock, slots: tuple[Slot, Slot]) -> None:
    """The orchestrator has something to do then."""
    conductor = Conductor(clock)
    conductor.limit_us = HOUR_US // 2
    with conductor:
        until(lambda: clock.now_us() >= HOUR_US // 2)
        _chances(conductor)
        assert clock.now_us() < HOUR_US
        conductor.limit_us = 2 * HOUR_US
        until(lambda: clock.now_us() >= HOUR_US)


def test_daemons_may_be_passed_over(clock: SharedClock, slots: tuple[Slot, Slot]) -> None:
    """In a quiet period their polls come late, as in the simulator; otherwise they are timers like all others."""
    slots[0].due(2 * HOUR_US, HOUR_US)
    with _conducted(clock) as conductor:
        until(lambda: clock.now_us() >= HOUR_US)
        _chances(conductor)
        assert clock.now_us() < 2 * HOUR_US  # the daemon has not been served yet
        conductor.skips_daemons = True
        until(lambda: clock.now_us() >= 2 * HOUR_US)


def test_a_stopped_process_holds_nothing_until_it_goes_on(
    clock: SharedClock, slots: tuple[Slot, Slot]
) -> None:
    """It may be stopped for hours; once it goes on, what it does counts again."""
    child = spawn("stay_busy", clock.path, "node")
    try:
        until(lambda: clock.looks()[2].pid == child.pid)
        with _conducted(clock) as conductor:
            _chances(conductor)
            assert clock.now_us() < HOUR_US
            child.send_signal(signal.SIGSTOP)
            until(lambda: clock.now_us() >= HOUR_US)
            child.send_signal(signal.SIGCONT)
            slots[0].due(2 * HOUR_US)
            _chances(conductor)
            assert clock.now_us() < 2 * HOUR_US
    finally:
        child.kill()
        child.wait()


def test_a_killed_process_holds_nothing(clock: SharedClock, slots: tuple[Slot, Slot]) -> None:
    """Dead before it was waited for, too: a zombie."""
    child = spawn("stay_busy", clock.path, "node")
    try:
        until(lambda: clock.looks()[2].pid == child.pid)
        with _conducted(clock):
            child.kill()
            until(lambda: clock.now_us() >= HOUR_US)
    finally:
        child.kill()
        child.wait()


def test_what_ends_the_conductor_is_raised(clock: SharedClock, slots: tuple[Slot, Slot]) -> None:
    """A clock that nobody conducts any more would only look slow."""

    def broken() -> bool:
        raise ZeroDivisionError

    conductor = Conductor(clock, may_leap=broken)
    conductor.start()
    conductor._thread.join(60)
    with pytest.raises(RuntimeError, match="conductor of the run failed: ZeroDivisionError"):
        conductor.check()
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        conductor.close()


def test_real_moments_are_found_in_run_time(clock: SharedClock, slots: tuple[Slot, Slot]) -> None:
    """What the database stamped with the wall's clock gets the run time at which it happened, in order."""
    readings = []
    with _conducted(clock) as conductor:
        for hours in range(1, 6):
            slots[0].due(hours * HOUR_US)
            slots[1].due(hours * HOUR_US)
            until(lambda hours=hours: clock.now_us() >= hours * HOUR_US)  # type: ignore[misc]
            readings += [(clock.now_us(), time.time_ns() // 1000, clock.now_us()) for _ in range(3)]
    for before_us, real_us, after_us in readings:
        assert before_us - 1000 <= conductor.to_run_us(real_us) <= after_us + 1000
    mapped = [conductor.to_run_us(real_us) for _, real_us, _ in readings]
    assert all(one <= other for one, other in pairwise(mapped))
    assert conductor.to_run_us(readings[0][1] - 3_600_000_000) == 0
