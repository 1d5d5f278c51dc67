from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.live.clock import FOREVER_US, SharedClock
from chaos.live.conductor import Conductor
from chaos.live.paced import PacedKernel
from sim.kernel import Future, HarnessError, Kernel, TimedOut, sleep, wait_for
from tests.chaos.live.hosts import HOUR_US, until

GEVENT = """
from gevent import monkey
monkey.patch_all()
import sys
from pathlib import Path
import gevent
from chaos.live.clock import SharedClock
from chaos.live.paced import PacedKernel
from sim.kernel import Future, Kernel, sleep

clock, kernel, other_turns = SharedClock.open(Path(sys.argv[1])), Kernel(), 0
slot = clock.slot("locust")
paced = PacedKernel(kernel, clock, slot)

async def person():
    for hour in range(1, 6):
        await sleep(hour * 3_600_000_000 - kernel.now)
        answer = Future(kernel)
        with slot.working():
            gevent.spawn_later(0.01, lambda: paced.inject(answer.set, hour))
            assert await answer == hour

def other():
    global other_turns
    while True:
        gevent.sleep(0.001)
        other_turns += 1

task = kernel.spawn(person())
gevent.spawn(other)
paced.run(lambda: task.done)
print(clock.now_us() // 3_600_000_000, other_turns > 0)
slot.close()
clock.close()
"""


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[SharedClock]:
    clock = SharedClock.create(tmp_path / "clock", 2)
    yield clock
    clock.close()


async def _hours(kernel: Kernel, clock: SharedClock, seen: list[tuple[int, bool]]) -> None:
    for hour in range(1, 25):
        await sleep(hour * HOUR_US - kernel.now)
        seen.append((hour, clock.now_us() >= hour * HOUR_US))


def test_an_unmodified_kernel_lives_by_the_shared_clock(clock: SharedClock) -> None:
    """Each sleep ends when the clock says so, and the conductor leaps from one to the next."""
    kernel, slot, seen = Kernel(), clock.slot("people"), list[tuple[int, bool]]()
    task = kernel.spawn(_hours(kernel, clock, seen))
    with Conductor(clock) as conductor:
        PacedKernel(kernel, clock, slot).run(lambda: task.done)
    assert seen == [(hour, True) for hour in range(1, 25)]
    assert conductor.figures.leaps >= 24
    assert clock.looks()[0].due_us == FOREVER_US
    slot.close()


def test_an_answer_from_a_real_thread_reaches_its_coroutine(clock: SharedClock) -> None:
    """Injected at the present, not at the time at which the kernel last did something."""
    kernel, slot = Kernel(), clock.slot("people")
    paced = PacedKernel(kernel, clock, slot)
    found: list[object] = []

    async def person() -> None:
        await sleep(HOUR_US)
        answer = Future(kernel)
        with slot.working():
            threading.Timer(0.1, paced.inject, (answer.set, "paid")).start()
            found.append(await answer)
        found.append(HOUR_US + 90_000 <= kernel.now < 2 * HOUR_US)

    task = kernel.spawn(person())
    kernel.call_at(3 * HOUR_US, found.append, "never: we end before")
    with Conductor(clock, old_s=1e9):
        paced.run(lambda: task.done)
    assert found == ["paid", True]
    slot.close()


def test_a_time_out_inside_the_kernel_comes_by_run_time(clock: SharedClock) -> None:
    """Nobody answers; while the call counts as under way, time hastens to the time-out."""
    kernel, slot = Kernel(), clock.slot("people")

    async def person() -> str:
        with slot.working():
            try:
                await wait_for(Future(kernel), 5_000_000)
            except TimedOut:
                return "timed out"
        return "answered"

    task = kernel.spawn(person())
    with Conductor(clock, old_s=0.02, haste=50) as conductor:
        PacedKernel(kernel, clock, slot).run(lambda: task.done)
    assert task.value == "timed out"
    assert conductor.figures.hasty_s > 0
    slot.close()


def test_an_error_in_the_kernel_ends_the_run(clock: SharedClock) -> None:
    """As in the simulator: a task that nobody awaits may not fail unheard."""
    kernel, slot = Kernel(), clock.slot("people")

    async def person() -> None:
        await sleep(HOUR_US)
        raise KeyError("x")

    kernel.spawn(person(), "person")
    with Conductor(clock), pytest.raises(HarnessError, match="task 'person' failed"):
        PacedKernel(kernel, clock, slot).run(lambda: False)
    slot.close()


def test_nothing_of_the_kernel_is_polled(clock: SharedClock) -> None:
    """Before the run begins, and while nothing is due, the thread just blocks."""
    kernel, slot, ends = Kernel(), clock.slot("people"), list[bool]()
    paced = PacedKernel(kernel, clock, slot)
    kernel.call_at(1000, lambda: None)
    thread = threading.Thread(target=paced.run, args=(lambda: bool(ends),))
    thread.start()
    until(lambda: bool(clock.looks()[0].idle))
    ops = clock.looks()[0].ops
    time.sleep(0.1)
    assert clock.looks()[0].ops == ops
    clock.begin()
    until(lambda: kernel.now >= 1000)
    paced.inject(ends.append, True)
    thread.join(60)
    assert not thread.is_alive()
    slot.close()


def test_whoever_runs_a_kernel_is_asked_though_nothing_falls_due(clock: SharedClock) -> None:
    """A process that holds the clock must not keep a run from noticing that its real time is spent."""
    kernel, asked = Kernel(), 0
    slot = clock.slot("orchestrator")
    paced = PacedKernel(kernel, clock, slot)
    clock.begin()  # nobody conducts it: the next hour takes an hour

    def third() -> bool:
        nonlocal asked
        asked += 1
        return asked == 3

    def stuck() -> None:
        raise AssertionError("it was not asked")

    kernel.call_at(HOUR_US, lambda: None)
    alarm = threading.Timer(60, paced.inject, (stuck,))
    alarm.start()
    try:
        paced.run(third, 0.01)
    finally:
        alarm.cancel()
        alarm.join()
        slot.close()
    assert kernel.now < HOUR_US


def test_the_same_code_runs_under_gevent_beside_other_greenlets(clock: SharedClock) -> None:
    """Locust patches the standard library; the pacing greenlet blocks itself only."""
    program = subprocess.Popen(
        [sys.executable, "-c", GEVENT, str(clock.path)], stdout=subprocess.PIPE, text=True
    )
    until(lambda: clock.looks()[0].idle > 0)
    with Conductor(clock, old_s=1e9):
        printed, _ = program.communicate(timeout=60)
    assert printed.split() == ["5", "True"]
