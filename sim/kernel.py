"""The clock and the queue: one SimPy environment that also steps platform coroutines directly.

Virtual time is integer microseconds. SimPy events, processes, resources and stores share the queue
with tasks (`sim.task`) and light calls, so a model of staff or servers and the platform's own code
meet on one clock.

Order is SimPy's: time, then priority, then order of scheduling. Entries due at once go to a plain
first-in-first-out line, `ready`, not to the heap. Whatever the heap holds for the present moment was
scheduled earlier, or is urgent, so it comes first and the order stays exactly the same.

*Daemon* entries are periodic polls that never end by themselves; they are not pending work. The
common path pays nothing for that: cancelled and daemon entries are counted, and the rest is work.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from heapq import heapify, heappop, heappush
from typing import Any, Final

import simpy
from simpy.core import EmptySchedule, StopSimulation
from simpy.events import NORMAL, Event

from sim.task import (
    Cancelled,
    DaemonTimer,
    Future,
    HarnessError,
    NodeDead,
    Task,
    TaskGroup,
    TimedOut,
    Timer,
    gather,
    is_dropped,
    sleep,
    sleep_daemon,
    wait_for,
)

__all__ = [
    "Cancelled",
    "Future",
    "HarnessError",
    "Kernel",
    "NodeDead",
    "Task",
    "TaskGroup",
    "TimedOut",
    "Timer",
    "gather",
    "sleep",
    "sleep_daemon",
    "wait_for",
]

_LAST: Final = 1 << 30  # the priority of the end of a run: after everything else due then
_BEFORE_ALL: Final = -1  # SimPy's priority for an event whose processing was interrupted
_SWEEP_AT: Final = 256  # cancelled timers are swept out once they are this many and the majority

Entry = tuple[int, int, int, Any]


class Kernel(simpy.Environment):
    """SimPy's environment with a tight loop for coroutine wake-ups and light calls."""

    _now: int  # `schedule` lets no fraction of a microsecond in

    def __init__(self) -> None:
        super().__init__(initial_time=0)
        self.ready: deque[Any] = deque()
        self._heap: list[Entry] = self._queue  # type: ignore[assignment]  # SimPy types it for events only
        self._cancelled = 0  # cancelled timers still in the heap
        self._daemons = 0  # daemon timers in the heap
        self._running = False

    @property
    def now(self) -> int:
        """Microseconds since the start of the run."""
        return self._now

    # ------------------------------------------------------------ scheduling

    def spawn(self, coro: Coroutine[Any, Any, Any], name: str = "", group: TaskGroup | None = None) -> Task:
        """Start a coroutine. It takes its first step when everything already due now has run.

        An error that it raises goes to whoever awaits the task; with nobody waiting, to
        `group.failed`; without a group it ends the run with `HarnessError`.
        """
        task = Task(self, coro, name, group)
        self.ready.append(task)
        return task

    def wake(self, task: Task | Timer, delay_us: int = 0) -> None:
        """Step a task that waits for nothing else in the queue."""
        if delay_us > 0:
            heappush(self._heap, (self._now + delay_us, NORMAL, next(self._eid), task))
        else:
            self.ready.append(task)

    def call_at(self, at_us: int, fn: Callable[..., Any], *args: Any, daemon: bool = False) -> Timer:
        """Call `fn(*args)` at a time; a time in the past means now. The cheapest thing to schedule."""
        now = self._now
        if daemon:
            timer: Timer = DaemonTimer(fn, args, self)
            self._daemons += 1
        elif at_us > now:
            timer = Timer(fn, args, self)
        else:
            return self.call_soon(fn, *args)
        heappush(self._heap, (max(now, at_us), NORMAL, next(self._eid), timer))
        return timer

    def call_soon(self, fn: Callable[..., Any], *args: Any) -> Timer:
        """Call `fn(*args)` in this microsecond, after everything already due."""
        timer = Timer(fn, args)  # without a kernel: it is in no heap, so cancelling it counts nowhere
        self.ready.append(timer)
        return timer

    def schedule(self, event: Event, priority: int = NORMAL, delay: float = 0) -> None:
        """SimPy's own door to the queue. Delays must be whole microseconds."""
        if not isinstance(delay, int):
            raise TypeError(f"virtual time is whole microseconds, not {delay!r}")
        if delay == 0 and priority == NORMAL:
            self.ready.append(event)
        else:
            heappush(self._heap, (self._now + delay, priority, next(self._eid), event))

    def event_done(self, event: Event) -> Future:
        """A SimPy event as a future, so that a coroutine can await it. A failed event raises its own
        error in the coroutine, and counts as handled.
        """
        future = Future(self)
        if event.processed:
            _settle(future, event)
        else:
            event.callbacks.append(lambda processed: _settle(future, processed))
        return future

    # ------------------------------------------------------------ running

    def run_until(self, until_us: int) -> None:
        """Run everything due before or at `until_us`, then set the clock there."""
        self._run(until_us, stop_when_idle=False)

    def run_until_idle(self, limit_us: int) -> bool:
        """Run until only daemon entries remain, or the limit is reached. True when nothing is pending.

        The clock is left at the last thing that happened, or at the limit while work is pending. A
        future that nothing in the queue will set is not pending work: nothing could come of waiting.
        """
        return self._run(limit_us, stop_when_idle=True)

    def _run(self, until_us: int, stop_when_idle: bool) -> bool:
        if self._running:
            raise HarnessError("the kernel is already running")
        if until_us < self._now:
            raise HarnessError(f"cannot run until {until_us} us: it is {self._now} us already")
        # The end of the run is itself an entry, so that the loop compares no times.
        end: Entry = (until_us, _LAST, next(self._eid), None)
        heappush(self._heap, end)
        self._running = True
        try:
            return self._loop(stop_when_idle)
        finally:
            self._running = False
            if end in self._heap:
                self._heap.remove(end)
                heapify(self._heap)

    def _loop(self, stop_when_idle: bool) -> bool:  # noqa: C901, PLR0912 - one loop, nothing called
        """One entry a turn. The step of a task is written out here because this is the hottest code."""
        heap, ready, next_id = self._heap, self.ready, self._eid.__next__
        pop, push, next_ready = heappop, heappush, self.ready.popleft
        now = self._now
        while True:
            if ready and heap[0][0] > now:
                item = next_ready()
            else:
                entry = pop(heap)
                item = entry[3]
                if type(item) is not Task:
                    if item is None:
                        return self._end(entry[0], stop_when_idle)
                    if isinstance(item, Timer):
                        if item.fn is None:
                            self._cancelled -= 1
                            continue
                        if type(item) is DaemonTimer:
                            if stop_when_idle and self._nothing_pending():
                                push(heap, entry)
                                return True
                            self._daemons -= 1
                self._now = now = entry[0]
            if type(item) is Task:
                try:
                    wanted = item.send(None)
                except StopIteration as stop:
                    self._ended(item)
                    item.set(stop.value)
                except BaseException as error:  # noqa: BLE001 - sorted out there
                    self._failed(item, error)
                else:
                    if type(wanted) is int:
                        if wanted > 0:
                            push(heap, (now + wanted, 1, next_id(), item))
                        else:
                            ready.append(item)
                    else:
                        wanted.waiter = item
            elif isinstance(item, Timer):
                fn = item.fn
                if fn is not None:
                    item.fn = None  # from here on there is nothing to cancel
                    fn(*item.args)
            else:
                self._process(item)

    def _end(self, at_us: int, stop_when_idle: bool) -> bool:
        idle = self._nothing_pending()
        if not (idle and stop_when_idle):
            self._now = at_us
        return idle

    def _nothing_pending(self) -> bool:
        """Only daemons and cancelled timers are left. Asked with the end of the run in the heap and a
        daemon just taken out, or the other way round: both come to the same count.
        """
        return not self.ready and len(self._heap) == self._cancelled + self._daemons

    def step_task(self, task: Task, send: Callable[[Any], Any] | None = None) -> None:
        """Run a task to its next await. What `_loop` does, for the rarer callers."""
        try:
            wanted = (send or task.send)(None)
        except StopIteration as stop:
            self._ended(task)
            task.set(stop.value)
        except BaseException as error:  # noqa: BLE001 - sorted out there
            self._failed(task, error)
        else:
            self.suspend(task, wanted)

    def suspend(self, task: Task, wanted: Any) -> None:
        """Let a task wait for what its coroutine yielded."""
        if type(wanted) is int:
            self.wake(task, wanted)
        else:
            wanted.waiter = task

    @staticmethod
    def _ended(task: Task) -> None:
        if task.group is not None:
            task.group.tasks.pop(task, None)

    def _failed(self, task: Task, error: BaseException) -> None:
        self._ended(task)
        if isinstance(error, (KeyboardInterrupt, SystemExit, HarnessError)):
            raise error
        if is_dropped(task):
            return  # the last breath of a task that was dropped while it ran
        awaited = task.waiter is not None or task.watched
        task.fail(error)
        if awaited or isinstance(error, Cancelled):
            return
        if task.group is not None:
            task.group.failed(task, error)
        else:
            raise HarnessError(f"task {task.name!r} failed: {error!r}") from error

    def _process(self, event: Event) -> None:
        """Process a SimPy event as SimPy does, but raise the original error and not a copy of it."""
        callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
        for position, callback in enumerate(callbacks, 1):
            try:
                callback(event)
            except StopSimulation:
                event.callbacks = callbacks[position:]
                self.schedule(event, _BEFORE_ALL)
                raise
        if not event._ok and not event.defused:
            raise event._value

    def step(self) -> None:
        """Handle the next entry: what `Environment.run` calls over and over."""
        while True:
            if self.ready and not (self._heap and self._heap[0][0] <= self._now):
                item = self.ready.popleft()
                break
            if not self._heap:
                raise EmptySchedule
            at_us, _, _, item = heappop(self._heap)
            if isinstance(item, Timer) and item.fn is None:
                self._cancelled -= 1
                continue
            self._daemons -= type(item) is DaemonTimer
            self._now = at_us
            break
        if type(item) is Task:
            self.step_task(item)
        elif isinstance(item, Timer):
            if item.fn is not None:
                fn, item.fn = item.fn, None
                fn(*item.args)
        else:
            self._process(item)

    def peek(self) -> float:
        """The time of the next entry; infinity when there is none."""
        return self._now if self.ready else super().peek()

    # ------------------------------------------------------------ sweeping

    def timer_cancelled(self, timer: Timer) -> None:
        """Take note of a timer in the heap that will not ring; sweep when most of the heap is such."""
        if type(timer) is DaemonTimer:
            self._daemons -= 1
        self._cancelled += 1
        if self._cancelled > _SWEEP_AT and self._cancelled * 2 > len(self._heap):
            self.sweep()

    def sweep(self) -> None:
        """Take cancelled timers and wake-ups of dropped tasks out of the heap."""
        self._heap[:] = [entry for entry in self._heap if not _is_void(entry[3])]
        heapify(self._heap)
        self._cancelled = 0


def _is_void(item: Any) -> bool:
    if isinstance(item, Timer):
        return item.fn is None
    return type(item) is Task and is_dropped(item)


def _settle(future: Future, event: Event) -> None:
    if event._ok:
        future.set(event._value)
    else:
        event.defused = True
        future.fail(event._value)
