"""What Locust runs: one user, the crowd, which is everybody whose arrivals fall to this process.

The loop is open: people arrive when the seed says so, as in the simulator, whatever the platform does. Each
request is told to Locust, with its latency from when it was due, and to our own figures, which keep both ways
of counting.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from math import inf
from pathlib import Path
from time import perf_counter
from typing import Any

import gevent
from locust import User, events, task
from locust.env import Environment
from locust.rpc.protocol import Message
from locust.runners import MasterRunner, WorkerRunner

from chaos.live.clock import SharedClock
from chaos.live.drawing import SiteNemesis, own_events
from chaos.live.journal import Journal
from chaos.live.load.figures import Figures
from chaos.live.load.line import HttpLine, HttpTill, Process
from chaos.live.load.order import ENVIRONMENT, LoadOrder, load
from chaos.live.openings import Openings
from chaos.live.paced import PacedKernel
from chaos.live.wire import Passes
from chaos.messages import Messages
from chaos.opening import Opening
from reference_platform import designs
from scenarios.model import Scenario
from sim.kernel import Kernel
from sim.people import Members, Phone
from sim.traffic import Arrival

BROKEN = 4
OVER = "dingfeng.over"
STAYS_S = 600.0


@events.init.add_listener  # type: ignore[untyped-decorator]
def count_workers(environment: Environment, **_: Any) -> None:
    """A master ends when all its workers' people are done, or when one worker broke."""
    runner = environment.runner
    if isinstance(runner, MasterRunner):
        done: list[int] = []
        assert environment.parsed_options is not None
        expected = environment.parsed_options.expect_workers

        def over(environment: Environment, msg: Message, **_: Any) -> None:
            done.append(msg.data["code"])
            environment.process_exit_code = max(done)
            if len(done) == expected or max(done):
                runner.quit()

        runner.register_message(OVER, over)


class Crowd(User):
    """Everybody who buys, in this process."""

    @task
    def live(self) -> None:
        """The whole run; then Locust ends. An error ends it too: what failed must not be tried once more."""
        environment = self.environment
        runner = environment.runner
        number = runner.worker_index if isinstance(runner, WorkerRunner) else 0
        code = BROKEN
        try:
            Share(load(Path(os.environ[ENVIRONMENT])), number, environment.events.request.fire).spend()
            code = 0
        finally:
            environment.process_exit_code = code
            if isinstance(runner, WorkerRunner):
                # A worker that left would have its people dealt to the others: it stays until the master ends.
                runner.send_message(OVER, {"code": code})
                gevent.sleep(STAYS_S)
            else:
                runner.quit()


class Share:
    """One process's share of a run's people, from the first arrival to the last look."""

    def __init__(self, order: LoadOrder, number: int, tell: Any) -> None:
        self._order = order
        self._number = number
        self._tell = tell
        self._figures = Figures()
        scenario = Scenario.model_validate(order.scenario)
        opening = Opening(scenario, designs.load(order.design), order.seed)
        self._clock = clock = SharedClock.open(Path(order.clock))
        self._slot = clock.slot(order.slots[number])
        kernel = Kernel()
        self._paced = PacedKernel(kernel, clock, self._slot)
        self._journal = Journal(Path(order.journals[number]), clock.now_us, order.ops_from[number])
        nemesis = SiteNemesis(
            opening,
            kernel=kernel,
            history=self._journal,
            plan=order.plan,
            own=own_events("load", scenario.workload, len(order.slots)),
            announced=Openings(Path(order.openings)).news,
        )
        process = Process(self._paced, clock, self._slot)
        self._line = HttpLine(
            process,
            order.edge,
            Passes(order.key),
            self._figures,
            self._answered,
            partial(Messages(nemesis, opening.streams).strike, "users", "edge"),
            late_max_us=order.late_max_us,
            open_max=order.open_max,
        )
        self._tills = {name: HttpTill(process, address) for name, address in order.channels.items()}
        phone = Phone(kernel, self._line, self._journal, self._tills)
        members = Members(kernel, phone, opening.streams, opening.shop(), nemesis)
        members.start(self._mine(opening.wishes(order.keep)))

    def spend(self) -> None:
        """Live it, until everybody is content or the end has come; the figures are written in any case."""
        began_s = perf_counter()
        try:
            self._paced.run(self._over)
        finally:
            self._figures.real_s = perf_counter() - began_s
            self._figures.save(Path(self._order.figures[self._number]))
            self._journal.close()
            self._slot.close()
            self._clock.close()

    def _over(self) -> bool:
        """Whether nothing can come any more: nobody sleeps, asks or lingers. Or it is late enough."""
        if self._clock.now_us() >= self._order.end_us:
            return True
        waiting = self._line.under_way + sum(till.waiting for till in self._tills.values())
        return not waiting and self._paced.kernel.peek() == inf

    def _mine(self, arrivals: Iterator[Arrival]) -> Iterator[Arrival]:
        for arrival in arrivals:
            if arrival.number % len(self._order.slots) == self._number:
                self._figures.arrivals += 1
                yield arrival

    def _answered(
        self, action: str, due_us: int, sent_us: int, now_us: int, *, failed: bool, alone: bool
    ) -> None:
        self._figures.answered(action, due_us, sent_us, now_us, failed=failed, alone=alone)
        trouble = RuntimeError("no answer, or a server's error") if failed else None
        self._tell(
            request_type="HTTP",
            name=action,
            response_time=(now_us - due_us) / 1000,
            response_length=0,
            exception=trouble,
            context={},
        )
