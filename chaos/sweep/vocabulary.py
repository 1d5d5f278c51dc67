"""Which faults a sweep strikes with, and how hard: one rule for each fault, setting and place.

The settings are chosen where they hurt: a callback that comes after the order expired, a supplier slower than
the promised make-good, a user who pays when the order is closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from scenarios.documents import DocumentError, meant
from scenarios.faults import FAULTS
from scenarios.faults.rule import Rule
from scenarios.model import Scenario

CRASH = "node.crash"
SECOND_US = 1_000_000
AT_EXPIRY, AFTER_EXPIRY = "at expiry", "after expiry"
"""Stand for durations that depend on when the scenario closes an unpaid order."""

LOSSES = ("link.loss_before", "link.loss_after", "link.duplicate")

SETTINGS: dict[str, tuple[dict[str, Any], ...]] = {
    "database.lost_commit_ack": ({"applied": True}, {"applied": False}),
    "channel.callback_delay": ({"delay": AFTER_EXPIRY},),
    "channel.callback_duplicate": ({"copies": 1, "spacing": "0s"},),
    "channel.callback_amount": ({"delta_fen": -100},),
    "channel.callback_forged": tuple(
        {"forgery": forgery} for forgery in ("signature", "amount", "order", "app", "unpaid")
    ),
    "channel.pay_after_close": ({"delay": "2min"},),
    "channel.query_lag": ({"lag": "2min"},),
    "supplier.slow": ({"delay": "12min"},),
    "supplier.fail": ({},),
    "supplier.partial": ({"fraction": 0.5},),
    "supplier.false_success": ({},),
    "supplier.not_found_lag": ({"lag": "5min"},),
    "supplier.callback_first": ({},),
    "user.double_submit": ({"times": 2, "spacing": "0s"},),
    "user.abandon": ({},),
    "user.pay_late": ({"delay": AT_EXPIRY}, {"delay": AFTER_EXPIRY}),
    "user.pay_twice": ({},),
    "user.request_refund": ({"after_paying": "0s"},),
    "user.static_code": ({},),
    "user.spend_credit": ({"after_credit": "0s"},),
}
"""What a fault is swept with. The answers of channels and suppliers are lost on their links."""

DEFAULT = (
    "link.loss_before",
    "link.loss_after",
    "database.lost_commit_ack",
    CRASH,
    "channel.callback_delay",
    "channel.callback_duplicate",
    "supplier.slow",
    "supplier.fail",
    "user.double_submit",
    "user.pay_late",
)
"""What every journey must survive in any two; the rest of the settings is there for the asking."""


def known() -> tuple[str, ...]:
    """Every fault that can be swept."""
    return (*LOSSES, CRASH, *SETTINGS)


def chosen(patterns: Sequence[str]) -> tuple[str, ...]:
    """The faults that these names or patterns mean, in a fixed order. Raises DocumentError for unknown ones."""
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known()):
            raise DocumentError(
                f"no fault {pattern!r} to sweep with{meant(pattern, known())}; there are {', '.join(known())}"
            )
    wanted = patterns or DEFAULT
    return tuple(name for name in known() if any(fnmatchcase(name, pattern) for pattern in wanted))


def rules(scenario: Scenario, names: Sequence[str]) -> tuple[Rule, ...]:
    """The site rules for these faults in this scenario; crashes are made for each commit (`ground.py`)."""
    return tuple(
        FAULTS[name].model_validate({"fault": name, **settings})
        for name in names
        for settings in _settings(scenario, name)
    )


def crash(event: str, nth: int) -> Rule:
    """The acting node dies right after an event."""
    return FAULTS[CRASH].model_validate({"fault": CRASH, "node": "acting", "on": event, "nth": nth})


def _settings(scenario: Scenario, name: str) -> Iterator[dict[str, Any]]:
    workload = scenario.workload
    if name in LOSSES:
        yield {"between": ["users", "edge"]}
        for party in (*workload.channels(), *workload.suppliers()):
            yield {"between": ["platform-*", party]}
            yield {"between": [party, "edge"]}
        return
    owner = name.partition(".")[0]
    parties = {"channel": workload.channels(), "supplier": workload.suppliers()}
    if not parties.get("channel" if name == "user.static_code" else owner, (owner,)):
        return
    expiry_us = scenario.timing.expiry
    moments = {AT_EXPIRY: max(0, expiry_us - SECOND_US), AFTER_EXPIRY: expiry_us + 60 * SECOND_US}
    for settings in SETTINGS.get(name, ()):
        yield {key: moments.get(value, value) for key, value in settings.items()}
