"""A set of strikes made into a case, run, and boiled down to what the search must know of it.

A strike is a word: the site of a rule of the vocabulary (as in any plan), or `node.crash@EVENT#n` for a crash of
the acting node at the n-th occurrence of an event. The case that comes of it is a case like any other: it can be
replayed, shrunk and kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from chaos.history import Fault, History, State
from chaos.nemesis import Plan, names_of
from chaos.replay import Case
from chaos.run import RunResult, run
from chaos.survey import Survey
from chaos.sweep import vocabulary
from scenarios.events import EVENTS
from scenarios.faults.rule import Rule
from scenarios.model import Scenario

Strikes = tuple[str, ...]
Reached = tuple[int, str]
"""When a site was first reached (µs), and the strike that could be made there."""

_CRASH_AT = f"{vocabulary.CRASH}@"
_KNOWN = frozenset(EVENTS)
_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True)
class Ground:
    """What is swept. The scenario's own faults belong to the workload and are not counted.

    Those that leave nothing to chance strike always; the others where they did in the run without strikes.
    """

    scenario: Scenario
    design: str
    seed: int
    names: tuple[str, ...]
    rules: tuple[Rule, ...]
    given: Plan

    @classmethod
    def of(cls, scenario: Scenario, design: str, seed: int, names: Sequence[str]) -> Ground:
        """Runs the workload once, to see what its own faults do."""
        given = run(scenario, design, seed).plan
        rules = vocabulary.rules(scenario, names)
        return cls(scenario, design, seed, tuple(names), (*scenario.faults, *rules), given)

    @property
    def always(self) -> dict[str, dict[str, Any]]:
        """Of the scenario's own rules those that strike wherever they can, by their number."""
        return {
            str(number): rule.params()
            for number, rule in enumerate(self.scenario.faults)
            if not rule.window
            and rule.probability >= 1
            and not rule.start
            and rule.until is None
            and rule.on is None
        }

    @property
    def own(self) -> int:
        """How many rules are the scenario's own."""
        return len(self.scenario.faults)

    def case(self, strikes: Strikes) -> Case:
        """The case in which exactly these strike."""
        rules = list(self.rules)
        plan = dict(self.given)
        for strike in strikes:
            if strike.startswith(_CRASH_AT):
                event, _, nth = strike.removeprefix(_CRASH_AT).partition("#")
                rule = vocabulary.crash(event, int(nth))
                plan[f"{len(rules)}/{vocabulary.CRASH}/acting/window"] = rule.params()
                rules.append(rule)
            else:
                plan[strike] = self.rules[int(strike.partition("/")[0])].params()
        scenario = self.scenario.model_copy(update={"faults": tuple(rules)})
        return Case(scenario, self.design, self.seed, plan)


class Seen(msgspec.Struct, frozen=True):
    """One run. `plan`: all that struck, if something was violated.

    `reached`: the sites after the last strike; `events`: a hash of all that happened but the faults.
    """

    digest: str
    verdicts: dict[str, str]
    plan: Plan = {}
    reached: list[Reached] = []
    events: str = ""


def look(ground: Ground, strikes: Strikes, *, deeper: bool, pruned: bool = True) -> Seen:
    """Run these strikes; with `deeper` also say where one more could be made."""
    case = ground.case(strikes)
    survey = Survey(case.plan or {}, ground.always)
    result = run(case.scenario, case.design, case.seed, plan=survey)
    verdicts = {one.invariant: str(one.outcome) for one in result.verdicts if one.outcome != "holds"}
    plan = result.plan if result.violated else {}
    if not deeper:
        return Seen(result.digest, verdicts, plan)
    reached = _reached(ground, strikes, survey, result, pruned=pruned)
    return Seen(result.digest, verdicts, plan, reached, _events(result.history))


def _reached(
    ground: Ground, strikes: Strikes, survey: Survey, result: RunResult, *, pruned: bool
) -> list[Reached]:
    commits = _commits(result.history) if vocabulary.CRASH in ground.names else []
    last = _last_strike(strikes, survey, commits)
    sites = [
        (number, time_us, site)
        for site, (time_us, number) in survey.asked.items()
        if number > last and int(site.partition("/")[0]) >= ground.own and not (pruned and _only_looks(site))
    ]
    heal_us = result.header.heal_us
    sites += [commit for commit in commits if commit[0] > last and commit[1] < heal_us]
    sites.sort(key=lambda site: site[0])  # stable: asked at the same event in the order of asking
    return [(time_us, strike) for _, time_us, strike in sites]


def _last_strike(strikes: Strikes, survey: Survey, commits: list[tuple[int, int, str]]) -> int:
    """The number of events when the last of the strikes was decided; -1 without any."""
    number_of = {strike: number for number, _, strike in commits}
    return max(
        (number_of[strike] if strike in number_of else survey.asked[strike][1] for strike in strikes),
        default=-1,
    )


def _commits(history: History) -> list[tuple[int, int, str]]:
    """Every committed transaction of a platform node as a place to crash: event number, time, strike."""
    found: list[tuple[int, int, str]] = []
    counts: dict[str, int] = {}
    transaction = -1
    for number, event in enumerate(history.events):
        if type(event) is not State:
            continue
        names = names_of(event)
        for name in names:
            counts[name] = counts.get(name, 0) + 1
        if event.tx != transaction and event.node.startswith("platform-"):
            transaction = event.tx
            name = next(name for name in reversed(names) if name in _KNOWN)
            found.append((number, event.t_us, f"{_CRASH_AT}{name}#{counts[name]}"))
    return found


def _only_looks(site: str) -> bool:
    """Whether a user only looks here: a lost look changes nothing, and what is not shown cannot be wrong."""
    _, _, where, *key = site.split("/")
    return where == "users->edge" and key[0].startswith("view_")


def _events(history: History) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for event in history.events:
        if type(event) is not Fault:
            digest.update(_encode(event))
    return digest.hexdigest()
