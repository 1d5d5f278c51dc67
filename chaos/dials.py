"""One number of a storm as a dial: how late, how often, how many, how long.

`dial` makes one of a name: either ready-made (`callback_delay` turns that fault in a storm, or adds it to a
storm without) or `FAULT.FIELD` of a fault that the storm has. `turned` gives the storm with that number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from scenarios import durations
from scenarios.checking import problems
from scenarios.faults import FAULTS
from scenarios.faults.rule import Rule, is_duration
from scenarios.loading import meant
from scenarios.model import Scenario

LENGTH = "length"
"""The field that every window has besides its own: how long it is open."""

LEAST_US = 100_000
LEAST_SHARE = 0.01
MOST = 64
_DIGITS = 3
_OPENS_US = 30_000_000


class DialError(ValueError):
    """There is no such dial, or it cannot be turned so; the message says why and what there is."""


@dataclass(frozen=True)
class Dial:
    """What is turned, and how far. Durations in µs; `unit` is time, share, count or number."""

    name: str
    fault: str
    field: str
    unit: str
    low: float
    high: float
    added: tuple[Rule, ...] = ()

    @property
    def logarithmic(self) -> bool:
        """A share is sought on a linear scale, everything else by ratios."""
        return self.unit != "share"

    def rounded(self, value: float) -> float:
        """The value in as many digits as anybody would write."""
        if self.unit == "share":
            return round(value, _DIGITS)
        if self.unit == "count":
            return round(value)
        digits = float(f"{value:.{_DIGITS - 1}e}")
        return int(digits) if self.unit == "time" else digits

    def between(self, low: float, high: float, part: float = 0.5) -> float:
        """The value at this part of the way; `low` or `high` when there is none between them."""
        value = low * (high / low) ** part if self.logarithmic else low + (high - low) * part
        return self.rounded(value)

    def shown(self, value: float) -> str:
        """As a person writes it."""
        if self.unit == "time":
            return durations.render(int(value))
        return f"{100 * value:g}%" if self.unit == "share" else f"{value:g}"

    def read(self, text: str) -> float:
        """What a person wrote. Raises DialError."""
        try:
            value = durations.parse(text) if self.unit == "time" else _number(text)
        except ValueError as error:
            raise DialError(f"{self.name}: {error}") from None
        assert isinstance(value, int | float)
        return value

    def turned(self, scenario: Scenario, value: float) -> Scenario:
        """The storm with this value, every seed as written. Raises DialError for a value that cannot be."""
        rules = [
            self._set(rule, value) if rule.fault == self.fault else rule
            for rule in (*scenario.faults, *self.added)
        ]
        storm = scenario.model_copy(update={"faults": tuple(rules), "swarm": False})
        for problem in problems(storm, None, None):
            raise DialError(f"{self.name} = {self.shown(value)}: {problem.message}")
        return storm

    def _set(self, rule: Rule, value: float) -> Rule:
        whole = int(value) if self.unit in ("time", "count") else value
        change = {"until": rule.start + int(value)} if self.field == LENGTH else {self.field: whole}
        try:
            return type(rule).model_validate({**rule.model_dump(by_alias=True), **change})
        except ValidationError as error:
            said = error.errors()[0]["msg"]
            raise DialError(f"{self.name} = {self.shown(value)}: {said}") from None


@dataclass(frozen=True)
class _Ready:
    """A dial that is at hand for any storm. `rules` are added where the storm has none of its kind."""

    fault: str
    field: str
    says: Mapping[str, str]
    rules: tuple[Mapping[str, Any], ...]


_FIRST_PAID = {"node": "acting", "on": "state.orders.paid", "nth": 1}
READY: dict[str, _Ready] = {
    "callback_delay": _Ready(
        "channel.callback_delay", "delay", {"en": "delay of payment callbacks", "zh": "支付回调延迟"},
        ({"delay": 1},),
    ),
    "callback_loss": _Ready(
        "channel.callback_loss", "probability", {"en": "share of callback attempts lost", "zh": "支付回调丢失率"},
        ({},),
    ),
    "callback_copies": _Ready(
        "channel.callback_duplicate", "copies", {"en": "more copies of each callback", "zh": "每次回调多发的份数"},
        ({"copies": 1},),
    ),
    "channel_outage": _Ready(
        "link.partition", LENGTH, {"en": "outage of the payment channels", "zh": "支付渠道中断时长"},
        ({"between": ("platform-*", "{channel}"), "from": _OPENS_US},
         {"between": ("{channel}", "edge"), "from": _OPENS_US}),
    ),
    "supplier_slow": _Ready(
        "supplier.slow", "delay", {"en": "slowness of suppliers", "zh": "供应商到账延迟"}, ({"delay": 1},)
    ),
    "replica_lag": _Ready(
        "database.replica_lag", "lag", {"en": "lag of the replica", "zh": "从库延迟"}, ({"lag": 1},)
    ),
    "crash_downtime": _Ready(
        "node.crash", "restart_after", {"en": "downtime after a crash", "zh": "节点崩溃后的停机时长"},
        ({**_FIRST_PAID, "restart_after": 1},),
    ),
}  # fmt: skip
"""The sweeps that every team asks for."""


def dial(name: str, scenario: Scenario) -> Dial:
    """The dial of this name for this storm, over its whole sensible range. Raises DialError."""
    present = {rule.fault for rule in scenario.faults}
    if name in READY:
        ready = READY[name]
        added = () if ready.fault in present else _added(ready, scenario)
        return _whole(name, ready.fault, ready.field, added, scenario)
    fault, _, field = name.rpartition(".")
    if fault not in FAULTS:
        raise DialError(
            f"no dial {name!r}{meant(name, READY)} (ready-made: {', '.join(READY)}; or FAULT.FIELD)"
        )
    fields = numbers_of(fault)
    if field not in fields:
        raise DialError(f"{fault} has no number {field!r}{meant(field, fields)}; it has {', '.join(fields)}")
    if fault not in present:
        has = ", ".join(sorted(present)) or "none"
        raise DialError(f"{scenario.name} has no fault {fault}; it has {has}. Ready-made: {', '.join(READY)}")
    return _whole(name, fault, field, (), scenario)


def numbers_of(fault: str) -> list[str]:
    """The fields of a fault that can be turned."""
    kind = FAULTS[fault]
    own = [name for name in kind.own_fields() if kind.model_fields[name].annotation in (int, float)]
    numeric = [
        name for name in own if not name.endswith("_fen") and kind.model_fields[name].annotation is not bool
    ]
    return [*numeric, *((LENGTH,) if kind.window else ()), "probability"]


def says(name: str, lang: str) -> str:
    """What a dial turns, in words; a field stands for itself."""
    return READY[name].says[lang] if name in READY else name


def _added(ready: _Ready, scenario: Scenario) -> tuple[Rule, ...]:
    kind = FAULTS[ready.fault]
    rules = []
    for rule in ready.rules:
        between = rule.get("between", ())
        channels = scenario.workload.channels() if between else ("*",)
        for channel in channels:
            place = {"between": tuple(end.format(channel=channel) for end in between)} if between else {}
            rules.append(kind.model_validate({**rule, **place, "fault": ready.fault}))
    return tuple(rules)


def _whole(name: str, fault: str, field: str, added: tuple[Rule, ...], scenario: Scenario) -> Dial:
    kind = FAULTS[fault]
    if field == LENGTH or (field != "probability" and is_duration(kind, field)):
        rules = [rule for rule in (*scenario.faults, *added) if rule.fault == fault]
        opens = max((rule.start for rule in rules), default=0) if field == LENGTH else 0
        return Dial(
            name, fault, field, "time", LEAST_US, max(2 * LEAST_US, scenario.timing.safety - opens), added
        )
    if field == "probability":
        return Dial(name, fault, field, "share", LEAST_SHARE, 1.0, added)
    if kind.model_fields[field].annotation is int:
        return Dial(name, fault, field, "count", _least(kind, field), MOST, added)
    low, high = (0.01, 0.99) if field == "fraction" else (1.1, 1000.0)
    return Dial(name, fault, field, "share" if field == "fraction" else "number", low, high, added)


def _least(kind: type[Rule], field: str) -> int:
    """The smallest count allowed, but 1 at least: ratios need something to begin with."""
    bounds = [getattr(mark, "ge", 1) for mark in kind.model_fields[field].metadata]
    return max(1, *bounds, 1)


def _number(text: str) -> float:
    value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    return int(value) if value.is_integer() and "%" not in text else value
