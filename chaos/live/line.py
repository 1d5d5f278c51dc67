"""How the orchestrator's own people, the money desk and the final reader, reach the platform: HTTP in threads.

They live in a kernel that keeps up with the shared clock; the answer is injected there when it has come.
"""

from __future__ import annotations

from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Any, Self

from chaos.live.asking import ask
from chaos.live.paced import PacedKernel
from chaos.live.slots import Slot
from chaos.live.struck import FateOf, Outcome, send
from chaos.live.wire import Passes, sent
from reference_platform.ports import Request
from sim.kernel import Future, TimedOut, wait_for
from sim.network import Unknown

AT_ONCE = 8


class ThreadLine:
    """The way to `address`. Implements `sim.people.phone.Line`. `with` it: its threads end with the block."""

    def __init__(self, paced: PacedKernel, slot: Slot, address: str, passes: Passes) -> None:
        self._paced = paced
        self._slot = slot
        self._address = address
        self._passes = passes
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="line")
        self.fate_of: FateOf = _spared
        """Asked about each request, by its key, before it is sent."""

    def call(self, request: Request, timeout_us: int, key: tuple[object, ...] = (), /) -> Awaitable[Any]:
        """Ask, and wait for what comes of it, at most `timeout_us` of run time."""
        exchange = partial(self._exchange, request, timeout_us)
        return send(self._paced.kernel, exchange, timeout_us, self.fate_of(key))

    async def _exchange(self, request: Request, timeout_us: int) -> Outcome:
        answer = Future(self._paced.kernel)
        with self._slot.working():  # entered and left inside the kernel: counts are not safe between threads
            self._threads.submit(self._ask, request, answer)
            try:
                outcome: Outcome = await wait_for(answer, timeout_us)
            except TimedOut:
                return Unknown("timeout")
        return outcome

    def _ask(self, request: Request, answer: Future) -> None:
        outcome: Outcome = Unknown("failed")
        try:
            headers = {"Authorization": self._passes.of(request.user)}
            outcome = ask(self._address, sent(request), headers)
        finally:
            self._paced.inject(answer.set, outcome)  # set counts once: whoever gave up has set it

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)


def _spared(_key: tuple[object, ...]) -> None:
    """Nobody has told yet of a storm that strikes single requests."""
