"""Waiting by the wall clock: what an adapter uses where time is simply time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from contextlib import AbstractContextManager, nullcontext

from reference_platform.adapters.waits import T


class WallWaits:
    """Implements `Waits` on asyncio; its zero is that of the machine's monotonic clock."""

    def now_us(self) -> int:
        return time.monotonic_ns() // 1_000

    async def sleep(self, us: int, *, daemon: bool = False) -> None:  # noqa: ARG002 - nobody asks here
        await asyncio.sleep(us / 1_000_000)

    async def within(self, us: int, awaitable: Awaitable[T], *, daemon: bool = False) -> T:  # noqa: ARG002
        async with asyncio.timeout(us / 1_000_000):
            return await awaitable

    def working(self) -> AbstractContextManager[None]:
        return nullcontext()
