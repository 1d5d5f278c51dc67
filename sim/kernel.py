"""The clock and the queue: one SimPy environment that also steps platform coroutines directly.

Virtual time is integer microseconds. SimPy events, processes, resources and stores share the queue
with tasks (`sim.task`) and light calls, so a model of staff or servers and the platform's own code
meet on one clock.

Order is SimPy's: time, then priority, then order of scheduling. The queue is built otherwise, though:
a heap of times, a dictionary from each time to what is due then, and a first-in-first-out line,
`ready`, of what is due now. What is due at one time is kept in order of scheduling, so no entry needs
a number, and comparing integers is most of what SimPy's heap of tuples costs. Urgent events, which
SimPy uses to start and interrupt processes, go to the front of the line.

*Daemon* entries are periodic polls that never end by themselves; they are not pending work. The
common path pays nothing for that: whether work is pending is looked up when only a daemon is next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from heapq import heapify, heappop, heappush
from itertools import repeat
from operator import attrgetter
from typing import Any, Final

import simpy
from simpy.core import EmptySchedule, Infinity, StopSimulation
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
    is_failure,
    sleep,
    sleep_daemon,
    wait_for,
)

__all__ = [  # what others need of `sim.task` comes with the kernel
    "Cancelled", "Future", "HarnessError", "Kernel", "NodeDead", "Task", "TaskGroup", "TimedOut",
    "Timer", "gather", "sleep", "sleep_daemon", "wait_for",
]  # fmt: skip

_BEFORE_ALL: Final = -1  # SimPy's priority for an event whose processing was interrupted
_STALE_MIN: Final = 256  # times without entries are taken out of the heap when so many, and the majority


class _UrgentTurn:
    """Stands at the front of the line while urgent events wait."""

    __slots__ = ()


class Kernel(simpy.Environment):
    """SimPy's environment with a tight loop for coroutine wake-ups and light calls."""

    _now: int  # `schedule` lets no fraction of a microsecond in

    def __init__(self) -> None:
        super().__init__(initial_time=0)
        self.ready: deque[Any] = deque()  # due now
        self._at: dict[int, Any] = {}  # time -> what is due then: one entry, or a list of them
        self._times: list[int] = []  # a heap of the keys of `_at`, and of times whose entry was cancelled
        self._stale = 0  # how many of the latter
        self._urgent: deque[Event] = deque()
        self._urgent_turn = _UrgentTurn()
        self._work_at = 0  # a time at which pending work was last seen
        self.steps_max = 1 << 40  # a run that takes more steps at a stretch is taken for a livelock
        self._running = False

    # Asked for at every turn, so it is answered without a frame of Python.
    now: int = property(attrgetter("_now"), doc="Microseconds since the start.")  # type: ignore[assignment]

    # ------------------------------------------------------------ scheduling

    def spawn(self, coro: Coroutine[Any, Any, Any], name: str = "", group: TaskGroup | None = None) -> Task:
        """Start a coroutine. It takes its first step when everything already due now has run.

        An error that it raises goes to whoever awaits the task; with nobody waiting, to
        `group.failed`; without a group it ends the run with `HarnessError`.
        """
        task = Task(self, coro, name, group)
        self.ready.append(task)
        return task

    def wake(self, entry: Task | Timer, delay_us: int = 0) -> None:
        """Put a task or a call that nothing else will wake into the queue."""
        if delay_us > 0:
            self.put(self._now + delay_us, entry)
        else:
            self.ready.append(entry)

    def put(self, at_us: int, entry: Any) -> None:
        """Queue an entry for a time to come."""
        found = self._at.setdefault(at_us, entry)
        if found is entry:
            heappush(self._times, at_us)
        elif type(found) is list:
            found.append(entry)
        else:
            self._at[at_us] = [found, entry]

    def call_at(self, at_us: int, fn: Callable[..., Any], *args: Any, daemon: bool = False) -> Timer:
        """Call `fn(*args)` at a time; a time in the past means now. The cheapest thing to schedule."""
        timer = DaemonTimer(fn, args, self, at_us) if daemon else Timer(fn, args, self, at_us)
        if at_us <= self._now:
            self.ready.append(timer)
        elif self._at.setdefault(at_us, timer) is timer:  # `put`, its common case written out
            heappush(self._times, at_us)
        else:
            self.put(at_us, timer)
        return timer

    def call_soon(self, fn: Callable[..., Any], *args: Any) -> None:
        """Call `fn(*args)` in this microsecond, after everything already due."""
        self.ready.append(Timer(fn, args))

    def schedule(self, event: Event, priority: int = NORMAL, delay: float = 0) -> None:
        """SimPy's own door to the queue. Delays must be whole microseconds."""
        if not isinstance(delay, int):
            raise TypeError(f"virtual time is whole microseconds, not {delay!r}")
        if priority == NORMAL:
            self.wake(event, delay)  # type: ignore[arg-type]
        elif delay == 0:
            if not self._urgent:
                self.ready.appendleft(self._urgent_turn)
            if priority == _BEFORE_ALL:
                self._urgent.appendleft(event)
            else:
                self._urgent.append(event)
        else:
            # Only `Environment.run(until=time)` does this: its end comes before all else due then.
            self.put(self._now + delay, event)
            due = self._at[self._now + delay]
            if type(due) is list:
                due.insert(0, due.pop())

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

    def skip_to(self, at_us: int) -> None:
        """Let a time pass in which only daemons would have stirred: they come late, at its end."""
        if not self._nothing_pending():
            raise HarnessError("cannot skip time while work is pending")
        late = sorted(when for when in self._at if when < at_us)
        for when in late:
            item = self._at.pop(when)
            self._stale += 1
            for entry in item if type(item) is list else (item,):
                if isinstance(entry, Timer):
                    entry.at_us = at_us
                self.put(at_us, entry)
        self._now = at_us

    def _run(self, until_us: int, stop_when_idle: bool) -> bool:
        if self._running:
            raise HarnessError("the kernel is already running")
        if until_us < self._now:
            raise HarnessError(f"cannot run until {until_us} us: it is {self._now} us already")
        self._running = True
        try:
            stopped_early = self._loop(until_us, stop_when_idle)
        finally:
            self._running = False
        idle = stopped_early or self._nothing_pending()
        if not (idle and stop_when_idle):
            self._now = until_us
        return idle

    def _loop(self, until_us: int, stop_when_idle: bool) -> bool:  # noqa: C901, PLR0912, PLR0915 - hot
        """One entry a turn, the step of a task written out. True when it stopped for want of work."""
        ready, at, times = self.ready, self._at, self._times
        pop, push, next_ready, put = heappop, heappush, ready.popleft, at.setdefault
        now = self._now
        for _ in repeat(None, self.steps_max):
            if ready:
                item = next_ready()
            else:
                if not times or times[0] > until_us:
                    return False
                when = pop(times)
                item = at.pop(when, None)
                if type(item) is not Task:
                    if item is None:
                        self._stale -= 1
                        continue
                    if stop_when_idle and not _has_work(item) and self._nothing_pending():
                        at[when] = item
                        push(times, when)
                        return True
                    if type(item) is list:
                        self._now = now = when
                        ready.extend(item)
                        continue
                self._now = now = when
            if type(item) is Task:
                try:
                    wanted = item.send(None)
                except StopIteration as stop:
                    self._ended(item)
                    item.set(stop.value)
                except BaseException as error:  # noqa: BLE001 - sorted out there
                    self._failed(item, error)
                else:
                    if type(wanted) is not int:
                        wanted.waiter = item
                    elif wanted > 0:
                        when = now + wanted
                        found = put(when, item)
                        if found is item:
                            push(times, when)
                        elif type(found) is list:
                            found.append(item)
                        else:
                            at[when] = [found, item]
                    else:
                        ready.append(item)
            elif isinstance(item, Timer):
                fn = item.fn
                if fn is not None:
                    item.fn = None  # from here on there is nothing to cancel
                    fn(*item.args)
            else:
                self._process(item)
        raise HarnessError(f"no end after {self.steps_max} steps, at {self._now} us: a livelock")

    def _nothing_pending(self) -> bool:
        """Whether only daemons and cancelled timers are left. Work once found is looked at first again,
        so asking over and over does not mean searching over and over.
        """
        at = self._at
        if self.ready or ((item := at.get(self._work_at)) is not None and _has_work(item)):
            return False
        for when, item in at.items():
            if _has_work(item):
                self._work_at = when
                return False
        return True

    def step_task(self, task: Task, thrown: BaseException | None = None) -> None:
        """Run a task to its next await. What `_loop` does, for the rarer callers."""
        try:
            wanted = task.send(None) if thrown is None else task.coro.throw(thrown)
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
        if not is_failure(error):
            raise error
        if is_dropped(task):
            return  # the last breath of a task that was dropped while it ran
        awaited = task.waiter is not None or task.watched
        if isinstance(error, Cancelled):
            error.__traceback__ = None  # its frames hold the task, and nobody asks where it was cancelled
            awaited = True
        task.fail(error)
        if awaited:
            return
        if task.group is not None:
            task.group.failed(task, error)
        else:
            raise HarnessError(f"task {task.name!r} failed: {error!r}") from error

    def _process(self, event: Event | _UrgentTurn) -> None:
        """Process a SimPy event as SimPy does, but raise the original error and not a copy of it."""
        if isinstance(event, _UrgentTurn):
            event = self._urgent.popleft()
            if self._urgent:
                self.ready.appendleft(self._urgent_turn)
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
        while not self.ready:
            if not self._times:
                raise EmptySchedule
            when = heappop(self._times)
            item = self._at.pop(when, None)
            if item is None:
                self._stale -= 1
                continue
            self._now = when
            self.ready.extend(item if type(item) is list else (item,))
        item = self.ready.popleft()
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
        while self._times and self._times[0] not in self._at:
            heappop(self._times)
            self._stale -= 1
        if self.ready:
            return self._now
        return self._times[0] if self._times else Infinity

    # ------------------------------------------------------------ taking out

    def take_out(self, timer: Timer) -> None:
        """A timer was cancelled. One of several at its time stays there, and is passed over."""
        if self._at.get(timer.at_us) is timer:
            del self._at[timer.at_us]
            self._stale += 1
            if self._stale > _STALE_MIN and self._stale > len(self._at):
                self._rebuild_times()

    def sweep(self) -> None:
        """Take out the wake-ups of dropped tasks, so that they do not count as pending work."""
        for when, item in list(self._at.items()):
            if type(item) is list:
                item[:] = [entry for entry in item if not _is_void(entry)]
                if not item:
                    del self._at[when]
            elif _is_void(item):
                del self._at[when]
        self._rebuild_times()

    def close(self) -> None:
        """The run is over: drop every task that is still queued, and forget the queue."""
        queued = [*self.ready]
        for item in self._at.values():
            queued.extend(item if type(item) is list else (item,))
        self.ready.clear()
        self._at.clear()
        self._times.clear()
        for entry in queued:
            if type(entry) is Task:
                entry.drop()
        self.ready.clear()

    def _rebuild_times(self) -> None:
        self._times[:] = self._at
        heapify(self._times)
        self._stale = 0


def _has_work(item: Any) -> bool:
    """Whether an entry, or one of a list of them, is more than a daemon or a cancelled timer."""
    if type(item) is list:
        return any(_has_work(entry) for entry in item)
    return type(item) is not DaemonTimer and not (type(item) is Timer and item.fn is None)


def _is_void(entry: Any) -> bool:
    if isinstance(entry, Timer):
        return entry.fn is None
    return type(entry) is Task and is_dropped(entry)


def _settle(future: Future, event: Event) -> None:
    if event._ok:
        future.set(event._value)
    else:
        event.defused = True
        future.fail(event._value)
