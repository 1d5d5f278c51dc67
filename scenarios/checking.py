"""What no single field can tell: whether the parts of a scenario fit each other and the world.

The caller names the designs and situations that exist; scenarios know neither.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from scenarios.durations import render
from scenarios.events import EVENTS
from scenarios.faults.channel import ChannelRule
from scenarios.faults.link import ARROW, DATABASES, LinkMessageRule, LinkRule
from scenarios.faults.machines import ACTING, MachineRule, NodeRule
from scenarios.faults.rule import Rule
from scenarios.faults.supplier import SupplierRule
from scenarios.faults.user import StaticCode
from scenarios.model import Scenario

Place = tuple[str | int, ...]
INVARIANTS = tuple(f"I-{number:02d}" for number in range(1, 37))
_ROWS = {"F": 78, "C": 64, "R": 104, "S": 50}
_RACES = tuple(f"X-{number:02d}" for number in range(1, 51))


@dataclass(frozen=True)
class Problem:
    """Something wrong at a place in the file; `wrong` is the bad word, `valid` what it could have been."""

    place: Place
    message: str
    wrong: str = ""
    valid: Collection[str] = ()


def problems(
    scenario: Scenario, designs: Collection[str] | None = None, situations: Collection[str] | None = None
) -> Iterator[Problem]:
    """Everything that does not fit, in the order of the file. None for a list means: not checked here."""
    yield from _catalogue(scenario)
    yield from _products(scenario)
    for index, rule in enumerate(scenario.faults):
        yield from _place_of(scenario, rule, ("faults", index))
        yield from _time_of(scenario, rule, ("faults", index))
    yield from _unknown(("sometimes",), scenario.sometimes, situations, "situation")
    for design, expectation in scenario.expect.items():
        if designs is not None and design not in designs:
            yield Problem(("expect", design), f"unknown design {design!r}", design, designs)
        yield from _unknown(("expect", design, "violated"), expectation.violated, INVARIANTS, "invariant")


def _unknown(
    place: Place, names: Sequence[str], valid: Collection[str] | None, kind: str
) -> Iterator[Problem]:
    if valid is None:
        return
    for index, name in enumerate(names):
        if name not in valid:
            yield Problem((*place, index), f"unknown {kind} {name!r}", name, valid)


def _catalogue(scenario: Scenario) -> Iterator[Problem]:
    for index, row in enumerate(scenario.catalogue):
        group, number = row.split("-")
        if not 1 <= int(number) <= _ROWS[group]:
            yield Problem(
                ("catalogue", index), f"the catalogue has no row {row}: {group}-01 to {group}-{_ROWS[group]}"
            )
    yield from _unknown(("races",), scenario.races, _RACES, "race")


def _products(scenario: Scenario) -> Iterator[Problem]:
    seen: list[str] = []
    for index, product in enumerate(scenario.workload.products):
        if product.sku in seen:
            yield Problem(("workload", "products", index, "sku"), f"sku {product.sku!r} is listed twice")
        seen.append(product.sku)


def _place_of(scenario: Scenario, rule: Rule, at: Place) -> Iterator[Problem]:
    if isinstance(rule, ChannelRule):
        yield from _no_match((*at, "channel"), rule.channel, scenario.workload.channels(), "channel")
    elif isinstance(rule, SupplierRule):
        yield from _no_match((*at, "supplier"), rule.supplier, scenario.workload.suppliers(), "supplier")
    elif isinstance(rule, NodeRule):
        if rule.node == ACTING:
            if rule.on is None:
                yield Problem((*at, "node"), "`acting` needs `on`: the event whose node is meant")
        else:
            names = scenario.platform_nodes()
            if isinstance(rule, MachineRule):
                names = (*names, *scenario.workload.channels(), *scenario.workload.suppliers())
            yield from _no_match((*at, "node"), rule.node, names, "node")
    elif isinstance(rule, StaticCode) and not scenario.workload.channels():
        yield Problem((*at, "fault"), "a static code is a channel's, and `pay_with` has no channel")
    elif isinstance(rule, LinkRule):
        yield from _link(scenario, rule, (*at, "between"))


def _no_match(place: Place, pattern: str, names: Sequence[str], kind: str) -> Iterator[Problem]:
    if not any(fnmatchcase(name, pattern) for name in names):
        listed = ", ".join(names) or f"no {kind} at all"
        yield Problem(place, f"no {kind} {pattern!r} in this scenario; it has {listed}", pattern, names)


def _link(scenario: Scenario, rule: LinkRule, at: Place) -> Iterator[Problem]:
    links = scenario.links()
    caller, callee = rule.between
    hit = [callee_of for a, callee_of in links if fnmatchcase(a, caller) and fnmatchcase(callee_of, callee)]
    if hit:
        if isinstance(rule, LinkMessageRule) and set(hit) <= set(DATABASES):
            yield Problem(
                at,
                f"no single message is {rule.done} on the way to the {hit[0]}: a session there is one stream; "
                "cut it (link.partition), slow it (link.latency), or lose a commit's answer (database.lost_commit_ack)",
            )
        return
    ends = sorted({end for link in links for end in link})
    for index, name in enumerate(rule.between):
        if not any(fnmatchcase(end, name) for end in ends):
            yield from _no_match((*at, index), name, ends, "endpoint")
            return
    if any(fnmatchcase(a, callee) and fnmatchcase(b, caller) for a, b in links):
        hint = f"the caller comes first: [{callee}, {caller}]"
    else:
        hint = "links: " + ", ".join(ARROW.join(link) for link in links if "platform-2" not in link)
    yield Problem(at, f"no link {rule.where()}; {hint}")


def _time_of(scenario: Scenario, rule: Rule, at: Place) -> Iterator[Problem]:
    safety = scenario.timing.safety
    if rule.on is not None:
        if rule.on not in EVENTS:
            yield Problem((*at, "on"), f"unknown event {rule.on!r}", rule.on, EVENTS)
        return
    for name, moment in (("from", rule.start), ("until", rule.until or 0)):
        if moment > safety or (name == "from" and moment == safety):
            yield Problem(
                (*at, name), f"{render(moment)} is beyond the safety phase, which ends at {render(safety)}"
            )
            return
