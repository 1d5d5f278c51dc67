"""Passes over the storm: fewer blows, plainer ones, milder ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from chaos.nemesis import Plan
from chaos.replay import Case
from chaos.shrink.search import HOUR, MINUTE, below, lowest, thin
from chaos.shrink.trials import Trials
from scenarios.faults import FAULTS
from scenarios.faults.rule import Rule

SIMPLER: Mapping[str, tuple[str, ...]] = {
    "channel.callback_reorder": ("channel.callback_delay",),
    "channel.result_unknown": ("channel.down",),
    "supplier.result_unknown": ("supplier.down",),
    "supplier.false_success": ("supplier.fail",),
    "supplier.partial": ("supplier.fail",),
    "node.crash": ("node.pause",),
    "database.failover": ("database.drop_connections", "database.crash"),
    "database.crash": ("database.drop_connections",),
    "link.loss_after": ("link.loss_before",),
    "link.duplicate": ("link.loss_before",),
    "link.reorder": ("link.loss_before",),
    **dict.fromkeys(
        (
            "link.partition",
            "link.timeout",
            "link.reset_peer",
            "link.limit_data",
            "link.slicer",
            "link.bandwidth",
            "link.slow_close",
        ),
        ("link.down", "link.latency"),
    ),
}
"""Faults that are easier to understand and strike at the same sites, the easiest first."""

_SAME_VALUE = {"spread": "delay", "restart_after": "duration", "timeout": "latency", "delay": "latency"}
"""Fields that a simpler fault takes over under another name."""


_LATE_US = (10 * MINUTE, HOUR)


def drop_blows(trials: Trials) -> None:
    """Leave out as many struck sites as possible."""

    def without(sites: Sequence[str]) -> bool:
        case = trials.best.case
        gone = set(sites)
        plan = {site: effect for site, effect in (case.plan or {}).items() if site not in gone}
        return trials.better(replace(case, plan=plan))

    thin(lambda: list(trials.best.case.plan or {}), without)


def merge(trials: Trials) -> None:
    """One late notice in place of a notice whose first attempts are all lost."""
    for index, rule in enumerate(trials.best.case.scenario.faults):
        sites = struck_by(trials.best.case, index)
        if rule.fault == "channel.callback_loss" and len({_notice(site) for site in sites}) < len(sites):
            any(trials.better(_late(trials.best.case, index, delay_us)) for delay_us in _LATE_US)


def _notice(site: str) -> str:
    """The site of a whole notice, from that of one of its attempts."""
    return site.rpartition("/")[0]


def _late(case: Case, index: int, delay_us: int) -> Case:
    """The case with every notice that a rule lost attempts of held back instead."""
    lost = case.scenario.faults[index]
    given = {**lost.model_dump(by_alias=True), "fault": "channel.callback_delay", "delay": delay_us}
    late = FAULTS["channel.callback_delay"].model_validate(given)
    mine = struck_by(case, index)
    plan = {site: effect for site, effect in (case.plan or {}).items() if site not in mine}
    for site in mine:
        plan[_notice(site).replace(lost.fault, late.fault, 1)] = late.params()
    return replace(_with_rule(case, index, late), plan=plan)


def simplify(trials: Trials) -> None:
    """Replace each fault by one that is easier to understand, where the failure survives that."""
    for index, rule in enumerate(trials.best.case.scenario.faults):
        if not struck_by(trials.best.case, index):
            continue
        for name in SIMPLER.get(rule.fault, ()):
            simpler = _as(rule, name)
            if simpler is not None and trials.better(_replaced(trials.best.case, index, simpler)):
                break


def soften(trials: Trials) -> None:
    """Shorter delays, smaller amounts, fewer copies; windows that open at once, at the first event, for less time."""
    for index, rule in enumerate(trials.best.case.scenario.faults):
        sites = struck_by(trials.best.case, index)
        if not sites:
            continue
        for name in (trials.best.case.plan or {})[sites[0]]:
            _soften(trials, index, name)
        if rule.window or rule.on is not None:
            _narrow(trials, index)


def _soften(trials: Trials, index: int, name: str) -> None:
    """One number of all blows of a rule."""

    def tries(value: Any) -> bool:
        case = trials.best.case
        rule = case.scenario.faults[index]
        plan = dict(case.plan or {})
        for site in struck_by(case, index):
            plan[site] = {**plan[site], name: value}
        return _allows(rule, name, value) and trials.better(replace(case, plan=plan))

    case = trials.best.case
    value = (case.plan or {})[struck_by(case, index)[0]].get(name)
    if isinstance(value, bool):
        if value and name in ("lose_tail", "oneway"):
            tries(False)
    elif isinstance(value, int):
        plain = [
            one
            for one in below(value, duration=name.endswith("_us"))
            if _allows(rule_at(trials, index), name, one)
        ]
        lowest(plain, tries)
    elif isinstance(value, float) and value > 1:
        lowest([float(one) for one in below(int(value), duration=False) if one > 1], tries)


def _narrow(trials: Trials, index: int) -> None:
    """The window of a rule: when it opens, which event opens it, how long it lasts."""
    fields: tuple[tuple[str, Callable[[Rule], Sequence[int]]], ...] = (
        ("nth", lambda rule: range(1, rule.nth)),
        ("after", lambda rule: below(rule.after, duration=True)),
        ("start", lambda rule: below(rule.start, duration=True) if rule.on is None else ()),
        ("until", lambda rule: [t for t in below(rule.until or 0, duration=True) if t > rule.start]),
    )
    for name, plainer in fields:

        def tries(value: int, name: str = name) -> bool:
            rule = rule_at(trials, index).model_copy(update={name: value})
            return trials.better(_with_rule(trials.best.case, index, rule))

        lowest(plainer(rule_at(trials, index)), tries)


def tidy(trials: Trials) -> None:
    """Drop rules that strike nowhere, and let the others say what their blows are."""
    case = trials.best.case
    used = [index for index in range(len(case.scenario.faults)) if struck_by(case, index)]
    rules = tuple(_telling(case, index) for index in used)
    moved = {str(old): str(new) for new, old in enumerate(used)}
    plan: Plan = {}
    for site, effect in (case.plan or {}).items():
        index, _, rest = site.partition("/")
        plan[f"{moved[index]}/{rest}"] = effect
    scenario = case.scenario.model_copy(update={"faults": rules})
    if scenario != case.scenario:
        trials.better(replace(case, scenario=scenario, plan=plan))


def struck_by(case: Case, index: int) -> list[str]:
    """The sites in the plan that belong to one rule."""
    return [site for site in case.plan or {} if site.startswith(f"{index}/")]


def rule_at(trials: Trials, index: int) -> Rule:
    """One rule of the best case."""
    return trials.best.case.scenario.faults[index]


def _telling(case: Case, index: int) -> Rule:
    """The rule as what it came to: certain, the plan says where; with the numbers of its blows, if all have the same."""
    rule = case.scenario.faults[index]
    whenever = {"start": 0, "until": None, "on": None, "nth": 1, "after": 0}
    certain = rule.model_copy(update={"probability": 1.0} | ({} if rule.window else whenever))
    effects = [(case.plan or {})[site] for site in struck_by(case, index)]
    if any(effect != effects[0] for effect in effects):
        return certain
    fields = {
        name: effects[0].get(f"{name}_us", effects[0].get(name, getattr(rule, name)))
        for name in rule.own_fields()
    }
    telling = certain.model_copy(update=fields)
    return telling if telling.params() == effects[0] else certain


def _allows(rule: Rule, name: str, value: Any) -> bool:
    """Whether the rule's own field may have this value."""
    field = name.removesuffix("_us") if name.removesuffix("_us") in type(rule).model_fields else name
    if field not in type(rule).model_fields:
        return True
    try:
        type(rule).model_validate({**rule.model_dump(by_alias=True), field: value})
    except ValidationError:
        return False
    return True


def _as(rule: Rule, fault: str) -> Rule | None:
    """Another fault at the same place and time; None where it cannot be."""
    kind = FAULTS[fault]
    given = rule.model_dump(by_alias=True, exclude={"fault"})
    fields = dict(_taken_over(kind, given))
    try:
        return kind.model_validate({**fields, "fault": fault})
    except ValidationError:
        return None


def _taken_over(kind: type[Rule], given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    names = {field.alias or name for name, field in kind.model_fields.items()}
    for name, value in given.items():
        if name in names:
            yield name, value
        elif _SAME_VALUE.get(name) in names:
            yield _SAME_VALUE[name], value


def _with_rule(case: Case, index: int, rule: Rule) -> Case:
    rules = list(case.scenario.faults)
    rules[index] = rule
    return replace(case, scenario=case.scenario.model_copy(update={"faults": tuple(rules)}))


def _replaced(case: Case, index: int, rule: Rule) -> Case:
    """The case with another fault at every site of a rule."""
    old = case.scenario.faults[index].fault
    plan = {
        site.replace(f"{index}/{old}/", f"{index}/{rule.fault}/", 1)
        if site.startswith(f"{index}/")
        else site: (rule.params() if site.startswith(f"{index}/") else effect)
        for site, effect in (case.plan or {}).items()
    }
    return replace(_with_rule(case, index, rule), plan=plan)
