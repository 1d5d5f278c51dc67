"""What the law says: the numbers of each compensation rule.

A design that promised a policy is held to its numbers (the history's header carries them). A design
that promised nothing is held to the numbers of the domain: members of `naive` are owed the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
FULFIL_LATE_US: Final = 12 * HOUR
"""K-05: a late capture whose goods are under way may take this long to arrive."""


class Clause(msgspec.Struct, frozen=True):
    """One rule's numbers, in µs and fen. `after_us` is waited before the debt is due."""

    rule: str
    after_us: int
    deadline_us: int
    cap_fen: int | None = None
    enabled: bool = True


_DOMAIN: Final = (
    Clause("K-01", 5 * MINUTE, 60 * SECOND),
    Clause("K-03", 0, 30 * MINUTE),
    Clause("K-04", 0, 30 * MINUTE),
    Clause("K-05", 0, 30 * MINUTE),
    Clause("K-06", 0, 30 * MINUTE),
    Clause("K-13", 0, 30 * MINUTE),
    Clause("K-16", 30 * MINUTE, 60 * SECOND),
    Clause("K-17", 0, 5 * MINUTE),
)
RULES: Final = tuple(clause.rule for clause in _DOMAIN)


def clauses(policy: Mapping[str, Any]) -> dict[str, Clause]:
    """Every rule's numbers: the policy's where it has any, else the domain's."""
    return {clause.rule: _amended(clause, policy.get(clause.rule)) for clause in _DOMAIN}


def _amended(clause: Clause, promised: Mapping[str, Any] | None) -> Clause:
    if promised is None:
        return clause
    known = {
        name: promised[name] for name in ("after_us", "deadline_us", "cap_fen", "enabled") if name in promised
    }
    return msgspec.structs.replace(clause, **known)
