"""Futures, tasks and the waits a coroutine has: no value lost, no error unheard, no wake-up too many."""

from __future__ import annotations

from typing import Any

import pytest

from sim.kernel import (
    Cancelled,
    Future,
    HarnessError,
    Kernel,
    NodeDead,
    TimedOut,
    gather,
    sleep,
    sleep_daemon,
    wait_for,
)

LONG = 1_000_000


async def after(us: int, value: object = None, error: Exception | None = None) -> object:
    await sleep(us)
    if error is not None:
        raise error
    return value


def test_a_future_hands_its_value_to_the_waiting_task_in_the_same_microsecond() -> None:
    """Setting twice keeps the first value."""
    kernel = Kernel()
    seen: list[Any] = []
    future = Future(kernel)

    async def main() -> None:
        seen.append((await future, kernel.now))

    kernel.spawn(main())
    kernel.call_at(30, future.set, "first")
    kernel.call_at(30, future.set, "second")
    kernel.run_until(LONG)
    assert seen == [("first", 30)]


def test_a_future_awaited_by_two_tasks_is_an_error_of_the_harness() -> None:
    """The second would never wake, so it is told at once."""
    kernel = Kernel()
    future = Future(kernel)

    async def wait() -> None:
        await future

    kernel.spawn(wait())
    kernel.spawn(wait())
    with pytest.raises(HarnessError, match="two tasks"):
        kernel.run_until(LONG)


def test_awaiting_a_task_gives_its_value_or_its_error() -> None:
    """Before or after it ended."""
    kernel = Kernel()
    seen: list[Any] = []

    async def main() -> None:
        seen.append(await kernel.spawn(after(10, "value")))
        early = kernel.spawn(after(1, "early"))
        await sleep(5)
        seen.append(await early.result)
        try:
            await kernel.spawn(after(10, error=KeyError("lost")))
        except KeyError as error:
            seen.append(error.args)

    kernel.spawn(main())
    kernel.run_until(LONG)
    assert seen == ["value", "early", ("lost",)]


def test_an_error_is_raised_once_and_never_turns_into_a_value() -> None:
    """Awaiting it again is an error of the harness; a time-out stays a time-out."""
    kernel = Kernel()
    failed, late = Future(kernel), Future(kernel)
    failed.fail(KeyError("lost"))

    async def main() -> None:
        with pytest.raises(KeyError):
            await failed
        with pytest.raises(HarnessError, match="raised before"):
            await failed
        with pytest.raises(TimedOut):
            await wait_for(late, 10)
        with pytest.raises(TimedOut):
            await late

    kernel.spawn(main())
    assert kernel.run_until_idle(LONG)


def test_an_error_that_nobody_awaits_ends_the_run_and_names_the_task() -> None:
    """The default for tasks without an owner."""
    kernel = Kernel()
    kernel.spawn(after(5, error=KeyError("lost")), "sweeper")
    with pytest.raises(HarnessError, match="'sweeper' failed: KeyError") as caught:
        kernel.run_until(LONG)
    assert isinstance(caught.value.__cause__, KeyError)


def test_gather_waits_for_all_and_then_raises_the_first_error_in_order_of_tasks() -> None:
    """An error while others still run is not unheard."""
    kernel = Kernel()
    seen: list[Any] = []

    async def main() -> None:
        seen.append(await gather(*(kernel.spawn(after(us, us)) for us in (30, 10, 20))))
        try:
            await gather(
                kernel.spawn(after(30, 1)),
                kernel.spawn(after(20, error=KeyError("b"))),
                kernel.spawn(after(10, error=KeyError("c"))),
            )
        except KeyError as error:
            seen.append((error.args, kernel.now))

    kernel.spawn(main())
    kernel.run_until(LONG)
    assert seen == [[30, 10, 20], (("b",), 60)]


def test_wait_for_times_out_and_tells_the_setter() -> None:
    """The future is done then, so a lock or a value is not handed to somebody who left."""
    kernel = Kernel()
    seen: list[Any] = []
    future = Future(kernel)

    async def main() -> None:
        with pytest.raises(TimedOut):
            await wait_for(future, 100)
        seen.append((kernel.now, future.done))

    kernel.spawn(main())
    kernel.call_at(150, future.set, "too late")
    kernel.run_until(LONG)
    assert seen == [(100, True)]
    assert future.value is None


def test_wait_for_leaves_no_timer_behind() -> None:
    """A value in time cancels the time-out: nothing is pending afterwards."""
    kernel = Kernel()
    seen: list[Any] = []
    future = Future(kernel)

    async def main() -> None:
        seen.append(await wait_for(future, 50_000))

    kernel.spawn(main())
    kernel.call_at(10, future.set, "value")
    assert kernel.run_until_idle(LONG)
    assert (seen, kernel.now) == (["value"], 10)


def test_a_daemon_wait_is_not_pending_but_a_plain_one_is() -> None:
    """A listener's time-out keeps no run alive; a caller's does."""
    for daemon, end in ((True, 0), (False, 500)):
        kernel = Kernel()

        async def main(kernel: Kernel = kernel, daemon: bool = daemon) -> None:
            with pytest.raises(TimedOut):
                await wait_for(Future(kernel), 500, daemon=daemon)

        task = kernel.spawn(main())
        assert kernel.run_until_idle(LONG)
        assert kernel.now == end
        kernel.run_until(LONG)
        assert task.done


def test_a_task_that_is_waited_for_too_long_goes_on_unharmed() -> None:
    """Its value can still be awaited, and its error is still heard of."""
    kernel = Kernel()
    seen: list[Any] = []

    async def main() -> None:
        task = kernel.spawn(after(100, "value"))
        with pytest.raises(TimedOut):
            await wait_for(task, 10)
        seen.append(await wait_for(task, 1_000))
        failing = kernel.spawn(after(100, error=KeyError("later")), "failing")
        with pytest.raises(TimedOut):
            await wait_for(failing, 10)
        await sleep(1_000)

    kernel.spawn(main())
    with pytest.raises(HarnessError, match="'failing'"):
        kernel.run_until(LONG)
    assert seen == ["value"]


def test_a_cancelled_task_cleans_up_and_its_old_wake_up_does_nothing() -> None:
    """The sleep that was cut short must not wake the cleanup's own sleep."""
    kernel = Kernel()
    seen: list[Any] = []

    async def victim() -> None:
        try:
            await sleep(100)
        except Cancelled:
            seen.append(("cancelled", kernel.now))
            await sleep(500)
            seen.append(("cleaned up", kernel.now))
            raise

    async def main() -> None:
        task = kernel.spawn(victim())
        await sleep(40)
        task.cancel()
        with pytest.raises(Cancelled):
            await task
        seen.append(("over", kernel.now))
        task.cancel()

    kernel.spawn(main())
    kernel.run_until(LONG)
    assert seen == [("cancelled", 40), ("cleaned up", 540), ("over", 540)]


def test_a_future_can_be_awaited_again_after_its_waiter_was_cancelled() -> None:
    """The one who left is not woken, and does not block the next."""
    kernel = Kernel()
    seen: list[Any] = []
    future = Future(kernel)

    async def wait(name: str) -> None:
        seen.append((name, await future))

    first = kernel.spawn(wait("first"))
    kernel.call_at(10, first.cancel)
    kernel.call_at(20, lambda: kernel.spawn(wait("second")))
    kernel.call_at(30, future.set, "value")
    kernel.run_until(LONG)
    assert seen == [("second", "value")]


def test_a_task_cannot_cancel_itself() -> None:
    """It can simply return."""
    kernel = Kernel()

    async def main() -> None:
        task.cancel()

    task = kernel.spawn(main(), "suicidal")
    with pytest.raises(HarnessError, match="cannot cancel itself"):
        kernel.run_until(LONG)


def test_a_dropped_task_runs_no_more_and_whoever_awaits_it_learns() -> None:
    """Its cleanup runs at once and cannot await; what the cleanup raises is void."""
    kernel = Kernel()
    seen: list[Any] = []

    async def stubborn() -> None:
        try:
            await sleep(100)
        finally:
            seen.append("cleanup")
            await sleep(1)
            seen.append("never")

    async def main() -> None:
        task = kernel.spawn(stubborn())
        kernel.call_at(10, task.drop)
        with pytest.raises(NodeDead):
            await task
        seen.append(kernel.now)

    kernel.spawn(main())
    kernel.run_until(LONG)
    assert seen == ["cleanup", 10]


def test_a_task_that_drops_itself_goes_no_further_than_its_next_await() -> None:
    """It is on the stack, so it cannot be closed on the spot."""
    kernel = Kernel()
    seen: list[Any] = []

    async def main() -> None:
        task.drop()
        seen.append("last words")
        await sleep(10)
        seen.append("never")

    task = kernel.spawn(main())
    assert kernel.run_until_idle(LONG)
    assert (seen, kernel.now) == (["last words"], 0)


def test_what_a_task_raises_after_its_own_end_is_void() -> None:
    """It was dropped while it ran; nobody is left to be told."""
    kernel = Kernel()

    async def main() -> None:
        task.drop()
        raise KeyError

    task = kernel.spawn(main())
    assert kernel.run_until_idle(LONG)
    assert isinstance(task.error, NodeDead)


def test_a_cleanup_that_awaits_for_ever_is_reported() -> None:
    """Closing it cannot succeed, and pretending otherwise would leave it half alive."""
    kernel = Kernel()

    async def immortal() -> None:
        for _ in range(150):
            try:
                await sleep_daemon(10)
            except GeneratorExit:
                continue

    task = kernel.spawn(immortal(), "immortal")
    kernel.run_until(5)
    with pytest.raises(HarnessError, match="'immortal' cannot be closed"):
        task.drop()
    task.drop()  # it gives in at last; nothing is left for the garbage collector
