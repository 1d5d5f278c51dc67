"""One storm on real parts, end to end: the file to read first.

As in sim (`chaos.run`): safety phase under faults, heal (verified), liveness phase with a deadline, quiet until
past 24 h 24 min, final reads as each user would see them; then what all processes and the database wrote
down becomes one history, and the same court judges it. Real seconds pass only while something moves.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chaos.court import Court, RunResult
from chaos.final_reads import final_reads
from chaos.history import Event, Fault, History
from chaos.live import leavings
from chaos.live.journal import merge
from chaos.live.options import Options
from chaos.live.world import LiveWorld
from chaos.nemesis import Plan
from chaos.opening import Opening
from chaos.results import LIVE
from chaos.worker import RunStopped, run_id
from reference_platform import designs
from reference_platform.ports import HOUR, MINUTE
from scenarios.model import Scenario
from sim.kernel import HarnessError

HEAL_S = 180.0
"""Real seconds within which the world must be whole again after the storm: also on a machine that is very busy."""

BEAT_S = 0.5
"""How often, in real seconds, the orchestrator looks whether all is well."""


@dataclass(frozen=True)
class LiveRunner:
    """`run` with its options: what a campaign calls for each seed. `tell` hears of every step.

    Below `kept` each run leaves what its processes said and did, see `chaos.live.leavings`.
    """

    options: Options
    tell: Callable[[str], None] = lambda _: None
    nodes: int | None = None
    kept: Path | None = None

    def __repr__(self) -> str:
        """How a campaign calls this runner."""
        return "live"

    @property
    def limit_s(self) -> float:
        """Real seconds after which a run hangs, its own budget being of no avail."""
        return self.options.budget_s + 120.0

    def __call__(self, scenario: Scenario, design: str, seed: int) -> RunResult:
        if self.nodes is not None:
            knobs = scenario.knobs.model_copy(update={"nodes": self.nodes})
            scenario = scenario.model_copy(update={"knobs": knobs})
        return run(
            scenario,
            design,
            seed,
            self.options,
            lambda step: self.tell(f"{scenario.name} × {design}, seed {seed}: {step}"),
            None if self.kept is None else self.kept / run_id(scenario.name, design, seed),
        )


def run(
    scenario: Scenario,
    design: str,
    seed: int,
    options: Options,
    tell: Callable[[str], None] = lambda _: None,
    kept: Path | None = None,
    look: Callable[[LiveWorld], None] = lambda _: None,
) -> RunResult:
    """Put one design through one storm on real parts, and judge it.

    What its processes said and did is left in the directory `kept`, however the run ends. `look` may look at
    the world once more when all is over, its database still up.

    Raises RunStopped when its budget of real time is spent, HarnessError when the world could not be healed,
    ProcessDied when a part ended unasked.
    """
    began_s = time.monotonic()
    opening = Opening(scenario, designs.load(design), seed)
    with LiveWorld(opening, options, tell) as world:
        try:
            history, settled = _storm(world, tell)
            look(world)
        finally:
            if kept is not None:
                figures = [Path(path) for path in world.layout.load(None).figures]
                leavings.keep(world.directory, kept, world.conductor.figures, figures)
        orders = len(world.orders)
    tell("judging")
    court = Court(history)
    return court.result(
        scenario,
        touched=touched(scenario, history.events),
        plan=plan_of(history.events),
        orders=orders,
        settled=settled,
        wall_s=time.monotonic() - began_s,
        world=LIVE,
    )


def _storm(world: LiveWorld, tell: Callable[[str], None]) -> tuple[History, bool]:
    """The phases of a run: what was written down, and whether everything had come to rest by the end."""
    opening = world.opening
    clock = Phases(world)
    with world.watch, world.conductor:
        tell("storm")
        clock.run_to(opening.heal_us)
        _heal(world)
        tell("liveness")
        clock.run_to(opening.settle_by_us)
        tell("quiet")
        clock.run_to(opening.end_us)
        settled = not any(look.pid and look.working for look in world.clock.looks())
        tell("final reads")
        clock.read()
        clock.drain()
    states = [*world.watch.states, *world.store.rest()]
    history = History(opening.header())
    history.events.extend(merge([*world.layout.journals(), world.journal.path], states))
    return history, settled


class Phases:
    """Lets the orchestrator's kernel, and with it the whole world, run from one time to the next."""

    def __init__(self, world: LiveWorld) -> None:
        self._world = world
        self._deadline_s = time.monotonic() + world.options.budget_s
        self._looked_s = 0.0

    def run_to(self, at_us: int) -> None:
        """Until run time is `at_us`, which no leap passes."""
        world = self._world
        world.conductor.limit_us = at_us
        world.kernel.call_at(at_us, lambda: None)
        world.paced.run(lambda: self._beat() and world.kernel.now >= at_us, BEAT_S)

    def read(self) -> None:
        """The final reads, over HTTP through the edge."""
        world = self._world
        skus = [product.sku for product in world.opening.scenario.workload.products]
        reads = final_reads(world.orders, skus, world.line, world.journal)
        reading = world.kernel.spawn(reads, "final reads")
        limit_us = world.kernel.now + HOUR + MINUTE * (len(world.orders) + 2 * len(skus))
        world.conductor.limit_us = limit_us
        world.paced.run(lambda: self._beat() and (reading.done or world.kernel.now >= limit_us), BEAT_S)
        if not reading.done:
            raise HarnessError("the final reads did not come to their end")

    def drain(self) -> None:
        """Until nothing new is written down."""
        while not self._world.watch.caught_up():
            self._beat()

    def _beat(self) -> bool:
        """Now and then look whether all is well. Always true."""
        real_s = time.monotonic()
        if real_s - self._looked_s >= BEAT_S:
            self._looked_s = real_s
            self._world.check()
            if real_s > self._deadline_s:
                reached = f"{self._world.kernel.now / 1e6:,.0f} of {self._world.opening.end_us / 1e6:,.0f} s"
                raise RunStopped(
                    f"ended after {self._world.options.budget_s:g} real s, at {reached} of the run"
                )
        return True


def _heal(world: LiveWorld) -> None:
    """End of the storm: every fault is undone, and that is verified."""
    world.nemesis.heal()
    world.hesitation.end()
    world.background.finish(HEAL_S)
    deadline_s = time.monotonic() + HEAL_S
    while wrong := world.faults.unhealed():
        if time.monotonic() > deadline_s:
            raise HarnessError(f"the world did not heal: {'; '.join(wrong)}")
        time.sleep(0.05)


def touched(scenario: Scenario, events: list[Event]) -> dict[str, int]:
    """How often each rule really touched something, by `index/fault/where`, as the nemesis says it in sim."""
    counts = [0] * len(scenario.faults)
    for event in events:
        if isinstance(event, Fault):
            index = int(event.site.partition("/")[0])
            if event.phase == "touch":
                counts[index] += 1
            elif event.phase == "end":
                counts[index] += int(event.data.get("touched", 0))
    return {
        f"{index}/{rule.fault}/{rule.where()}": count
        for index, (rule, count) in enumerate(zip(scenario.faults, counts, strict=True))
    }


def plan_of(events: list[Event]) -> Plan:
    """What struck where: the plan that gives the same faults to another run, in either world."""
    beside = ("where", "key")
    return {
        event.site: {name: value for name, value in event.data.items() if name not in beside}
        for event in events
        if isinstance(event, Fault) and event.phase in ("touch", "start")
    }
