"""How people reach the platform and pay, over HTTP on gevent: what `sim.people` asks of its world."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

import gevent

from chaos.live.asking import ask
from chaos.live.clock import SharedClock
from chaos.live.load.figures import Figures
from chaos.live.paced import PacedKernel
from chaos.live.slots import Slot
from chaos.live.struck import FateOf, Outcome, send
from chaos.live.wire import Passes, Sent, sent
from reference_platform.ports import OutcomeUnknown, Rejected, Request, Response, Unreachable
from sim.kernel import Future, TimedOut, wait_for
from sim.network import Refused, Unknown

AGAIN_S = 0.05


class Process:
    """What everybody in this process shares: kernel, clock, and the place in it."""

    def __init__(self, paced: PacedKernel, clock: SharedClock, slot: Slot) -> None:
        self.paced = paced
        self.kernel = paced.kernel
        self.now_us = clock.now_us
        self.working = slot.working


class Told(Protocol):
    """Who hears of each request that was sent. `alone`: its member had no other one under way when it was due."""

    def __call__(
        self, action: str, due_us: int, sent_us: int, now_us: int, *, failed: bool, alone: bool
    ) -> None: ...


class HttpLine:
    """The way from people to the platform's edge. Implements `sim.people.phone.Line`.

    A request is due when the kernel says so, and may be sent later, when this process or its greenlets are
    behind. Work that is due for longer than `late_max_us`, or finds `open_max` requests under way, is dropped.
    """

    def __init__(
        self,
        process: Process,
        edge: str,
        passes: Passes,
        figures: Figures,
        told: Told,
        fate_of: FateOf,
        *,
        late_max_us: int,
        open_max: int,
    ) -> None:
        self.under_way = 0
        self._process = process
        self._edge = edge
        self._passes = passes
        self._figures = figures
        self._told = told
        self._fate_of = fate_of
        self._late_max_us = late_max_us
        self._open_max = open_max
        self._asking: dict[str, int] = {}

    def call(self, request: Request, timeout_us: int, key: tuple[object, ...] = (), /) -> Awaitable[Any]:
        """Send it now, and wait for what comes of it, at most `timeout_us` of run time."""
        return self._call(request, timeout_us, key)

    async def _call(self, request: Request, timeout_us: int, key: tuple[object, ...]) -> Outcome:
        process, action = self._process, request.action
        due_us = process.kernel.now
        if process.now_us() - due_us > self._late_max_us or self.under_way >= self._open_max:
            self._figures.dropped(action)
            return Refused("dropped")
        alone = not self._asking.get(request.user)
        self._asking[request.user] = self._asking.get(request.user, 0) + 1
        sent_us = process.now_us()
        exchange = partial(self._exchange, request, timeout_us)
        outcome = await send(process.kernel, exchange, timeout_us, self._fate_of(key))
        self._asking[request.user] -= 1
        failed = not isinstance(outcome, Response) or outcome.status >= 500
        self._told(action, due_us, sent_us, process.now_us(), failed=failed, alone=alone)
        return outcome

    async def _exchange(self, request: Request, timeout_us: int) -> Outcome:
        process = self._process
        answer: Future = Future(process.kernel)
        outcome: Outcome = Unknown("timeout")
        self.under_way += 1
        with process.working():  # entered and left inside the kernel, which is awake then: see `paced`
            sending = gevent.spawn(self._send, request, answer)
            try:
                outcome = await wait_for(answer, timeout_us)
            except TimedOut:
                sending.kill(block=False)  # hang up, as a person would
        self.under_way -= 1
        return outcome

    def _send(self, request: Request, answer: Future) -> None:
        outcome = ask(self._edge, sent(request), {"Authorization": self._passes.of(request.user)})
        self._process.paced.inject(answer.set, outcome)


class HttpTill:
    """A channel's own app. Implements `sim.people.phone.Till`. `waiting` counts codes that somebody lingers over."""

    def __init__(self, process: Process, address: str) -> None:
        self.waiting = 0
        self._process = process
        self._address = address

    def pay(self, charge_no: str, payer: str) -> int:
        return self._pay("pay", {"charge_no": charge_no, "user": payer})

    def pay_static(self, charge_no: str, payer: str, amount_fen: int) -> int:
        return self._pay("pay_static", {"charge_no": charge_no, "user": payer, "amount_fen": amount_fen})

    def _pay(self, call: str, body: Mapping[str, Any]) -> int:
        """The fen captured. Raises Rejected, Unreachable or, when nobody knows, OutcomeUnknown."""
        with self._process.working():
            answer = ask(self._address, Sent("POST", f"/{call}", body), {})
        if isinstance(answer, Refused):
            raise Unreachable(self._address)
        if isinstance(answer, Unknown) or answer.status not in (200, 400, 503):
            raise OutcomeUnknown(call)
        if answer.status == 503:
            raise Unreachable(self._address)
        if answer.status == 400:
            raise Rejected(answer.body["code"])
        paid_fen: int = answer.body["paid_fen"]
        return paid_fen

    def linger(self, charge_no: str, on_close: Callable[[], None]) -> None:
        """Wait, in the background and as long as it takes, until the platform closes the charge."""
        self.waiting += 1
        gevent.spawn(self._linger, charge_no, on_close)

    def _linger(self, charge_no: str, on_close: Callable[[], None]) -> None:
        while True:
            answer = ask(self._address, Sent("GET", f"/linger/{charge_no}", {}), {}, timeout_s=None)
            if isinstance(answer, Response) and answer.status == 200:
                break
            gevent.sleep(AGAIN_S)  # the channel is being started again
        self._process.paced.inject(self._closed, on_close)

    def _closed(self, on_close: Callable[[], None]) -> None:
        self.waiting -= 1
        on_close()
