"""Waiting by the shared clock on asyncio: calls at a run time, sleeps, time-outs.

`AsyncTimers` is what a host gives to a counterparty (`sim.counterparties.host.Timers`) and to the adapters of
the platform (`reference_platform.adapters.waits.Waits`). While time runs at the wall's pace its earliest timer
is an ordinary timer of the loop; when the clock leaps, the conductor rings the slot's bell and the loop looks
again. There is no polling.

`run` starts the loop. Its selector marks the slot idle exactly while it blocks with nothing ready.
"""

from __future__ import annotations

import asyncio
import itertools
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from heapq import heappop, heappush
from typing import Any, Final, TypeVar

from chaos.live.clock import SharedClock
from chaos.live.slots import FOREVER_US, Call, Slot

T = TypeVar("T")

_LATE_MAX_S: Final = 3600.0  # asyncio refuses timers years away; nothing is lost by looking once an hour


class RunTimer:
    """A call to be made at a run time, unless cancelled. Made by `AsyncTimers.call_at`."""

    __slots__ = ("_timers", "args", "at_us", "daemon", "fn")

    def __init__(
        self, timers: AsyncTimers, at_us: int, daemon: bool, fn: Callable[..., Any], args: tuple[Any, ...]
    ) -> None:
        self._timers = timers
        self.at_us = at_us
        self.daemon = daemon
        self.fn: Callable[..., Any] | None = fn
        self.args = args

    def cancel(self) -> None:
        """Do not make the call. Does nothing once the call was made."""
        if self.fn is not None:
            self.fn = None
            self.args = ()
            self._timers._arm()


class AsyncTimers:
    """Timers of one asyncio loop, by the shared clock. Made and used in the loop's own thread only."""

    def __init__(self, clock: SharedClock, slot: Slot, failed: Callable[[BaseException], None]) -> None:
        """`failed` hears of an error that a call raised; `run` ends the program with it."""
        self._clock = clock
        self._slot = slot
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._numbers = itertools.count()
        self._work: list[tuple[int, int, RunTimer]] = []
        self._daemons: list[tuple[int, int, RunTimer]] = []
        self._armed: asyncio.TimerHandle | None = None
        self._armed_us = FOREVER_US
        self._loop.add_reader(slot.bell_fd, self._rung)

    # ------------------------------------------------------------ time

    @property
    def now(self) -> int:
        """Run time, µs since the start of the run."""
        return self._clock.now_us()

    def now_us(self) -> int:
        """Run time, µs since the start of the run."""
        return self._clock.now_us()

    def working(self) -> Call:
        """Around one call to another process: while it is under way, time does not leap."""
        return self._slot.working()

    # ------------------------------------------------------------ waiting

    def call_at(self, at_us: int, fn: Callable[..., Any], *args: Any, daemon: bool = False) -> RunTimer:
        """Call `fn(*args)` at a run time; a time in the past means on the loop's next turn.

        A daemon's call is no pending work (see `sim.kernel`): the conductor may be told not to stop for it.
        """
        timer = RunTimer(self, at_us, daemon, fn, args)
        heap = self._daemons if daemon else self._work
        heappush(heap, (at_us, next(self._numbers), timer))
        if heap[0][2] is timer:
            self._arm()
        return timer

    async def sleep_until(self, at_us: int, *, daemon: bool = False) -> None:
        """Wait until a run time."""
        woken = self._loop.create_future()
        timer = self.call_at(at_us, _wake, woken, daemon=daemon)
        try:
            await woken
        finally:
            timer.cancel()

    async def sleep(self, us: int, *, daemon: bool = False) -> None:
        """Wait `us` of run time."""
        await self.sleep_until(self.now + us, daemon=daemon)

    async def within(self, us: int, awaitable: Awaitable[T], *, daemon: bool = False) -> T:
        """The result, or TimeoutError after `us` of run time; what was awaited is cancelled then."""
        async with asyncio.timeout(None) as limit:
            timer = self.call_at(self.now + us, self._expire, limit, daemon=daemon)
            try:
                return await awaitable
            finally:
                timer.cancel()  # before `limit` ends, which then cannot be moved any more

    def close(self) -> None:
        """No call is made any more, and nothing is due."""
        self._work.clear()
        self._daemons.clear()
        self._loop.remove_reader(self._slot.bell_fd)
        self._disarm()
        self._slot.due(FOREVER_US)

    # ------------------------------------------------------------ within

    def _expire(self, limit: asyncio.Timeout) -> None:
        limit.reschedule(self._loop.time())

    def _rung(self) -> None:
        self._slot.answer_bell()
        self._fire()

    def _fire(self) -> None:
        """Make every call that is due, in order of time, then of scheduling."""
        self._disarm()
        now_us = self._clock.now_us()
        while (heap := self._first()) is not None and heap[0][0] <= now_us:
            timer = heappop(heap)[2]
            fn, args = timer.fn, timer.args
            if fn is None:
                continue
            timer.fn = None
            timer.args = ()
            try:
                fn(*args)
            except Exception as error:  # noqa: BLE001 - handed on; the loop would only log it
                self._failed(error)
        self._arm()

    def _arm(self) -> None:
        """Let the loop wake for the earliest call, and tell the conductor when that is."""
        work_us, daemon_us = _earliest(self._work), _earliest(self._daemons)
        self._slot.due(work_us, daemon_us)
        at_us = min(work_us, daemon_us)
        if at_us == self._armed_us:
            return
        self._disarm()
        self._armed_us = at_us
        if at_us <= 0 or (at_us < FOREVER_US and self._clock.begun()):  # the bell is rung when time begins
            wait_s = max(0.0, (at_us - self._clock.now_us()) / 1e6)
            self._armed = self._loop.call_later(min(wait_s, _LATE_MAX_S), self._fire)

    def _disarm(self) -> None:
        if self._armed is not None:
            self._armed.cancel()
            self._armed = None
        self._armed_us = FOREVER_US

    def _first(self) -> list[tuple[int, int, RunTimer]] | None:
        """The heap whose top comes first, None when nothing is due ever."""
        if not self._work or not self._daemons:
            return self._work or self._daemons or None
        return self._work if self._work[0] < self._daemons[0] else self._daemons


def _earliest(heap: list[tuple[int, int, RunTimer]]) -> int:
    while heap and heap[0][2].fn is None:
        heappop(heap)
    return heap[0][0] if heap else FOREVER_US


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class _IdleSelector(selectors.DefaultSelector):
    """Marks the slot idle exactly while it blocks."""

    def __init__(self, slot: Slot) -> None:
        super().__init__()
        self._slot = slot

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and (timeout is None or timeout > 0):
            self._slot.idle(True)
            try:
                ready = super().select(timeout)
            finally:
                self._slot.idle(False)
        if ready:
            self._slot.moved()
        return ready


def run(clock: SharedClock, slot: Slot, main: Callable[[AsyncTimers], Coroutine[Any, Any, T]]) -> T:
    """Run `main(timers)` on a loop of its own; its result. The slot is given up at the end.

    An error of a timed call ends `main` and is raised here. Ctrl-C cancels `main` and raises
    KeyboardInterrupt, as `asyncio.run` does.
    """
    errors: list[BaseException] = []

    async def supervised() -> T:
        task = asyncio.current_task()
        assert task is not None

        def failed(error: BaseException) -> None:
            errors.append(error)
            task.cancel("a timed call failed")

        timers = AsyncTimers(clock, slot, failed)
        try:
            return await main(timers)
        finally:
            timers.close()

    try:
        with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(_IdleSelector(slot))) as runner:
            try:
                return runner.run(supervised())
            except asyncio.CancelledError:
                if errors:
                    raise errors[0] from None
                raise
    finally:
        slot.close()
