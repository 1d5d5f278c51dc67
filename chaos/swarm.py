"""Swarm testing: every varied run blows another storm, drawn from what the scenario allows.

One storm with everything in it hides bugs: a fault that stops all payments keeps every other from showing. So each
seed leaves out a random half of the faults and of the workload's features, sets one intensity for what is left,
and turns the platform's settings to tiny or huge (`swarm_settings.py`). The result is again a scenario, so it is
judged, kept, shrunk and replayed like any other.

A hunt has a hundred rules to draw from, and blows two kinds of storms: a few rules with all their force, for what one
fault does, or half of all rules, each of them seldom, for what several do together. Why, and which limits are left
out: docs/decisions/0014-swarm.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from chaos.run import RunResult, run
from chaos.swarm_settings import STREAM, half, turned
from scenarios.checking import problems
from scenarios.faults.rule import Rule, is_duration
from scenarios.loading import parse
from scenarios.model import Scenario
from sim.randomness import Streams

HUNT = "hunt"
"""The scenario that holds the whole vocabulary; `hunt` draws its storms from it, replay tokens name it."""

_POOL = Path(__file__).with_name("pool.yaml")
_HALF_OF_FEW = 8
"""Of so many rules half may blow at once; of more, at most `_MOST_AT_ONCE`, or nothing would get through."""

_MOST_AT_ONCE = 6
_SELDOM = 0.05
"""Chance of each rule in a storm of many: at each site, or once for what holds for a while."""

_STORMS_OF_MANY = 0.5
"""Share of a hunt's seeds."""


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
    streams, hunting = Streams(seed), scenario.name == HUNT
    calm = turned(scenario, streams, free=hunting)
    if hunting and streams.chance(STREAM, _STORMS_OF_MANY, "many"):
        kept: Sequence[int] = _fitting(calm, half(range(len(calm.faults)), streams, "seldom"))
        faults = [scenario.faults[index].model_copy(update={"probability": _SELDOM}) for index in kept]
    else:
        kept = _some_faults(calm, streams)
        intensity = streams.choice(STREAM, _INTENSITIES, "intensity")
        faults = [_scaled(scenario.faults[index], intensity) for index in kept]
    return kept, calm.model_copy(update={"faults": tuple(faults)})


def _some_faults(calm: Scenario, streams: Streams) -> Sequence[int]:
    """Numbers of rules, ascending; none whose place this storm has not got."""
    everything = range(len(calm.faults))
    if len(everything) <= _HALF_OF_FEW:
        return half(_fitting(calm, everything), streams, "fault")
    wanted = streams.integer(STREAM, 1, _MOST_AT_ONCE, "faults")
    named = dict.fromkeys(streams.choice(STREAM, everything, "fault", draw) for draw in range(2 * wanted + 4))
    return sorted(_fitting(calm, list(named))[:wanted] or _fitting(calm, everything)[:1])


def _fitting(calm: Scenario, numbers: Sequence[int]) -> list[int]:
    asked = calm.model_copy(update={"faults": tuple(calm.faults[number] for number in numbers)})
    misfits = {problem.place[1] for problem in problems(asked) if problem.place[0] == "faults"}
    return [number for place, number in enumerate(numbers) if place not in misfits]


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
