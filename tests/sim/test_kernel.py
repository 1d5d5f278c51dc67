"""The kernel's promises: SimPy's order, cheap waits that leave nothing behind, and no error unheard."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.kernel import HarnessError, Kernel, sleep, sleep_daemon

if TYPE_CHECKING:
    from collections.abc import Generator

LONG = 1_000_000
Plans = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=6), min_size=1, max_size=8)
Trace = list[tuple[int, int, int]]


class OddError(Exception):
    """An exception that cannot be rebuilt from its args."""

    def __init__(self, code: int, *, detail: str) -> None:
        super().__init__(f"{code} {detail}")


# ---------------------------------------------------------------- order


def test_entries_due_at_one_time_run_in_the_order_they_were_scheduled() -> None:
    """Ties are broken by order of scheduling, whatever kind of entry it is."""
    kernel = Kernel()
    seen: list[Any] = []

    async def task() -> None:
        await sleep(10)
        seen.append("task")

    def process() -> Generator[simpy.Event, Any, None]:
        yield kernel.timeout(10)
        seen.append("process")

    kernel.spawn(task())
    kernel.process(process())  # SimPy starts processes before anything else that is due
    kernel.call_at(10, seen.append, "call")
    kernel.run_until(LONG)
    assert seen == ["call", "process", "task"]


@settings(max_examples=60, deadline=None)
@given(Plans)
def test_coroutines_interleave_exactly_as_simpy_processes_would(plans: list[list[int]]) -> None:
    """Every order of sleeps, zero included, gives the trace that plain SimPy gives."""
    kernel, ours, theirs = Kernel(), Trace(), Trace()
    env = simpy.Environment()

    async def coroutine(number: int, plan: list[int]) -> None:
        for turn, us in enumerate(plan):
            await sleep(us)
            ours.append((kernel.now, number, turn))

    def process(number: int, plan: list[int]) -> Generator[simpy.Event, Any, None]:
        for turn, us in enumerate(plan):
            yield env.timeout(us)
            theirs.append((int(env.now), number, turn))

    for number, plan in enumerate(plans):
        kernel.spawn(coroutine(number, plan))
        env.process(process(number, plan))
    kernel.run_until(LONG)
    env.run()
    assert ours == theirs


@settings(max_examples=60, deadline=None)
@given(Plans)
def test_simpy_models_run_on_the_kernel_as_on_simpy(plans: list[list[int]]) -> None:
    """Processes with timeouts, a shared desk, a store and interrupts give the same trace on both."""
    assert staff_trace(Kernel(), plans) == staff_trace(simpy.Environment(), plans)


def staff_trace(env: simpy.Environment, plans: list[list[int]]) -> Trace:
    """Everybody works through a plan at one desk, hands over a parcel, and may call the boss away."""
    trace: Trace = []
    desk = simpy.Resource(env, capacity=1)
    parcels = simpy.Store(env)

    def worker(number: int, plan: list[int]) -> Generator[simpy.Event, Any, None]:
        for turn, us in enumerate(plan):
            with desk.request() as place:
                yield place
                yield env.timeout(us)
            trace.append((int(env.now), number, turn))
            yield parcels.put(number)
            if us == 3 and boss.is_alive:
                boss.interrupt()

    def boss_day() -> Generator[simpy.Event, Any, None]:
        for _ in plans:
            try:
                parcel = yield parcels.get()
                trace.append((int(env.now), -1, parcel))
                yield env.timeout(1)
            except simpy.Interrupt:
                trace.append((int(env.now), -2, 0))

    boss = env.process(boss_day())
    for number, plan in enumerate(plans):
        env.process(worker(number, plan))
    env.run(until=200)
    return trace


def test_the_trace_is_the_same_in_another_process_with_another_hash_seed() -> None:
    """Nothing in the kernel depends on hashes, addresses or the machine."""
    program = (
        "from sim.kernel import Kernel, sleep, Future, wait_for, TimedOut\n"
        "k = Kernel(); seen = []\n"
        "async def a(n):\n"
        "    for i in range(20):\n"
        "        f = Future(k)\n"
        "        t = k.call_at(k.now + (n * i) % 7, f.set, i)\n"
        "        try: seen.append((k.now, n, await wait_for(f, 3)))\n"
        "        except TimedOut: seen.append((k.now, n, 'late'))\n"
        "for n in range(20): k.spawn(a(n))\n"
        "k.run_until(10_000); print(seen)\n"
    )
    traces = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert traces[0] == traces[1]
    assert "late" in traces[0]
    assert len(traces[0]) > 1000


# ---------------------------------------------------------------- SimPy on the kernel


def test_a_coroutine_awaits_a_simpy_event() -> None:
    """`event_done` gives the event's value, also of an event long processed."""
    kernel = Kernel()
    seen: list[Any] = []

    async def main() -> None:
        seen.append(await kernel.event_done(kernel.timeout(25, value="tea")))
        done = kernel.timeout(1, value="cake")
        await sleep(50)
        seen.append(await kernel.event_done(done))
        seen.append(kernel.now)

    kernel.spawn(main())
    kernel.run_until(LONG)
    assert seen == ["tea", "cake", 75]


def test_a_coroutine_shares_a_simpy_resource_with_processes() -> None:
    """Staff modelled in SimPy serve platform coroutines and processes in one queue."""
    kernel = Kernel()
    seen: list[Any] = []
    desk = simpy.Resource(kernel, capacity=1)

    async def coroutine() -> None:
        with desk.request() as place:
            await kernel.event_done(place)
            await sleep(10)
        seen.append(("coroutine", kernel.now))

    def process() -> Generator[simpy.Event, Any, None]:
        with desk.request() as place:
            yield place
            yield kernel.timeout(10)
        seen.append(("process", kernel.now))

    kernel.spawn(coroutine())
    kernel.run_until(1)
    kernel.process(process())
    kernel.run_until(LONG)
    assert seen == [("coroutine", 10), ("process", 20)]


def test_a_failed_event_raises_its_own_error_in_the_coroutine() -> None:
    """SimPy would rebuild the error from its args, which this one does not survive."""
    kernel = Kernel()
    seen: list[Any] = []
    error = OddError(7, detail="odd")

    async def main() -> None:
        try:
            await kernel.event_done(kernel.event().fail(error))
        except OddError as caught:
            seen.append(caught)

    kernel.spawn(main())
    kernel.run_until(LONG)
    assert seen == [error]


def test_a_failed_event_that_nobody_handles_ends_the_run_with_its_own_error() -> None:
    """Failures are never swallowed, nor copied."""
    kernel, error = Kernel(), OddError(7, detail="odd")
    kernel.event().fail(error)
    with pytest.raises(OddError) as caught:
        kernel.run_until(LONG)
    assert caught.value is error


def test_simpys_own_run_works_until_a_time_and_until_an_event() -> None:
    """`env.run` handles tasks, light calls and events alike, and stops before what is due at its end."""
    kernel = Kernel()
    seen: list[Any] = []

    async def task() -> str:
        await sleep(30)
        return "done"

    def process() -> Generator[simpy.Event, Any, str]:
        yield kernel.timeout(20)
        return "value"

    started = kernel.spawn(task())
    kernel.call_at(10, seen.append, 10)
    kernel.call_at(40, seen.append, 40)
    assert kernel.run(until=kernel.process(process())) == "value"
    assert kernel.now == 20
    kernel.run(until=40)
    assert (started.value, seen) == ("done", [10])
    kernel.run()
    assert seen == [10, 40]
    with pytest.raises(RuntimeError, match="No scheduled events left"):
        kernel.run(until=kernel.event())


def test_stopping_at_an_event_keeps_its_other_listeners_and_their_place() -> None:
    """They hear of it first when the run goes on, before processes that were started meanwhile."""
    assert stop_trace(Kernel()) == stop_trace(simpy.Environment()) == ["stopped", "listener", "started"]


def stop_trace(env: simpy.Environment) -> list[str]:
    """Run until an event that starts a process and has one more listener behind the end of the run."""
    trace: list[str] = []
    event = env.event()

    def process() -> Generator[simpy.Event, Any, None]:
        trace.append("started")
        yield env.timeout(1)

    def start(_: simpy.Event) -> None:
        env.process(process())

    def open_up(_: simpy.Event) -> None:
        event.succeed()

    event.callbacks.append(start)
    env.timeout(5).callbacks.append(open_up)
    env.timeout(2).callbacks.append(lambda _: event.callbacks.append(lambda _: trace.append("listener")))
    env.run(until=event)
    trace.append("stopped")
    env.run()
    return trace


def test_a_fraction_of_a_microsecond_is_refused() -> None:
    """Virtual time is whole microseconds, for SimPy models too."""
    with pytest.raises(TypeError, match="whole microseconds"):
        Kernel().timeout(0.5)


# ---------------------------------------------------------------- running


def test_run_until_includes_its_end_and_leaves_the_clock_there() -> None:
    """What is due at the end runs; what is due later stays."""
    kernel = Kernel()
    seen: list[Any] = []
    for at_us in (5, 10, 11):
        kernel.call_at(at_us, seen.append, at_us)
    kernel.run_until(10)
    assert (seen, kernel.now, kernel.peek()) == ([5, 10], 10, 11)


def test_daemons_are_not_pending_work() -> None:
    """A poll that never ends does not keep the run alive, and the clock stays at the last real event."""
    kernel = Kernel()
    polls: list[int] = []

    async def poll() -> None:
        while True:
            await sleep_daemon(1_000)
            polls.append(kernel.now)

    async def work() -> None:
        await sleep(2_500)

    kernel.spawn(poll())
    kernel.spawn(work())
    assert kernel.run_until_idle(LONG)
    assert (polls, kernel.now) == ([1_000, 2_000], 2_500)
    kernel.run_until(3_000)
    assert polls == [1_000, 2_000, 3_000]


def test_work_that_a_daemon_starts_is_pending() -> None:
    """The poll's own statements are work; only its sleep is not."""
    kernel = Kernel()
    seen: list[Any] = []

    async def poll() -> None:
        while True:
            await sleep_daemon(10)
            await sleep(5)
            seen.append(kernel.now)

    kernel.spawn(poll())
    kernel.run_until(12)
    assert kernel.run_until_idle(LONG)
    assert seen == [15]


def test_run_until_idle_stops_at_its_limit_with_work_pending() -> None:
    """The answer is False and the clock stands at the limit."""
    kernel = Kernel()
    kernel.call_at(2_000, list)
    assert not kernel.run_until_idle(1_000)
    assert kernel.now == 1_000
    assert kernel.run_until_idle(3_000)
    assert kernel.now == 2_000


def test_cancelled_timers_are_neither_called_nor_pending() -> None:
    """Neither alone at their time nor among others, and cancelling twice or late does nothing."""
    kernel = Kernel()
    seen: list[Any] = []
    alone, first, second = (kernel.call_at(at, seen.append, at) for at in (10, 20, 20))
    alone.cancel()
    first.cancel()
    first.cancel()
    kernel.call_at(10, seen.append, "again at 10")
    assert kernel.run_until_idle(LONG)
    second.cancel()
    assert (seen, kernel.now) == (["again at 10", 20], 20)
    kernel.call_at(500, seen.append, 500).cancel()
    assert kernel.run_until_idle(LONG)
    assert kernel.now == 20


def test_cancelled_timers_do_not_pile_up() -> None:
    """A hundred thousand time-outs that never came leave a queue of bounded size."""
    kernel = Kernel()
    for at_us in range(1, 100_001):
        kernel.call_at(at_us + LONG, list).cancel()
    assert len(kernel._times) < 1_000
    assert not kernel._at


def test_skipping_makes_daemons_late_and_refuses_to_skip_work() -> None:
    """Polls that a skipped night would have seen come once, at its end, in order."""
    kernel = Kernel()
    woke: list[tuple[str, int]] = []

    async def poll(name: str, us: int) -> None:
        while True:
            await sleep_daemon(us)
            woke.append((name, kernel.now))

    kernel.spawn(poll("slow", 300))
    kernel.spawn(poll("fast", 100))
    assert kernel.run_until_idle(LONG)
    kernel.skip_to(5_000)
    assert (woke, kernel.now) == ([], 5_000)
    kernel.run_until(5_050)
    assert woke == [("fast", 5_000), ("slow", 5_000)]
    kernel.call_at(9_000, list)
    with pytest.raises(RuntimeError, match="work is pending"):
        kernel.skip_to(8_000)


def test_the_kernel_neither_runs_inside_itself_nor_backwards() -> None:
    """Both are errors of the harness."""
    kernel = Kernel()
    kernel.call_at(5, kernel.run_until, 10)
    with pytest.raises(RuntimeError, match="already running"):
        kernel.run_until(10)
    with pytest.raises(RuntimeError, match="it is 5 us already"):
        kernel.run_until(4)


def test_close_drops_what_is_still_queued() -> None:
    """After the end of a run no coroutine is left half-way: each cleans up now, not at some later time."""
    kernel = Kernel()
    seen: list[Any] = []

    async def task() -> None:
        try:
            await sleep(100)
        finally:
            seen.append("closed")

    kernel.spawn(task())
    kernel.run_until(10)
    kernel.spawn(task())
    kernel.close()
    assert seen == ["closed"]
    assert kernel.run_until_idle(LONG)


# ---------------------------------------------------------------- ends


def test_a_livelock_is_found_by_its_steps() -> None:
    """Coroutines that wake each other in one microsecond for ever end the run with an error."""
    kernel = Kernel()
    kernel.steps_max = 1_000

    async def spin() -> None:
        while True:
            await sleep(0)

    kernel.spawn(spin())
    with pytest.raises(HarnessError, match="1000 steps, at 0 us: a livelock"):
        kernel.run_until(LONG)


def test_as_many_steps_as_are_allowed_are_no_livelock() -> None:
    """The bound counts entries of the queue, and is met only by going beyond it."""
    kernel = Kernel()
    kernel.steps_max = 100
    done: list[int] = []
    for number in range(99):
        kernel.call_at(number, done.append, number)
    kernel.run_until(LONG)
    assert done == list(range(99))
