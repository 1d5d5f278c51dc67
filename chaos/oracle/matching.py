"""Sets what was done against what was owed, rule by rule and order by order."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from chaos.oracle.blocked import Blocked
from chaos.oracle.debts import Act, Debt, Judgement
from chaos.oracle.law import Clause
from chaos.oracle.make_good import done_k01, done_k17, owed_k01, owed_k17
from chaos.oracle.stray_money import done_k03, done_k04, done_k05, owed_k03, owed_k04, owed_k05
from chaos.oracle.suspense import done_k16, owed_k16
from chaos.oracle.timeline import Timeline
from chaos.oracle.wrong_goods import done_k06, done_k13, owed_k06, owed_k13

Owed = Callable[[Timeline, Clause, Blocked], list[Debt]]
Done = Callable[[Timeline, list[Debt]], list[Act]]

RULES: dict[str, tuple[Owed, Done]] = {
    "K-01": (owed_k01, done_k01),
    "K-03": (owed_k03, done_k03),
    "K-04": (owed_k04, done_k04),
    "K-05": (owed_k05, done_k05),
    "K-06": (owed_k06, done_k06),
    "K-13": (owed_k13, done_k13),
    "K-16": (owed_k16, done_k16),
    "K-17": (owed_k17, done_k17),
}


class Pair(NamedTuple):
    """A debt with the act that answers it, or one of the two alone. `reason` explains the judgement."""

    debt: Debt | None
    act: Act | None
    verdict: Judgement
    reason: str


def match(debts: list[Debt], acts: list[Act], end_us: int) -> list[Pair]:
    """Pair each debt with the act that suits it best; what is left over stands alone.

    A debt that does not bind and was not paid gives no pair: the platform was free to do nothing.
    """
    left = list(acts)
    pairs: list[Pair] = []
    for debt in debts:
        candidates = [act for act in left if act.incident == debt.incident]
        act = min(candidates, key=lambda one: _preference(debt, one), default=None)
        if act is not None:
            left.remove(act)
            pairs.append(_judge_both(debt, act))
        elif debt.binding:
            pairs.append(Pair(debt, None, "undecided" if debt.by_us >= end_us else "missed", ""))
    for act in left:
        if act.named:
            again = any(pair.act is not None for pair in pairs)
            pairs.append(Pair(None, act, "doubled" if again else "undue", act.breaks or "no_trigger"))
    return [pair for pair in pairs if pair.debt is None or pair.act is None or _counts(pair.debt, pair.act)]


def _preference(debt: Debt, act: Act) -> tuple[bool, bool, int]:
    """What is above reproach first, then the platform's own compensation, then the earliest."""
    return (act.named and not _allowed(debt, act), not act.named, act.done_us)


def _allowed(debt: Debt, act: Act) -> bool:
    return any(start_us <= act.decided_us <= end_us for start_us, end_us in debt.allowed)


def _counts(debt: Debt, act: Act) -> bool:
    """Money that happens to suit a debt nobody had to pay says nothing about the platform's promise."""
    return debt.binding or act.named


def _judge_both(debt: Debt, act: Act) -> Pair:
    if act.breaks:
        return Pair(debt, act, "undue", act.breaks)
    if act.named and not _allowed(debt, act):
        return Pair(debt, act, "undue", "too_early" if act.decided_us < debt.due_us else "trigger_over")
    if act.amount_fen is not None:
        short = act.amount_fen < debt.amount_fen
        if short or (act.named and act.amount_fen != debt.amount_fen):
            return Pair(debt, act, "wrong_amount", "too_little" if short else "too_much")
    if debt.binding and act.done_us > debt.by_us:
        return Pair(debt, act, "late", "")
    return Pair(debt, act, "exact", "")
