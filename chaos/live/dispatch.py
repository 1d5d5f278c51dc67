"""Sends messages as the storm will have it, from an end that is ours, on asyncio.

To whom a struck message goes, nothing shows: it does not come, comes twice, or comes late. Its sender learns what
the caller of such a call learns in the simulated world (`sim.network.exchange`): of a message that is lost, or whose answer is,
nothing until its time is up; of a doubled one the first answer. A message that is held back longer than its
sender waits arrives all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import aiohttp

from chaos.live.timers import AsyncTimers
from chaos.messages import Fate

T = TypeVar("T")

FAILURES = (aiohttp.ClientError, OSError)
"""How a message may fail. A TimeoutError is an OSError."""


class Dispatch:
    """Messages under way. To be closed."""

    def __init__(self, timers: AsyncTimers, failed: Callable[[BaseException], None]) -> None:
        """`failed` hears of a bug in what was started."""
        self._timers = timers
        self._failed = failed
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Let it go on by itself."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def send(self, exchange: Callable[[], Awaitable[T]], timeout_us: int, fate: Fate | None) -> T:
        """What `exchange`, which sends the message once, gives. Raises one of FAILURES.

        What a copy comes to counts when it is an answer, and the first; that it fails counts for nothing.
        """
        if fate is None:
            return await self._exchanged(exchange, timeout_us)
        heard: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        async def arrive(after_us: int, *, copy: bool) -> None:
            await self._timers.sleep(after_us)
            try:
                answer = await self._exchanged(exchange, timeout_us)
            except FAILURES as error:
                if fate.answered and not copy and not heard.done():
                    heard.set_exception(error)
            else:
                if fate.answered and not heard.done():
                    heard.set_result(answer)

        for number, after_us in enumerate(fate.arrivals_us):
            self.start(arrive(after_us, copy=number > 0))
        return await self._timers.within(timeout_us, heard)

    async def close(self) -> None:
        """Nothing is under way any more."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _exchanged(self, exchange: Callable[[], Awaitable[T]], timeout_us: int) -> T:
        with self._timers.working():
            return await self._timers.within(timeout_us, exchange())

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._failed(error)
