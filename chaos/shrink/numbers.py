"""Which arrivals an event, a witness or a site is about: their numbers are in every reference.

A member's n-th wish has the client key `kN`, its order is `order-uM-kN`, a payment without an order `Q-uM-N`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from chaos.checkers.verdict import Witness
from chaos.history import Event, History
from chaos.nemesis import Plan, names_of
from scenarios.faults.rule import Rule
from sim.traffic import Arrival

_NUMBER = re.compile(r"\bk(\d+)\b|\bQ-u\d+-(\d+)\b")
_USER = re.compile(r"\bu\d+\b")


def numbers_in(text: str) -> list[int]:
    """Arrival numbers named in a text, in order."""
    return [int(key or stray) for key, stray in _NUMBER.findall(text)]


def of_event(event: Event) -> list[int]:
    """The arrivals that an event names."""
    return numbers_in(msgspec.json.encode(event).decode())


def of_witness(history: History, witness: Witness) -> set[int]:
    """The arrivals that a witness, or an event that it points to, names."""
    found = set(numbers_in(msgspec.json.encode(witness).decode()))
    for index in witness.events:
        found.update(of_event(history.events[index]))
    return found


def of_users(history: History, users: Iterable[str]) -> set[int]:
    """All arrivals of these members."""
    wanted = set(users)
    return {
        number
        for event in history.events
        if getattr(event, "user", "") in wanted
        for number in of_event(event)
    }


def follow(rule: Rule, history: History, keep: set[int]) -> Rule:
    """A rule that waits for the n-th event, made to wait for the same event when only `keep` come."""
    if rule.on is None or rule.nth == 1:
        return rule
    seen, left = 0, 0
    for event in history.events:
        if rule.on not in names_of(event):
            continue
        seen += 1
        numbers = of_event(event)
        left += not numbers or numbers[0] in keep
        if seen == rule.nth:
            return rule.model_copy(update={"nth": max(1, left)})
    return rule


def renamed(plan: Plan, arrivals: Mapping[int, Arrival]) -> Plan:
    """The plan with each old arrival number turned into that of its new arrival, and so the member's name."""
    return {_site(site, arrivals): effect for site, effect in plan.items()}


def _site(site: str, arrivals: Mapping[int, Arrival]) -> str:
    found = [number for number in numbers_in(site) if number in arrivals]
    if not found:
        return site
    new = arrivals[found[0]]
    site = _NUMBER.sub(lambda match: f"k{new.number}" if match[1] else f"Q-{new.user}-{new.number}", site)
    return _USER.sub(new.user, site)
