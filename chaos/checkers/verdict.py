"""What a checker says: holds, violated or unknown, with the smallest evidence that shows it.

Words are a template key and data; the sentences, English and Chinese, are in `texts.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

Outcome = Literal["holds", "violated", "unknown"]
WITNESSES_KEPT = 20


class Witness(msgspec.Struct, frozen=True):
    """One case: which order (or wallet, card …), which events, how much money, which members.

    `events` are indexes into the history's events; `amount_fen` is the money at risk.
    """

    entity: str
    id: str
    words: str
    data: dict[str, Any] = {}
    amount_fen: int = 0
    users: tuple[str, ...] = ()
    events: tuple[int, ...] = ()
    t_us: int = 0


class Kind(msgspec.Struct, frozen=True, order=True, array_like=True):
    """What makes two violations the same: the invariant, the sentence that tells it, and what it is about."""

    invariant: str
    words: str
    entity: str


class Verdict(msgspec.Struct, frozen=True):
    """One invariant over one history.

    `checked` counts the cases judged (0: nothing in this run concerned the invariant), `count` the
    violations (or, when unknown, the undecidable cases); at most 20 of them are kept as witnesses.
    """

    invariant: str
    outcome: Outcome
    checked: int
    count: int = 0
    witnesses: tuple[Witness, ...] = ()
    amount_fen: int = 0
    first_us: int | None = None


def kinds(verdicts: Iterable[Verdict]) -> list[Kind]:
    """The kinds of violations among the witnesses kept, each once, in order."""
    return sorted(
        {
            Kind(verdict.invariant, witness.words, witness.entity)
            for verdict in verdicts
            if verdict.outcome == "violated"
            for witness in verdict.witnesses
        }
    )
