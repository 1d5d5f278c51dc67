"""One judgement of the gate: what was demanded, where, how it stands and why. Reasons are keys with data (`texts.yaml`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from chaos.tally import Exit

Outcome = Literal["broken", "violated", "inconclusive", "tolerated", "holds"]
OUTCOMES: tuple[Outcome, ...] = ("broken", "violated", "inconclusive", "tolerated", "holds")
"""Gravest first. `tolerated`: violated, and the policy accepts that for now."""

Kind = Literal["runs", "holds", "rate", "situations", "limits", "certificates", "baseline"]
KINDS: tuple[Kind, ...] = ("runs", "holds", "rate", "situations", "limits", "certificates", "baseline")

EXITS = {
    "broken": Exit.BROKEN,
    "violated": Exit.VIOLATED,
    "inconclusive": Exit.INCONCLUSIVE,
    "tolerated": Exit.HOLDS,
    "holds": Exit.HOLDS,
}


@dataclass(frozen=True)
class Check:
    """`name` is the claim, situation, measure or certificate; `words` and `data` make the reason's sentence.

    `amount_fen` is the money at risk; `replay` holds what `dingfeng replay` takes, `kept` a failing run kept whole.
    """

    kind: Kind
    name: str
    outcome: Outcome
    words: str
    data: dict[str, Any] = field(default_factory=dict)
    scenario: str = ""
    design: str = ""
    replay: tuple[str, ...] = ()
    amount_fen: int = 0
    kept: str = ""


def worst(checks: Iterable[Check]) -> Outcome:
    """The gravest outcome; a gate that checked nothing has shown nothing."""
    outcomes = {check.outcome for check in checks}
    if not outcomes:
        return "inconclusive"
    gravest = next(outcome for outcome in OUTCOMES if outcome in outcomes)
    return "holds" if gravest == "tolerated" else gravest
