"""The words of the audit: what was owed, what was done, and what the two say of each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from chaos.oracle.timeline import Span

Judgement = Literal["exact", "missed", "undue", "doubled", "late", "wrong_amount", "undecided"]
JUDGEMENTS: tuple[Judgement, ...] = (
    "exact",
    "missed",
    "undue",
    "doubled",
    "late",
    "wrong_amount",
    "undecided",
)
WRONG: tuple[Judgement, ...] = ("missed", "undue", "doubled", "late", "wrong_amount")


class Debt(msgspec.Struct, frozen=True):
    """Something owed to a member. Times in µs of run time.

    It *must* be paid in [`due_us`, `by_us`] when `binding`: its trigger held all that time. It *may*
    be paid whenever a moment lies in one of the `allowed` spans. `amount_fen` is 0 where the remedy
    is not money (a ticket).
    """

    rule: str
    order_id: str
    incident: str
    amount_fen: int
    due_us: int
    by_us: int
    binding: bool
    allowed: tuple[Span, ...]


def firmest(found: Iterable[Debt]) -> list[Debt]:
    """The first debt that had to be paid, else the first that might have been: a trigger may come and go."""
    debts = list(found)
    return [debt for debt in debts if debt.binding][:1] or debts[:1]


class Act(msgspec.Struct, frozen=True):
    """Something done. `decided_us`: when the platform committed to it; `done_us`: when it was true.

    `amount_fen` None: the remedy was goods or a ticket, so there is no amount to compare. `named`: the
    platform itself calls it a compensation of this rule; other money can pay a debt but is never undue.
    `breaks` names an exclusion that the act by itself violates.
    """

    rule: str
    order_id: str
    incident: str
    decided_us: int
    done_us: int
    amount_fen: int | None
    named: bool
    breaks: str = ""


class Finding(msgspec.Struct, frozen=True):
    """One judgement: a debt, an act, or both together. `state`: the order's at the trigger."""

    rule: str
    order_id: str
    user: str
    verdict: Judgement
    owed_fen: int
    paid_fen: int
    due_us: int
    by_us: int
    act_us: int
    state: str
    fault: str
    reason: str

    @property
    def wrong(self) -> bool:
        """Whether the promise was broken."""
        return self.verdict in WRONG

    @property
    def at_risk_fen(self) -> int:
        """The money that went, or stayed, where it should not."""
        if self.verdict in ("undue", "doubled"):
            return self.paid_fen
        if self.verdict == "wrong_amount":
            return abs(self.owed_fen - self.paid_fen)
        return self.owed_fen
