"""What cannot be done on real parts, said before anything is started.

A proxy sees bytes, not messages: where neither end of a link is ours, no message of it is struck by itself. And a
PostgreSQL that lost committed data cannot be had by fair means. A rule that asks for such a thing is refused,
by file, line and field; it is never left out in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from scenarios.checking import Problem
from scenarios.documents import Document, read, shown
from scenarios.faults.link import ARROW, DATABASES, LinkMessageRule
from scenarios.loading import find
from scenarios.model import Scenario

IMPOSSIBLE: Final = {
    "database.lost_commit_ack": "a proxy cannot tell a commit from other statements",
    "database.failover": "PostgreSQL does not forget what it has acknowledged",
    "database.slow_disk": "the disk is this machine's own",
    "database.disk_full": "the disk is this machine's own",
    "database.pool_exhausted": "the pool is inside the platform",
}
"""Fault → why it is for the simulated world alone."""


NOT_OURS: Final = dict.fromkeys(
    ("database.crash", "database.replica_lag"), "a server given by --database-url is not ours to break"
)
"""Fault → why it needs a database of our own."""


def problems(scenario: Scenario, *, given_database: bool = False) -> Iterator[Problem]:
    """Every rule that the live world cannot carry out, in the order of the file."""
    impossible = IMPOSSIBLE | NOT_OURS if given_database else IMPOSSIBLE
    for index, rule in enumerate(scenario.faults):
        why = impossible.get(rule.fault)
        if why is not None:
            yield Problem(("faults", index, "fault"), f"{rule.fault} cannot be done live: {why}")
        elif isinstance(rule, LinkMessageRule) and (theirs := _theirs(scenario, rule)):
            yield Problem(
                ("faults", index, "between"),
                f"{rule.fault} on {theirs} cannot be done live: a proxy sees bytes, not single messages, "
                "and neither end is ours",
            )
        elif rule.on is not None and not rule.window:
            yield Problem(
                ("faults", index, "on"),
                f"{rule.fault} cannot wait for an event live: it is drawn in a process that does not see it",
            )


def _theirs(scenario: Scenario, rule: LinkMessageRule) -> str | None:
    """The first link of the rule on which nobody of ours could strike a message; None: there is none.

    Databases do not count: where a rule is about them among others, it spares them in either world.
    """
    caller, callee = rule.between
    for a, b in scenario.links():
        hit = fnmatchcase(a, caller) and fnmatchcase(b, callee) and b not in DATABASES
        if hit and a == "edge":
            return f"{a}{ARROW}{b}"
    return None


def refuse(name: str, scenario: Scenario, *, given_database: bool = False) -> None:
    """Raise ScenarioError for the first rule of the scenario (a shipped name or a path) that cannot be done."""
    found = list(problems(scenario, given_database=given_database))
    if found:
        path = find(name)
        document = Document(read(path, "scenario"), shown(path), "scenario")
        raise document.error(found[0].place, found[0].message, count=len(found))
