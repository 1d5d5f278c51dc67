"""Swarm testing: every varied run blows another storm, drawn from what the scenario allows.

One storm with everything in it hides bugs: a fault that stops all payments keeps every other from showing. So each
seed leaves out a random half of the faults and of the workload's features, sets one intensity for what is left,
and turns the platform's settings to tiny or huge. The result is again a scenario, so it is judged, kept,
shrunk and replayed like any other. Why, and which limits are left out: docs/decisions/0014-swarm.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from chaos.run import RunResult, run
from scenarios.checking import problems
from scenarios.faults.rule import Rule, is_duration
from scenarios.loading import parse
from scenarios.model import Knobs, Scenario
from scenarios.workload import Arrivals, Burst, Workload
from sim.randomness import Streams

HUNT = "hunt"
"""The scenario that holds the whole vocabulary; `hunt` draws its storms from it, replay tokens name it."""

_POOL = Path(__file__).with_name("pool.yaml")
_STREAM = "swarm"
_HALF_OF_FEW = 8
"""Of so many rules half may blow at once; of more, at most `_MOST_AT_ONCE`, or nothing would get through."""

_MOST_AT_ONCE = 6
RUSH_US = 1_000_000
_SETTINGS = ("production", "production", "tiny", "huge")

Item = TypeVar("Item")


@dataclass(frozen=True)
class _Intensity:
    """One for a whole storm: how often, how long, how many."""

    often: float
    long: float
    many: float


_INTENSITIES = (_Intensity(0.3, 0.2, 0.5), _Intensity(1.0, 1.0, 1.0), _Intensity(3.0, 3.0, 3.0))


@cache
def pool() -> Scenario:
    """Every fault of the vocabulary over a small shop with all kinds of goods."""
    return parse(_POOL.read_text(encoding="utf-8"), _POOL.name, stem=HUNT)


def is_varied(scenario: Scenario, seed: int) -> bool:
    """Even seeds vary a storm, odd ones blow it as written; the pool, which nobody wrote as a storm, always varies."""
    return scenario.name == HUNT or (scenario.swarm and seed % 2 == 0)


def of_seed(scenario: Scenario, seed: int) -> Scenario:
    """The scenario that this seed runs."""
    return vary(scenario, seed) if is_varied(scenario, seed) else scenario


def run_seed(scenario: Scenario, design: str, seed: int) -> RunResult:
    """One run of a campaign. What faults touched is told by the rules of the scenario as written."""
    if not is_varied(scenario, seed):
        return run(scenario, design, seed)
    kept, varied = _drawn(scenario, seed)
    result = run(varied, design, seed)
    counts = dict(zip(kept, result.touched.values(), strict=True))
    touched = {
        f"{index}/{rule.fault}/{rule.where()}": counts[index]
        for index, rule in enumerate(scenario.faults)
        if index in counts
    }
    return replace(result, touched=touched)


@dataclass(frozen=True)
class Hunter:
    """Runs storms of the pool. Worker processes get it whole; with `only`, other invariants are not looked at."""

    only: tuple[str, ...] = ()

    def __call__(self, scenario: Scenario, design: str, seed: int) -> RunResult:
        """One storm. A rule that touched nothing in a short hunt is no doubt, so it is not counted."""
        result = run_seed(scenario, design, seed)
        verdicts = [verdict for verdict in result.verdicts if not self.only or verdict.invariant in self.only]
        touched = {rule: count for rule, count in result.touched.items() if count}
        return replace(result, verdicts=verdicts, touched=touched)


def vary(scenario: Scenario, seed: int) -> Scenario:
    """The storm that this seed makes of a scenario: always the same one."""
    return _drawn(scenario, seed)[1]


def _drawn(scenario: Scenario, seed: int) -> tuple[Sequence[int], Scenario]:
    """The numbers of the rules that stay, and the storm."""
    streams = Streams(seed)
    calm = scenario.model_copy(
        update={
            "workload": _workload(scenario.workload, streams),
            "knobs": _knobs(scenario, streams),
            "timing": _timing(scenario, streams),
            "swarm": False,
        }
    )
    kept = _some_faults(calm, streams)
    intensity = streams.choice(_STREAM, _INTENSITIES, "intensity")
    faults = tuple(_scaled(scenario.faults[index], intensity) for index in kept)
    return kept, calm.model_copy(update={"faults": faults})


def _some_faults(calm: Scenario, streams: Streams) -> Sequence[int]:
    """Numbers of rules, ascending; none whose place this storm has not got."""
    everything = range(len(calm.faults))
    if len(everything) <= _HALF_OF_FEW:
        return _half(_fitting(calm, everything), streams, "fault")
    wanted = streams.integer(_STREAM, 1, _MOST_AT_ONCE, "faults")
    named = dict.fromkeys(
        streams.choice(_STREAM, everything, "fault", draw) for draw in range(2 * wanted + 4)
    )
    return sorted(_fitting(calm, list(named))[:wanted] or _fitting(calm, everything)[:1])


def _fitting(calm: Scenario, numbers: Sequence[int]) -> list[int]:
    asked = calm.model_copy(update={"faults": tuple(calm.faults[number] for number in numbers)})
    misfits = {problem.place[1] for problem in problems(asked) if problem.place[0] == "faults"}
    return [number for place, number in enumerate(numbers) if place not in misfits]


def _half(items: Sequence[Item], streams: Streams, kind: str) -> list[Item]:
    """Each with one chance in two; never none, unless there are none."""
    kept = [item for number, item in enumerate(items) if streams.chance(_STREAM, 0.5, kind, number)]
    if not kept and items:
        kept = [streams.choice(_STREAM, items, kind)]
    return kept


# ---------------------------------------------------------------- intensity


def _scaled(rule: Rule, intensity: _Intensity) -> Rule:
    """The rule at this intensity. A window that was switched on stays certain: it strikes once or not at all."""
    if intensity.often == 1.0:
        return rule
    changes: dict[str, Any] = {name: _stretched(rule, name, intensity) for name in _durations(type(rule))}
    for name, least in (("copies", 1), ("times", 2)):
        if (count := getattr(rule, name, None)) is not None:
            changes[name] = min(100, max(least, round(count * intensity.many)))
    if (factor := getattr(rule, "factor", None)) is not None:
        changes["factor"] = 1 + (factor - 1) * intensity.many
    if not rule.window:
        changes["probability"] = min(1.0, rule.probability * intensity.often)
    return rule.model_copy(update=changes)


def _stretched(rule: Rule, name: str, intensity: _Intensity) -> int:
    """The duration at this intensity (µs); never beyond a counterparty's contract, unless it was written so."""
    written: int = getattr(rule, name)
    covered_us = rule.covered_us.get(name, 1 << 62)
    return min(round(written * intensity.long), max(written, covered_us))


@cache
def _durations(kind: type[Rule]) -> tuple[str, ...]:
    return tuple(name for name in kind.own_fields() if is_duration(kind, name))


# ---------------------------------------------------------------- workload and settings


def _workload(workload: Workload, streams: Streams) -> Workload:
    """Half of the goods and of the ways to pay; bulk orders and memberships on or off; people and stock."""
    setting = partial(_setting, streams)
    stock = setting("stock")
    products = _half(workload.products, streams, "product")
    if stock != "production":
        products = [
            product.model_copy(
                update={"stock": min(product.stock, 2) if stock == "tiny" else product.stock * 10}
            )
            for product in products
        ]
    ways = _half([way for way, weight in workload.pay_with.items() if weight], streams, "way")
    changes: dict[str, Any] = {
        "products": tuple(products),
        "pay_with": {way: weight for way, weight in workload.pay_with.items() if way in ways},
        "members": setting("members", workload.members, 1, max(workload.members, workload.orders)),
        "arrivals": _arrivals(workload.arrivals, streams),
        "orders": setting("orders", workload.orders, max(1, min(3, workload.orders)), workload.orders),
    }
    if not streams.chance(_STREAM, 0.5, "bulk"):
        changes["quantity"] = workload.quantity.model_copy(update={"max": workload.quantity.min})
    if not streams.chance(_STREAM, 0.5, "memberships"):
        changes["members_with_membership"] = 0.0
    return workload.model_copy(update=changes)


def _arrivals(arrivals: Arrivals, streams: Streams) -> Arrivals:
    """A burst may come as a rush, everybody at once."""
    if not isinstance(arrivals, Burst):
        return arrivals
    within = _setting(streams, "within", arrivals.within, min(arrivals.within, RUSH_US), arrivals.within)
    return arrivals.model_copy(update={"within": within})


def _knobs(scenario: Scenario, streams: Streams) -> Knobs:
    """Settings that a scenario does not mind are turned; what it has chosen itself is part of its story."""
    knobs, setting = scenario.knobs, partial(_setting, streams)
    changes: dict[str, Any] = {
        "nodes": setting("nodes", None, 1, 4),
        "workers": setting("workers", None, 1, 64),
        "pool_size": setting("pool_size", None, 2, 64),
    }
    if knobs.replication == "async":
        changes["replica_lag"] = setting("replica_lag", None, 0, 30_000_000)
    return knobs.model_copy(
        update={name: value for name, value in changes.items() if getattr(knobs, name) is None}
    )


def _timing(scenario: Scenario, streams: Streams) -> Any:
    """The time to pay: as it is, an eighth, or twice as long if the run is long enough for that."""
    timing = scenario.timing
    expiry = _setting(
        streams,
        "expiry",
        timing.expiry,
        timing.expiry // 8,
        max(timing.expiry, min(2 * timing.expiry, timing.deadline // 2)),
    )
    return timing.model_copy(update={"expiry": expiry})


def _setting(
    streams: Streams, name: str, production: Any = "production", tiny: Any = "tiny", huge: Any = "huge"
) -> Any:
    chosen = streams.choice(_STREAM, _SETTINGS, "setting", name)
    return {"production": production, "tiny": tiny, "huge": huge}[chosen]
