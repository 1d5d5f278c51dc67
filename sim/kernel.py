"""The clock and the queue: one SimPy environment that also steps platform coroutines directly.

Virtual time is integer microseconds. A task is a coroutine owned by a node incarnation; when it
awaits, it yields either an integer (sleep that many microseconds) or a `Future`. Nothing else may
be awaited. SimPy events, processes, resources and stores share the same queue and clock.
"""

from __future__ import annotations

import types
from collections.abc import Coroutine, Generator
from heapq import heappop, heappush
from typing import Any

import simpy
from simpy.core import EmptySchedule

NORMAL = 1


class Future:
    """A value that will come. Awaited by at most one task; `set` and `fail` are idempotent."""

    __slots__ = ("kernel", "done", "value", "error", "waiter")

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.done = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.waiter: Task | None = None

    def set(self, value: Any = None) -> None:
        if not self.done:
            self.done = True
            self.value = value
            if self.waiter is not None:
                self.kernel.wake(self.waiter)

    def fail(self, error: BaseException) -> None:
        if not self.done:
            self.done = True
            self.error = error
            if self.waiter is not None:
                self.kernel.wake(self.waiter)

    def __await__(self) -> Generator[Any, Any, Any]:
        if not self.done:
            yield self
        if self.error is not None:
            raise self.error
        return self.value


class Task:
    """A running coroutine. `result` is set when it returns."""

    __slots__ = ("send", "coro", "result", "name")

    def __init__(self, kernel: Kernel, coro: Coroutine[Any, Any, Any], name: str) -> None:
        self.coro = coro
        self.send = coro.send
        self.name = name
        self.result = Future(kernel)


@types.coroutine
def sleep(us: int) -> Generator[int, None, None]:
    """Sleep `us` microseconds of virtual time."""
    yield us


class Kernel(simpy.Environment):
    """SimPy's environment with a tight loop for coroutine wake-ups."""

    def __init__(self) -> None:
        super().__init__(initial_time=0)

    def spawn(self, coro: Coroutine[Any, Any, Any], name: str = "") -> Task:
        task = Task(self, coro, name)
        self.wake(task)
        return task

    def wake(self, task: Task, delay_us: int = 0) -> None:
        heappush(self._queue, (self._now + delay_us, NORMAL, next(self._eid), task))  # type: ignore[arg-type]

    def run_until(self, until_us: int) -> None:
        """Run every event due before or at `until_us`, then set the clock there."""
        queue = self._queue
        while queue and queue[0][0] <= until_us:
            self._now, _, _, item = heappop(queue)
            if type(item) is Task:
                self._step(item)
            else:
                raise EmptySchedule
        self._now = until_us

    def _step(self, task: Task) -> None:
        try:
            wanted = task.send(None)
        except StopIteration as stop:
            task.result.set(stop.value)
        except Exception as error:
            task.result.fail(error)
        else:
            if type(wanted) is int:
                self.wake(task, wanted)
            else:
                wanted.waiter = task
