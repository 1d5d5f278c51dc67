"""What cannot be done on real parts, said before anything is started.

A PostgreSQL that lost committed data cannot be had by fair means, and a proxy sees the bytes of a session, not its
commits. A rule that asks for such a thing is refused, by file, line and field; it is never left out in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from scenarios.checking import Problem
from scenarios.documents import Document, read, shown
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


def refuse(name: str, scenario: Scenario, *, given_database: bool = False) -> None:
    """Raise ScenarioError for the first rule of the scenario (a shipped name or a path) that cannot be done."""
    found = list(problems(scenario, given_database=given_database))
    if found:
        path = find(name)
        document = Document(read(path, "scenario"), shown(path), "scenario")
        raise document.error(found[0].place, found[0].message, count=len(found))
