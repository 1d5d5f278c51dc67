"""K-16: money that nobody has earned or returned must reach people within half an hour.

Suspense is money of a held order, of a refund that failed, and of a capture that the platform never
took up (no order, or an order it still calls closed). An order that is merely slow is not suspense.
"""

from __future__ import annotations

from chaos.oracle.blocked import Blocked
from chaos.oracle.debts import Act, Debt
from chaos.oracle.law import Clause
from chaos.oracle.timeline import Predicate, Standing, Timeline, spans


def _held(standing: Standing) -> bool:
    return standing.status == "held"


def _bounced(standing: Standing) -> bool:
    return standing.bounced_fen > 0


def _unmatched(standing: Standing) -> bool:
    return standing.status in ("", "closed") and standing.unreturned > 0


_REASONS: tuple[tuple[str, Predicate], ...] = (
    ("held", _held),
    ("bounced", _bounced),
    ("unmatched", _unmatched),
)


def owed_k16(timeline: Timeline, clause: Clause, blocked: Blocked) -> list[Debt]:
    """A ticket for each stretch of suspense; early is fine, half an hour is the last moment.

    A ticket is still in place for a while after the money was sent back: until the channel confirms
    the refund nobody can be sure of it.
    """
    debts = []
    fen = sum(amount for _, _, _, amount in timeline.captures())
    for (reason, _), held in zip(_REASONS, spans(timeline, *(test for _, test in _REASONS)), strict=True):
        for start_us, end_us in held:
            due_us = start_us + clause.after_us
            full_us = clause.after_us + clause.deadline_us
            by_us = blocked.extend(start_us, due_us + clause.deadline_us, full_us) + blocked.skew_us
            allowed = ((start_us, end_us + clause.after_us),)
            debts.append(
                Debt(
                    "K-16",
                    timeline.order_id,
                    f"{reason}@{start_us}",
                    fen,
                    due_us,
                    by_us,
                    end_us > by_us,
                    allowed,
                )
            )
    return debts


def done_k16(timeline: Timeline, debts: list[Debt]) -> list[Act]:
    """Tickets. A K-16 row without suspense is an act too: people were called for nothing."""
    tickets = [t_us for t_us, what, _, _ in timeline.changes if what == "ticket"]
    rows = [promise.t_us for promise in timeline.promises if promise.rule == "K-16"]
    acts = []
    for debt in debts:
        start_us, end_us = debt.allowed[0]
        named = [t_us for t_us in rows if start_us <= t_us <= end_us]
        if named:
            rows.remove(named[0])
        opened = [t_us for t_us in tickets if t_us >= start_us] or tickets[-1:]
        if opened:
            decided_us = named[0] if named else opened[0]
            acts.append(
                Act("K-16", timeline.order_id, debt.incident, decided_us, min(opened), None, bool(named))
            )
    return acts + [Act("K-16", timeline.order_id, "", t_us, t_us, None, True) for t_us in rows]
