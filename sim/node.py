"""A node: a machine on the network with software that can be killed, started anew, and frozen.

An *incarnation* is one life of the software, from boot to crash. It owns its tasks. A crash ends all
of them at once, and nothing of a dead incarnation, `finally` blocks included, may take effect: every
port checks `incarnation.alive` and raises `NodeDead`. Counterparties are nodes too; their books live
outside.

Requests are served by a limited number of workers, first come first served, so that overload can be
seen. A handler that never has to wait is run to its end on the spot, without a task of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from sim.clock import IncarnationClock, NodeClock
from sim.kernel import HarnessError, Kernel, NodeDead, Task, Timer
from sim.task import ParkingLot, is_failure

Handler = Callable[[Any], Coroutine[Any, Any, Any]]


class Caller(Protocol):
    """The other end of a request. Exactly one of these is called, once."""

    def replied(self, response: Any) -> int:
        """The handler is done. Returns for how long, in us, the connection still takes up its worker."""
        ...

    def refused(self, reason: str) -> None:
        """The request was turned away unseen: certainly no effect. `reason`: refused or overloaded."""
        ...

    def dropped(self) -> None:
        """The request was taken in, and no reply will come."""
        ...


class Host(Protocol):
    """Whatever can stand in the network under a name and take requests; `Node` is the usual one."""

    @property
    def name(self) -> str: ...

    def serve(self, request: Any, caller: Caller) -> None:
        """A request has arrived."""
        ...


class Incarnation:
    """One life of a node's software: its tasks, the requests it has taken in, and whether it lives."""

    __slots__ = (
        "_busy",
        "_open",
        "_waiting",
        "alive",
        "clock",
        "handler",
        "name",
        "node",
        "on_crash",
        "tasks",
    )

    def __init__(self, node: Node) -> None:
        self.node = node
        self.name = node.name
        self.alive = True
        self.tasks: dict[Task, None] = {}
        self.clock = IncarnationClock(node.clock, self)
        self.on_crash: list[Callable[[], object]] = []
        self.handler: Handler | None = None
        self._busy = 0
        self._waiting: deque[tuple[Any, Caller]] = deque()
        self._open: dict[Caller, None] = {}  # taken in and not yet answered, in order of arrival

    def spawn(self, coro: Coroutine[Any, Any, Any], name: str) -> Task:
        """Start a task that lives no longer than this incarnation."""
        if not self.alive:
            coro.close()
            raise NodeDead(self.name)
        task = self.node.kernel.spawn(coro, name, self)
        if self.node.lot is not None:
            task.send = self.node.lot.arrive
        return task

    def failed(self, task: Task, error: BaseException) -> None:
        """A task of this incarnation failed and nobody awaits it: the node decides."""
        if self.alive:
            self.node.on_error(f"{self.name}/{task.name}", error)

    # ------------------------------------------------------------ requests

    def accept(self, request: Any, caller: Caller) -> None:
        """Take in a request: start it, let it wait for a worker, or turn it away."""
        node = self.node
        if not self.alive:
            return  # it was held back by a pause, and the crash has told the caller
        self._open[caller] = None
        if self.handler is None:
            self._refuse(caller, "refused")
        elif self._busy < node.workers:
            self._busy += 1
            self._begin(request, caller)
        elif len(self._waiting) < node.queue_limit:
            self._waiting.append((request, caller))
        else:
            self._refuse(caller, "overloaded")

    def _refuse(self, caller: Caller, reason: str) -> None:
        del self._open[caller]
        caller.refused(reason)

    def _begin(self, request: Any, caller: Caller) -> None:
        node = self.node
        service_us = node.slow_us
        if service_us:
            node.slowed += 1
        if node.service_us is not None:
            service_us += node.service_us(request)
        if service_us > 0:
            node.kernel.call_at(node.kernel.now + service_us, self._handle, request, caller)
        else:
            self._handle(request, caller)

    def _handle(self, request: Any, caller: Caller) -> None:
        if not self.alive:
            return  # the crash has told the caller
        if self.node.lot is not None:
            self.node.lot.held.append(Timer(self._handle, (request, caller)))
            return
        assert self.handler is not None
        kernel = self.node.kernel
        coro = self.handler(request)
        try:
            wanted = coro.send(None)
        except StopIteration as stop:
            self._answer(caller, stop.value)
        except BaseException as error:
            if not is_failure(error):
                raise
            self._broken(Task(kernel, coro, "request"), caller, error)
        else:
            task = Task(kernel, coro, "request", self)
            if self.node.incarnation is self:
                task.waiter = Timer(self._handled, (task, caller))
                kernel.suspend(task, wanted)
            else:
                task.drop()  # it brought its own node down

    def _handled(self, task: Task, caller: Caller) -> None:
        task.waiter = None  # it holds the task: runs go without a garbage collector
        if not self.alive:
            return
        if task.error is None:
            self._answer(caller, task.value)
        else:
            self._broken(task, caller, task.error)

    def _answer(self, caller: Caller, response: Any) -> None:
        if not self.alive:
            return  # it brought its own node down, and the crash has told the caller
        del self._open[caller]
        linger_us = caller.replied(response)
        if linger_us:
            self.node.kernel.call_at(self.node.kernel.now + linger_us, self._release)
        else:
            self._release()

    def _broken(self, task: Task, caller: Caller, error: BaseException) -> None:
        if self.alive:
            del self._open[caller]
            caller.dropped()
            self._release()
            self.failed(task, error)

    def _release(self) -> None:
        """A worker is free: it turns to the next request at once."""
        if self._waiting and self.alive:
            self.node.kernel.call_soon(self._begin, *self._waiting.popleft())
        else:
            self._busy -= 1

    def end(self) -> int:
        """Die. Returns how many tasks and requests were cut off. Called by the node."""
        self.alive = False
        for hook in self.on_crash:
            hook()
        tasks, self.tasks = self.tasks, {}
        for task in tasks:
            task.drop()
        self._waiting.clear()
        callers, self._open = self._open, {}
        for caller in callers:
            caller.dropped()
        return len(tasks) + len(callers)


class Node:
    """A machine: its clock and its limits outlive its software.

    `boot(incarnation)` builds the software anew and returns the coroutine function that serves
    requests, or None for a node that serves none. `workers` requests run at once, `queue_limit` more
    wait, the rest are refused. `service_us(request)`, if given, and `slow_us` occupy a worker before
    the handler runs. `on_error(task name, error)` hears of failed tasks; it stops the run by default.
    """

    __slots__ = (
        "_boot", "clock", "incarnation", "kernel", "lives", "lot", "missed", "name", "on_error", "queue_limit",
        "service_us", "slow_us", "slowed", "workers",
    )  # fmt: skip

    def __init__(
        self,
        kernel: Kernel,
        name: str,
        boot: Callable[[Incarnation], Handler | None],
        *,
        workers: int = 1_000_000,
        queue_limit: int = 1_000_000,
        service_us: Callable[[Any], int] | None = None,
        on_error: Callable[[str, BaseException], None] | None = None,
    ) -> None:
        self.kernel = kernel
        self.name = name
        self.clock = NodeClock(kernel)
        self.workers = workers
        self.queue_limit = queue_limit
        self.service_us = service_us
        self.slow_us = 0
        self.slowed = 0  # requests that `slow_us` held up
        self.missed = 0  # what came while the node was down or frozen
        self.on_error = on_error if on_error is not None else _stop_the_run
        self.incarnation: Incarnation | None = None
        self.lives = 0
        self.lot: ParkingLot | None = None  # there while the node is paused
        self._boot = boot

    @property
    def alive(self) -> bool:
        """Whether the software runs; a paused node is alive."""
        return self.incarnation is not None

    @property
    def paused(self) -> bool:
        """Whether the node is frozen."""
        return self.lot is not None

    def serve(self, request: Any, caller: Caller) -> None:
        """A request has reached this machine."""
        incarnation = self.incarnation
        if incarnation is None:
            self.missed += 1
            caller.refused("refused")
        elif self.lot is not None:
            self.missed += 1
            incarnation._open[caller] = None
            self.lot.held.append(Timer(incarnation.accept, (request, caller)))
        else:
            incarnation.accept(request, caller)

    def start(self) -> None:
        """Boot the software; there must be none running."""
        if self.incarnation is not None:
            raise HarnessError(f"node {self.name!r} is running already")
        self.lives += 1
        self.incarnation = Incarnation(self)
        self.incarnation.handler = self._boot(self.incarnation)

    def crash(self) -> int:
        """Kill the software at once. Returns how many tasks and requests were cut off."""
        incarnation, self.incarnation, self.lot = self.incarnation, None, None
        if incarnation is None:
            return 0
        cut_off = incarnation.end()
        self.kernel.sweep()
        return cut_off

    def restart(self) -> int:
        """Kill the software if it runs, and boot it anew. Returns how much was cut off."""
        cut_off = self.crash()
        self.start()
        return cut_off

    def pause(self) -> int:
        """Freeze: wake-ups and requests are kept, in order, while the world goes on. Returns how many
        tasks stand still.
        """
        if self.incarnation is None or self.lot is not None:
            return 0
        self.lot = ParkingLot()
        for task in self.incarnation.tasks:
            task.send = self.lot.arrive
        return len(self.incarnation.tasks)

    def resume(self) -> int:
        """Thaw. Returns how many wake-ups and requests had piled up."""
        lot, self.lot = self.lot, None
        if lot is None or self.incarnation is None:
            return 0
        for task in self.incarnation.tasks:
            task.send = task.coro.send
        self.kernel.ready.extend(lot.held)
        return len(lot.held)


def _stop_the_run(task: str, error: BaseException) -> None:
    raise HarnessError(f"task {task} failed and nobody awaits it: {error!r}") from error
