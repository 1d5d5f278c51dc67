"""Without the garbage collector, as bulk runs go, what is over must be gone at once."""

from __future__ import annotations

import gc
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from sim.kernel import Future, Kernel, Task, TimedOut, Timer, gather, sleep, sleep_daemon, wait_for
from sim.network import Loss
from sim.network.exchange import Exchange
from tests.sim.network.net import LONG, Net

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator


@pytest.fixture(autouse=True)
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def left_over() -> int:
    """How many objects of a run's making are alive."""
    kinds = (Future, Task, Timer, Exchange, TimedOut, KeyError)
    return sum(isinstance(thing, kinds) for thing in gc.get_objects())


async def fail() -> None:
    await sleep(1)
    raise KeyError


async def future_timed_out(kernel: Kernel) -> None:
    await wait_for(Future(kernel), 1)


async def future_in_time(kernel: Kernel) -> None:
    future = Future(kernel)
    kernel.call_at(kernel.now + 1, future.set, 1)
    await wait_for(future, 10)


async def future_failed(kernel: Kernel) -> None:
    future = Future(kernel)
    kernel.call_at(kernel.now + 1, future.fail, KeyError())
    await future


async def task_awaited(kernel: Kernel) -> None:
    await kernel.spawn(fail())


async def daemon_failed(kernel: Kernel) -> None:
    async def poll() -> None:
        await sleep_daemon(1)
        raise KeyError

    await wait_for(kernel.spawn(poll()), 10)


async def task_timed_out(kernel: Kernel) -> None:
    await wait_for(kernel.spawn(sleeper()), 1)


async def sleeper() -> None:
    await sleep(2)


async def tasks_gathered(kernel: Kernel) -> None:
    await gather(kernel.spawn(fail()), kernel.spawn(sleeper()))


async def task_cancelled(kernel: Kernel) -> None:
    kernel.spawn(sleeper()).cancel()


@pytest.mark.parametrize(
    "wait",
    [
        future_timed_out,
        future_in_time,
        future_failed,
        task_awaited,
        daemon_failed,
        task_timed_out,
        tasks_gathered,
        task_cancelled,
    ],
)
def test_a_wait_that_is_over_leaves_nothing(wait: Callable[[Kernel], Awaitable[None]]) -> None:
    """In time, too late or by an error: a hundred more waits leave no more behind than ten."""
    kernel = Kernel()
    counts: list[int] = []

    async def again(times: int) -> None:
        for _ in range(times):
            with suppress(TimedOut, KeyError):
                await wait(kernel)
            await sleep(20)

    for times in (10, 100):
        kernel.spawn(again(times))
        assert kernel.run_until_idle(LONG)
        counts.append(left_over())
    assert counts[0] == counts[1]


@pytest.mark.parametrize("request_us", [0, 10])
@pytest.mark.parametrize("lost", [False, True])
def test_a_call_that_is_over_leaves_nothing(request_us: int, lost: bool) -> None:
    """Answered at once, after a wait, or never."""
    net = Net()
    if lost:
        net.network.add(Loss())
    counts = []
    for calls in (10, 100):
        for _ in range(calls):
            net.call(request_us, timeout_us=2_000)
        counts.append(left_over())
    assert counts[0] == counts[1]
