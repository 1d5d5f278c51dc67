from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos.live.clock import SharedClock
from chaos.live.conductor import Conductor
from chaos.live.slots import FOREVER_US
from chaos.live.timers import AsyncTimers, run
from reference_platform.adapters.waits import Waits
from sim.counterparties.host import Timers
from tests.chaos.live.hosts import HOUR_US

Main = Callable[[AsyncTimers], Coroutine[Any, Any, Any]]


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[SharedClock]:
    clock = SharedClock.create(tmp_path / "clock", 2)
    yield clock
    clock.close()


def _run(clock: SharedClock, main: Main) -> Any:
    """On a conducted clock, so that hours pass in a moment."""
    with Conductor(clock):
        return run(clock, clock.slot("mine"), main)


def test_calls_come_in_order_of_their_time(clock: SharedClock) -> None:
    """Not in the order in which they were asked for; at one time, that order."""
    called: list[tuple[str, bool]] = []

    async def main(timers: AsyncTimers) -> None:
        for name, hours in (("c", 3), ("a", 1), ("b", 2), ("B", 2)):
            timers.call_at(
                hours * HOUR_US,
                lambda name, at_us: called.append((name, timers.now >= at_us)),
                name,
                hours * HOUR_US,
            )
        await timers.sleep_until(4 * HOUR_US)

    _run(clock, main)
    assert called == [("a", True), ("b", True), ("B", True), ("c", True)]


def test_a_call_in_the_past_is_made_on_the_next_turn(clock: SharedClock) -> None:
    """Never inside `call_at`, where its caller is in the middle of something."""

    async def main(timers: AsyncTimers) -> list[int]:
        called: list[int] = []
        timers.call_at(-5, called.append, 1)
        assert called == []
        await timers.sleep(0)
        return called

    assert _run(clock, main) == [1]


def test_a_cancelled_call_is_not_made_and_not_waited_for(clock: SharedClock) -> None:
    """The conductor must not stop where nothing happens any more."""
    called: list[str] = []

    async def main(timers: AsyncTimers) -> int:
        timer = timers.call_at(HOUR_US, called.append, "cancelled")
        timers.call_at(2 * HOUR_US, called.append, "made").cancel  # noqa: B018 - not cancelled
        timer.cancel()
        timer.cancel()
        due_us = clock.looks()[0].due_us
        await timers.sleep_until(3 * HOUR_US)
        return due_us

    assert _run(clock, main) == 2 * HOUR_US
    assert called == ["made"]


def test_an_error_of_a_timed_call_ends_the_program(clock: SharedClock) -> None:
    """The loop alone would only log it, and the run would go on without what the call was for."""

    async def main(timers: AsyncTimers) -> None:
        timers.call_at(HOUR_US, lambda: 1 // 0)
        await timers.sleep_until(2 * HOUR_US)
        raise AssertionError("not reached")

    with pytest.raises(ZeroDivisionError):
        _run(clock, main)


def test_within_gives_the_result_or_times_out_by_run_time(clock: SharedClock) -> None:
    """What took too long is cancelled, and the timer of what did not is gone."""

    async def main(timers: AsyncTimers) -> list[object]:
        async def after(us: int) -> str:
            await timers.sleep(us)
            return "in time"

        found: list[object] = [await timers.within(2 * HOUR_US, after(HOUR_US))]
        found.append(clock.looks()[0].due_us == FOREVER_US)
        slow = asyncio.ensure_future(after(3 * HOUR_US))
        with pytest.raises(TimeoutError):
            await timers.within(HOUR_US, slow)
        found.append(slow.cancelled())
        found.append(2 <= timers.now / HOUR_US < 3)
        return found

    assert _run(clock, main) == ["in time", True, True, True]


def test_an_error_within_is_the_callers(clock: SharedClock) -> None:
    """It arrives as it is, and no timer is left."""

    async def main(timers: AsyncTimers) -> int:
        async def fails() -> None:
            await timers.sleep(HOUR_US)
            raise KeyError("x")

        with pytest.raises(KeyError):
            await timers.within(2 * HOUR_US, fails())
        return clock.looks()[0].due_us

    assert _run(clock, main) == FOREVER_US


def test_the_slot_is_idle_exactly_while_the_loop_blocks(clock: SharedClock) -> None:
    """Code that runs is never taken for waiting."""
    found: list[int] = []

    async def main(timers: AsyncTimers) -> None:
        found.append(clock.looks()[0].idle)
        blocked = asyncio.get_running_loop().run_in_executor(None, _look_until_idle, clock)
        assert await blocked
        timers.call_at(timers.now + 1000, lambda: found.append(clock.looks()[0].idle))
        await timers.sleep(2000)
        found.append(clock.looks()[0].idle)

    clock.begin()
    run(clock, clock.slot("mine"), main)
    assert found == [0, 0, 0]
    assert clock.looks()[0].pid == 0


def _look_until_idle(clock: SharedClock) -> bool:
    return any(clock.looks()[0].idle for _ in range(1_000_000))


def test_daemons_are_published_apart(clock: SharedClock) -> None:
    """The conductor decides whether to stop for them; they are called in any case."""

    async def main(timers: AsyncTimers) -> list[object]:
        called: list[object] = []
        timers.call_at(HOUR_US, called.append, "daemon", daemon=True)
        timers.call_at(2 * HOUR_US, called.append, "work")
        look = clock.looks()[0]
        called.append((look.due_us, look.due_daemon_us))
        await timers.sleep_until(3 * HOUR_US, daemon=True)
        return called

    assert _run(clock, main) == [(2 * HOUR_US, HOUR_US), "daemon", "work"]


def test_nothing_comes_before_the_clock_is_begun(clock: SharedClock) -> None:
    """What was asked for while the processes booted comes in its time, and nobody polls for it."""
    called: list[int] = []

    async def main(timers: AsyncTimers) -> None:
        timers.call_at(HOUR_US, called.append, 1)
        timers.call_at(1, called.append, 0)
        await asyncio.sleep(0.05)
        assert called == []
        turns = clock.looks()[0].ops
        await asyncio.sleep(0.05)
        assert clock.looks()[0].ops - turns < 5
        conductor = Conductor(clock)
        conductor.start()
        await timers.sleep_until(HOUR_US)
        conductor.close()

    run(clock, clock.slot("mine"), main)
    assert called == [0, 1]


def test_ctrl_c_cancels_the_program_and_is_raised(clock: SharedClock) -> None:
    """Cleanup runs; the caller decides on the exit code."""
    cleaned: list[bool] = []

    async def main(timers: AsyncTimers) -> None:
        try:
            asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGINT)
            await timers.sleep_until(HOUR_US)
        finally:
            cleaned.append(True)

    clock.begin()
    with pytest.raises(KeyboardInterrupt):
        run(clock, clock.slot("mine"), main)
    assert cleaned == [True]
    assert clock.looks()[0].pid == 0


def test_timers_serve_counterparties_and_adapters(clock: SharedClock) -> None:
    """They are what both ask of a host; mypy checks the signatures."""

    async def main(timers: AsyncTimers) -> None:
        for_counterparty: Timers = timers
        for_adapter: Waits = timers
        for_counterparty.call_at(0, lambda: None)
        with for_adapter.working():
            assert clock.looks()[0].working == 1
        assert for_adapter.now_us() == 0

    run(clock, clock.slot("mine"), main)
