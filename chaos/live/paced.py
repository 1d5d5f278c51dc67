"""Runs an unmodified `sim.kernel.Kernel` by the shared clock: the same people, the same staff, in real time.

The kernel catches up with the clock whenever something in it falls due, and whenever something arrives from
outside. What arrives is injected as a call, made after the kernel was brought to the present; so a
coroutine that waits for a real answer awaits a `Future`, and the answer's arrival sets it.

`PacedKernel.run` blocks its thread in `select.poll` until then; in a process patched by gevent, such as Locust, the
very same code blocks one greenlet only.
"""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from chaos.live.clock import SharedClock
from chaos.live.slots import FOREVER_US, Slot
from sim.kernel import Kernel

_LONGEST_S: Final = 3600.0


class PacedKernel:
    """A kernel that keeps up with the clock, in a thread or a greenlet of its own.

    The slot says idle while this waits with nothing injected, whatever other threads or greenlets do: what
    they do counts through `Slot.working`, which the caller begins inside the kernel and ends in what it injects.
    """

    def __init__(self, kernel: Kernel, clock: SharedClock, slot: Slot) -> None:
        self.kernel = kernel
        self._clock = clock
        self._slot = slot
        self._injected: deque[tuple[Callable[..., Any], tuple[Any, ...]]] = deque()

    def inject(self, fn: Callable[..., Any], *args: Any) -> None:
        """Call `fn(*args)` inside the kernel, at the present. From any thread or greenlet.

        An error that it raises ends `run`.
        """
        self._injected.append((fn, args))
        self._slot.ring()

    def run(self, until: Callable[[], bool], every_s: float = _LONGEST_S) -> None:
        """Keep the kernel up with the clock until `until()`, asked after everything due has run.

        It is asked every `every_s` real seconds too: nothing may fall due for hours when something holds the
        clock. An error that leaves the kernel is raised here.
        """
        poll = select.poll()  # looked up late: gevent puts its own in place
        poll.register(self._slot.bell_fd, select.POLLIN)
        try:
            while True:
                due_us = _catch_up(self.kernel, self._clock, self._injected)
                self._slot.due(due_us)
                if until():
                    return
                if self._injected:
                    continue
                self._slot.idle(True)
                poll.poll(min(self._wait_ms(due_us), round(every_s * 1000)))
                self._slot.idle(False)
                self._slot.moved()
                self._slot.answer_bell()
        finally:
            self._slot.idle(False)
            self._slot.due(FOREVER_US)

    def _wait_ms(self, due_us: int) -> int:
        if not self._clock.begun():
            return round(_LONGEST_S * 1000)  # the bell is rung when time begins
        return max(0, -((self._clock.now_us() - due_us) // 1000))


def _catch_up(
    kernel: Kernel, clock: SharedClock, injected: deque[tuple[Callable[..., Any], tuple[Any, ...]]]
) -> int:
    """Run what is due by now, then what was injected; when the next thing is due, in µs of run time."""
    kernel.run_until(max(kernel.now, clock.now_us()))
    while injected:
        fn, args = injected.popleft()
        fn(*args)
    kernel.run_until(max(kernel.now, clock.now_us()))
    due = kernel.peek()
    return int(due) if due < FOREVER_US else FOREVER_US
