"""The same storms in both worlds: campaigns of their own, and what they showed, compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML

from chaos.agreement import Agreement, Look, compare
from chaos.campaign import Order, conduct
from chaos.court import RunResult
from chaos.history import Fail, Invoke, Ok, State, Unknown
from chaos.live import probe
from chaos.live.options import Options
from chaos.live.run import LiveRunner
from chaos.live.world import LiveWorld
from chaos.opening import Opening
from chaos.results import LIVE, SIM
from chaos.run import run
from chaos.worker import Runner
from reference_platform import designs
from scenarios.durations import render
from scenarios.model import Scenario
from scenarios.speeds import Speeds
from sim.kernel import HarnessError

CALIBRATION = "calibration.yaml"
SIMULATED = 60
"""Seeds that are simulated at least, however few real runs there are: what is a race in one run is a rate in sixty."""


@dataclass(frozen=True)
class Plan:
    """What to compare: seeds 1 to `seeds` on real parts. `calibrate`: simulate with the speeds that the real parts turn out to have."""

    scenario: Scenario
    designs: Sequence[str]
    seeds: int
    calibrate: bool
    command: str


@dataclass(frozen=True)
class Found:
    """What came of it: `speeds` as people write them, `broken` runs of either world that came to no end."""

    agreement: Agreement
    speeds: dict[str, str]
    broken: int


@dataclass
class Watched:
    """A runner that keeps what each run showed."""

    runner: Runner
    name: str
    limit_s: float
    looks: list[Look] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.__qualname__ = self.name

    def __call__(self, scenario: Scenario, design: str, seed: int) -> RunResult:
        result = self.runner(scenario, design, seed)
        self.looks.append(look(result))
        return result


def agree_on(plan: Plan, options: Options, out: Path, tell: Callable[[str], None]) -> Found | None:
    """Run everything, in `out`; None after an interrupt. Raises ProbeFailed and what campaigns raise."""
    scenario = plan.scenario.model_copy(update={"swarm": False})
    speeds = measured(scenario, plan.designs[0], options, tell)
    written = {name: render(value) for name, value in speeds.model_dump().items()}
    with (out / CALIBRATION).open("w", encoding="utf-8") as file:
        YAML().dump(written, file)
    runner = LiveRunner(options, tell)
    live = Watched(runner, "live", runner.limit_s)
    sim = Watched(run, "run", runner.limit_s)
    simulated = scenario.model_copy(update={"speeds": speeds}) if plan.calibrate else scenario
    designs = list(plan.designs)
    many = max(plan.seeds, SIMULATED)
    for world, storm, watched, last in ((LIVE, scenario, live, plan.seeds), (SIM, simulated, sim, many)):
        seeds = range(1, last + 1)
        order = Order([storm], designs, seeds, watched, out / world, command=plan.command, world=world)
        if conduct(order).interrupted:
            return None
    simulated_runs = {(one.design, one.seed) for one in sim.looks}
    theirs = [one for one in live.looks if (one.design, one.seed) in simulated_runs]
    broken = len(designs) * (plan.seeds + many) - len(sim.looks) - len(live.looks)
    if not theirs:
        raise HarnessError(f"no run came to its end in both worlds; {out} says why")
    return Found(compare(sim.looks, theirs), written, broken)


def measured(scenario: Scenario, design: str, options: Options, tell: Callable[[str], None]) -> Speeds:
    """The speeds of the real parts, all up and nobody asking anything. No fault strikes what we ask ourselves."""
    opening = Opening(scenario.model_copy(update={"faults": ()}), designs.load(design), 1)
    with LiveWorld(opening, options, lambda step: tell(f"measuring speeds: {step}")) as world:
        return probe.speeds(world)


def look(result: RunResult) -> Look:
    """What a run showed, without its history."""
    steps: Counter[str] = Counter()
    compensations: Counter[str] = Counter()
    times_us: dict[str, list[int]] = {}
    asked: dict[int, int] = {}
    for event in result.history.events:
        if isinstance(event, Invoke):
            asked[event.op] = event.t_us
        elif isinstance(event, Ok) and event.action != "pay":  # simulated people pay without a wire
            times_us.setdefault(event.action, []).append(event.t_us - asked.pop(event.op))
        elif isinstance(event, Ok | Fail | Unknown):
            asked.pop(event.op, None)
        elif isinstance(event, State) and event.op == "insert" and event.row is not None:
            if event.table == "order_log":
                steps[
                    f"{event.row['from_status'] or '–'} → {event.row['to_status']} ({event.row['cause']})"
                ] += 1
            elif event.table == "compensations":
                compensations[event.row["rule"]] += 1
    measures = result.measures
    for what, counted in (
        ("click to card", measures.click_to_card),
        ("time to settle", measures.time_to_settle),
    ):
        times_us[what] = [us for us, count in sorted(counted.items()) for _ in range(count)]
    return Look(
        scenario=result.scenario.name,
        design=result.header.design,
        seed=result.header.seed,
        outcomes={verdict.invariant: verdict.outcome for verdict in result.verdicts},
        steps=dict(sorted(steps.items())),
        compensations=dict(sorted(compensations.items())),
        times_us={what: sorted(values) for what, values in sorted(times_us.items()) if values},
    )
