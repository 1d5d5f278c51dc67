"""Coroutines in virtual time: futures, tasks, timers, and the few things a coroutine can await.

A task's coroutine yields either an integer (sleep that many microseconds) or something with a
`waiter` attribute, which is then set to the task and puts it back into the kernel's queue when there
is news. A `Future` is such a thing; the others below are small stand-ins that need no room in the
kernel's loop.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

import msgspec

if TYPE_CHECKING:
    from sim.kernel import Kernel

_CLOSE_ATTEMPTS: Final = 100


class HarnessError(RuntimeError):
    """The simulation itself broke, or a task failed and nobody was there to hear of it."""


class TimedOut(Exception):  # noqa: N818 - an outcome that callers expect
    """The wait is over and nothing came."""


class Cancelled(BaseException):
    """Thrown into a task that is being cancelled."""


class NodeDead(BaseException):
    """Code of a crashed node reached for the world. Not an Exception: no platform code may catch it."""


class Future:
    """A value that will come. Awaited by at most one task at a time; `set` and `fail` are idempotent.

    The value can be awaited again; an error is raised once.
    """

    __slots__ = ("done", "error", "kernel", "value", "waiter")

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.done = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.waiter: Task | Timer | None = None

    def set(self, value: Any = None) -> None:
        """Give the value; the waiting task runs in this same microsecond."""
        if not self.done:
            self.done = True
            self.value = value
            if self.waiter is not None:
                self.kernel.ready.append(self.waiter)

    def fail(self, error: BaseException) -> None:
        """Give an error in place of the value."""
        if not self.done:
            self.done = True
            self.error = error
            if self.waiter is not None:
                self.kernel.ready.append(self.waiter)

    def __await__(self) -> Generator[Any, Any, Any]:
        if not self.done:
            if self.waiter is not None and not _is_over(self.waiter):
                raise HarnessError("a future was awaited by two tasks at once")
            yield self
        if self.error is not None:
            _raise(self)
        return self.value


_EXPIRED: Final = TimedOut()  # in a future: nobody waits any more. Never raised itself
_SPENT: Final = HarnessError()  # in a future: its error was raised. Never raised itself


class TaskGroup(Protocol):
    """Who owns tasks: a node incarnation, or an actor that lives as long as the run."""

    tasks: dict[Task, None]

    def failed(self, task: Task, error: BaseException) -> None:
        """A task ended with an error that nobody awaits. Raise to stop the run."""
        ...


class Task(Future):
    """A running coroutine, and the future of what it returns.

    `watched` says that somebody is going to await the result later, so an error is no surprise.
    """

    __slots__ = ("coro", "group", "name", "send", "watched")

    def __init__(
        self, kernel: Kernel, coro: Coroutine[Any, Any, Any], name: str = "", group: TaskGroup | None = None
    ) -> None:
        self.kernel = kernel  # written out, not super().__init__: a task is made for every request
        self.done = False
        self.value = None
        self.error = None
        self.waiter = None
        self.coro = coro
        self.send: Callable[[Any], Any] = coro.send
        self.name = name
        self.watched = False
        self.group = group
        if group is not None:
            group.tasks[self] = None

    @property
    def result(self) -> Future:
        """The task itself; `await task.result` and `await task` are the same."""
        return self

    def cancel(self) -> None:
        """Throw `Cancelled` into the coroutine in this same microsecond. It may clean up, and await.

        The coroutine goes on under a successor, so that no wake-up already on its way to this task
        can be taken for one of the cleanup's.
        """
        if self.done:
            return
        if _is_running(self):
            raise HarnessError(f"task {self.name!r} cannot cancel itself")
        successor = Task(self.kernel, self.coro, self.name, self.group)
        successor.waiter = Timer(_forward, (successor, self))
        if isinstance(lot := getattr(self.send, "__self__", None), ParkingLot):
            successor.send = lot.arrive
        self.send = _stopped
        if self.group is not None:
            self.group.tasks.pop(self, None)
        self.kernel.call_soon(_throw, successor)

    def drop(self) -> None:
        """Close the coroutine at once, whatever its cleanup does. Nothing of it runs afterwards."""
        self.send = _stopped
        if _is_running(self):
            # It is on the stack: it brought about its own end. Close it as soon as it lets go.
            self.kernel.ready.append(Timer(_close_late, (self,)))
        else:
            _close(self)
        self.fail(NodeDead(self.name))


class Timer(msgspec.Struct, eq=False):  # a struct: several are made for each order
    """A call to be made at a set time, unless cancelled. Made by `Kernel.call_at`."""

    fn: Callable[..., Any] | None
    args: tuple[Any, ...] = ()
    kernel: Kernel | None = None  # None: it stands in no queue, or only in the line of what is due now
    at_us: int = -1

    def cancel(self) -> None:
        """Do not make the call. Does nothing once the call was made."""
        if self.fn is not None:
            self.fn = None
            self.args = ()
            if self.kernel is not None:
                self.kernel.take_out(self)


class DaemonTimer(Timer):
    """A timer that is not pending work."""


class ParkingLot:
    """Where the tasks of a paused node wait. `held` keeps their wake-ups in order of arrival.

    A parked task's `send` is `arrive`: the kernel's step then gets the lot itself to wait for, and by
    telling it the waiter puts the wake-up on hold.
    """

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held: list[Task | Timer] = []

    def arrive(self, _: Any) -> ParkingLot:
        return self

    @property
    def waiter(self) -> None:
        return None

    @waiter.setter
    def waiter(self, task: Task) -> None:
        self.held.append(task)


class _Nowhere:
    """What a dropped task is told to wait for: it forgets its waiter, so nothing ever wakes."""

    __slots__ = ()

    @property
    def waiter(self) -> None:
        return None

    @waiter.setter
    def waiter(self, task: Task) -> None:
        pass


class _DaemonSleep:
    """A sleep that does not count as pending work."""

    __slots__ = ("us",)

    def __init__(self, us: int) -> None:
        self.us = us

    @property
    def waiter(self) -> None:
        return None

    @waiter.setter
    def waiter(self, task: Task) -> None:
        kernel = task.kernel
        kernel.call_at(kernel.now + self.us, kernel.step_task, task, daemon=True)


_NOWHERE: Final = _Nowhere()


def _stopped(_: Any) -> _Nowhere:
    """Stands in for `send` of a dropped task, so that wake-ups already on their way do nothing."""
    return _NOWHERE


def is_failure(error: BaseException) -> bool:
    """Whether an error is the task's own. The rest, such as Ctrl-C or a tripwire, ends the run."""
    return isinstance(error, (Exception, Cancelled, NodeDead)) and not isinstance(error, HarnessError)


def is_dropped(task: Task) -> bool:
    """Whether the task can never run again."""
    return task.send is _stopped


def _is_over(waiter: Task | Timer) -> bool:
    return waiter.fn is None if isinstance(waiter, Timer) else waiter.send is _stopped or waiter.done


def _is_running(task: Task) -> bool:
    return bool(task.coro.cr_running)  # type: ignore[attr-defined]  # spawn takes native coroutines only


def _throw(task: Task) -> None:
    lot = getattr(task.send, "__self__", None)
    if isinstance(lot, ParkingLot):
        lot.held.append(Timer(_throw, (task,)))
    elif not is_dropped(task):
        task.kernel.step_task(task, Cancelled())


def _close(task: Task) -> None:
    for _ in range(_CLOSE_ATTEMPTS):
        try:
            task.coro.close()
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001, S112 - whatever the cleanup of a dead task raises is void
            continue
        return
    raise HarnessError(f"task {task.name!r} cannot be closed: its cleanup awaits for ever")


def _close_late(task: Task) -> None:
    _close(task)
    task.kernel.sweep()


@types.coroutine
def sleep(us: int) -> Generator[int, None, None]:
    """Sleep `us` microseconds of virtual time; zero or less lets everything else due now go first."""
    yield us


@types.coroutine
def sleep_daemon(us: int) -> Generator[Any, None, None]:
    """Sleep without counting as pending work: for polls that go on for as long as the node lives."""
    yield _DaemonSleep(us)


@types.coroutine
def wait_for(future: Future, timeout_us: int, *, daemon: bool = False) -> Generator[Any, Any, Any]:
    """The future's value, or `TimedOut` after `timeout_us`.

    A future that timed out is failed with `TimedOut`, so whoever would have set it sees by `done` that
    nobody waits any more. A task that timed out goes on unharmed, and a later error of it is not lost.
    With `daemon`, the time-out does not count as pending work.
    """
    task = future if isinstance(future, Task) else None
    if not future.done:
        kernel = future.kernel
        if task is not None:
            future = Future(kernel)
            task.waiter = Timer(_forward, (task, future))
        timer = kernel.call_at(kernel.now + timeout_us, _expire, future, daemon=daemon)
        try:
            yield future
        finally:
            timer.cancel()
            if task is not None:
                task.waiter = None
    if future.error is not None:
        _raise(future)
    return future.value


def _expire(future: Future) -> None:
    future.fail(_EXPIRED)


def _raise(future: Future) -> NoReturn:
    """Raise the error of a future, and take it away.

    A raised error holds every frame it passed, and one of them holds the future. If the future went on
    holding the error, only a garbage collector could free them, and runs go without.
    """
    error = future.error
    if error is _EXPIRED:
        raise TimedOut
    if error is _SPENT:
        raise HarnessError("the error of this future was raised before, and is raised once only")
    future.error = _SPENT
    assert error is not None
    try:
        raise error
    finally:
        del error


def _forward(source: Future, target: Future) -> None:
    source.waiter = None  # it holds the source
    if source.error is not None:
        target.fail(source.error)
        source.error = _SPENT
    else:
        target.set(source.value)


@types.coroutine
def gather(*tasks: Task) -> Generator[Any, Any, list[Any]]:
    """Wait until every task has ended. Their values in order; or the first error, in order of tasks."""
    for task in tasks:
        task.watched = True
    for task in tasks:
        if not task.done:
            yield task
    for task in tasks:
        if task.error is not None:
            _raise(task)
    return [task.value for task in tasks]
