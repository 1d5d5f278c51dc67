"""Money that came too often (K-03), for no order (K-04) or too late (K-05)."""

from __future__ import annotations

import msgspec

from chaos.oracle.blocked import Blocked
from chaos.oracle.debts import Act, Debt, firmest
from chaos.oracle.law import FULFIL_LATE_US, Clause
from chaos.oracle.timeline import WALLET, Span, Standing, Timeline, spans, standing_before


def _exists(standing: Standing) -> bool:
    return standing.status != ""


def _too_many(standing: Standing) -> bool:
    """More captures are kept than the order may keep: one, or none once it is refunded."""
    kept = 0 if standing.status in ("refunding", "refunded") and standing.units == 0 else 1
    return standing.unreturned > kept


def owed_k03(timeline: Timeline, clause: Clause, blocked: Blocked) -> list[Debt]:
    """Every capture after the first, in full, unless the one before it had gone back already."""
    captures = timeline.captures()
    if len(captures) < 2:
        return []
    exists, too_many = spans(timeline, _exists, _too_many)
    debts = []
    for t_us, _, charge, fen in captures[1:]:
        if not any(until_us >= t_us for _, until_us in too_many):
            continue
        found = []
        for start_us, end_us in exists:
            due_us = max(t_us, start_us) + clause.after_us
            by_us = blocked.extend(due_us, due_us + clause.deadline_us, clause.deadline_us)
            if end_us >= due_us:
                binding = end_us > by_us
                found.append(
                    Debt("K-03", timeline.order_id, charge, fen, due_us, by_us, binding, tuple(too_many))
                )
        debts += firmest(found)
    return debts


def done_k03(timeline: Timeline, debts: list[Debt]) -> list[Act]:
    """What was given back since the first extra capture: in the rule's name, or a whole charge.

    Which charge it was does not matter, so acts and debts are paired in order of time, and a charge given
    back whole pays its debt although another amount was captured on it (one may have been paid wrongly).
    """
    captured = {charge: fen for _, _, charge, fen in timeline.captures()}
    named = named_refunds(timeline, "K-03")
    mine = {act.incident for act in named}
    since_us = debts[0].due_us if debts else 0
    others = [
        Act("K-03", timeline.order_id, charge, t_us, t_us, fen, False)
        for t_us, charge, fen in timeline.refunded_in_full()
        if charge not in mine and t_us >= since_us
    ]
    acts = []
    for n, act in enumerate(named + others):
        debt = debts[n] if n < len(debts) else None
        whole = debt is not None and act.amount_fen == captured.get(act.incident)
        acts.append(
            msgspec.structs.replace(
                act,
                incident="surplus" if debt is None else debt.incident,
                amount_fen=debt.amount_fen if debt is not None and whole else act.amount_fen,
            )
        )
    return acts


def _no_order(standing: Standing) -> bool:
    return standing.status == ""


def owed_k04(timeline: Timeline, clause: Clause, blocked: Blocked) -> list[Debt]:
    """Each capture for which there is no order, in full."""
    (orphan,) = spans(timeline, _no_order)
    debts = []
    for t_us, _, charge, fen in timeline.captures():
        found = []
        for start_us, end_us in orphan:
            if end_us >= t_us:
                due_us = max(t_us, start_us) + clause.after_us
                by_us = blocked.extend(due_us, due_us + clause.deadline_us, clause.deadline_us)
                allowed: tuple[Span, ...] = ((due_us, end_us),)
                found.append(
                    Debt("K-04", timeline.order_id, charge, fen, due_us, by_us, end_us > by_us, allowed)
                )
        debts += firmest(found)
    return debts


def done_k04(timeline: Timeline, debts: list[Debt]) -> list[Act]:
    """Refunds on the orphan's own charge."""
    named = named_refunds(timeline, "K-04")
    mine = {act.incident for act in named}
    owed = {debt.incident for debt in debts}
    others = [
        Act("K-04", timeline.order_id, charge, t_us, t_us, fen, False)
        for t_us, charge, fen in timeline.refunded_in_full()
        if charge in owed and charge not in mine
    ]
    return named + others


def _late_and_empty(standing: Standing) -> bool:
    return standing.reached_closed and standing.units == 0


def _late(standing: Standing) -> bool:
    return standing.reached_closed and standing.right_amount and standing.status not in ("", "held")


def owed_k05(timeline: Timeline, clause: Clause, blocked: Blocked) -> list[Debt]:
    """The goods, or the money back. Goods already under way when time is up may take twelve hours."""
    must, may = spans(timeline, _late, _late_and_empty)
    captures = timeline.captures()
    found = []
    for start_us, end_us in must:
        due_us = start_us + clause.after_us
        by_us = blocked.extend(due_us, due_us + clause.deadline_us, clause.deadline_us, suppliers=True)
        if end_us > by_us and standing_before(timeline, by_us).unknown:
            by_us = max(by_us, captures[0][0] + FULFIL_LATE_US)
        _, _, charge, fen = captures[0]
        found.append(Debt("K-05", timeline.order_id, charge, fen, due_us, by_us, end_us > by_us, tuple(may)))
    return firmest(found)


def done_k05(timeline: Timeline, debts: list[Debt]) -> list[Act]:
    """The goods, or everything given back."""
    incident = debts[0].incident if debts else ""
    return _goods(timeline, incident) + everything_returned(timeline, "K-05", incident)


def _goods(timeline: Timeline, incident: str) -> list[Act]:
    """The first delivery."""
    for t_us, what, _, units in timeline.changes:
        if what == "units" and units > 0:
            return [Act("K-05", timeline.order_id, incident, t_us, t_us, None, False)]
    return []


def everything_returned(timeline: Timeline, rule: str, incident: str) -> list[Act]:
    """The moment at which no capture was kept any more; else what was refunded in the rule's name."""
    named = named_refunds(timeline, rule)
    full = timeline.refunded_in_full()
    captured = timeline.captures()
    final = [(t_us, fen) for t_us, what, _, fen in timeline.changes if what == "final"]
    decided_us = min((act.decided_us for act in named), default=None)
    if captured and len(full) == len(captured):
        t_us = full[-1][0]
        by_name = decided_us is not None
        return [
            Act(rule, timeline.order_id, incident, t_us if decided_us is None else decided_us, t_us,
                captured[0][3], by_name)
        ]  # fmt: skip
    if decided_us is not None:
        fen = sum(act.amount_fen or 0 for act in named)
        return [Act(rule, timeline.order_id, incident, decided_us, named[-1].done_us, fen, True)]
    return [Act(rule, timeline.order_id, incident, t_us, t_us, fen, False) for t_us, fen in final[:1]]


def named_refunds(timeline: Timeline, rule: str) -> list[Act]:
    """Refunds that really moved money and that a compensation row of this rule claims."""
    acts = []
    for promise in timeline.promises:
        if promise.rule != rule:
            continue
        for t_us, refund_no, charge, fen in timeline.refunds:
            if refund_no == promise.refund_no or (charge == WALLET and t_us == promise.t_us):
                acts.append(Act(rule, timeline.order_id, charge, promise.t_us, t_us, fen, True))
                break
    return acts
