"""Goods that came short (K-06) or were only said to have come (K-13)."""

from __future__ import annotations

from chaos.oracle.blocked import Blocked
from chaos.oracle.debts import Act, Debt, firmest
from chaos.oracle.law import Clause
from chaos.oracle.stray_money import everything_returned, named_refunds
from chaos.oracle.timeline import FOREVER, Span, Standing, Timeline, spans


def owed_k06(timeline: Timeline, clause: Clause, blocked: Blocked) -> list[Debt]:
    """The missing pieces at their price, counted from the last piece that arrived.

    When not even one arrived the member is owed the make-good (K-01); the platform may be quicker and
    refund everything in the name of this rule.
    """

    def short(standing: Standing) -> bool:
        return bool(standing.captured) and 0 < standing.units < timeline.quantity

    def lacking(standing: Standing) -> bool:
        return bool(standing.captured) and standing.units < timeline.quantity

    must, may = spans(timeline, short, lacking)
    if not must:
        return [
            _missing(timeline, promise.t_us, FOREVER, may, binding=False)
            for promise in timeline.promises
            if promise.rule == "K-06" and may
        ][:1]
    within_us = clause.deadline_us
    found = []
    for start_us, end_us in must:
        due_us = start_us
        by_us = blocked.extend(due_us, due_us + within_us, within_us, suppliers=True)
        for t_us, what, _, units in timeline.changes:
            if what == "units" and due_us < t_us <= min(end_us, by_us) and units < timeline.quantity:
                due_us = t_us
                by_us = blocked.extend(due_us, due_us + within_us, within_us, suppliers=True)
        found.append(_missing(timeline, due_us, by_us, may, binding=end_us > by_us))
    return firmest(found)


def _missing(timeline: Timeline, due_us: int, by_us: int, may: list[Span], *, binding: bool) -> Debt:
    """The debt for what had not arrived at `due_us`."""
    units = 0
    for t_us, what, _, number in timeline.changes:
        if what == "units" and t_us <= due_us:
            units = number
    amount_fen = (timeline.quantity - units) * timeline.unit_fen
    return Debt("K-06", timeline.order_id, "", amount_fen, due_us, by_us, binding, tuple(may))


def done_k06(timeline: Timeline, debts: list[Debt]) -> list[Act]:
    """Refunds in the rule's name; else any money that came back other than a whole charge."""
    named = [_anywhere(act) for act in named_refunds(timeline, "K-06")]
    if named or not debts:
        return named
    whole = {charge for _, charge, _ in timeline.refunded_in_full()}
    given = 0
    for t_us, what, ref, fen in timeline.changes:
        if (what == "returned" and ref not in whole) or what == "final":
            given += fen
            if given >= debts[0].amount_fen:
                return [Act("K-06", timeline.order_id, "", t_us, t_us, given, False)]
    return [Act("K-06", timeline.order_id, "", t_us, t_us, fen, False) for t_us, _, fen in _whole(timeline)]


def _anywhere(act: Act) -> Act:
    """The refund of a short delivery belongs to the order, whatever charge it is paid on."""
    return Act(act.rule, act.order_id, "", act.decided_us, act.done_us, act.amount_fen, act.named)


def _whole(timeline: Timeline) -> list[tuple[int, str, int]]:
    captured = len(timeline.captures())
    full = timeline.refunded_in_full()
    return full[-1:] if len(full) == captured else []


def _deceived(standing: Standing) -> bool:
    return standing.deceived and bool(standing.captured)


def _lied_to(standing: Standing) -> bool:
    return standing.lies and standing.units == 0 and bool(standing.captured)


def owed_k13(timeline: Timeline, clause: Clause, blocked: Blocked) -> list[Debt]:
    """The goods again or the price back, counted from the last time the supplier said success."""
    must, may = spans(timeline, _deceived, _lied_to)
    fen = timeline.captured_fen
    found = []
    for start_us, end_us in must:
        by_us = start_us + clause.deadline_us
        for t_us, what, _, _ in timeline.changes:
            if what == "lied" and start_us < t_us <= by_us:
                by_us = t_us + clause.deadline_us
        by_us = blocked.extend(start_us, by_us, clause.deadline_us, suppliers=True)
        found.append(Debt("K-13", timeline.order_id, "", fen, start_us, by_us, end_us > by_us, tuple(may)))
    if may and not found:
        found.append(Debt("K-13", timeline.order_id, "", fen, may[0][0], may[0][1], False, tuple(may)))
    return firmest(found)


def done_k13(timeline: Timeline, debts: list[Debt]) -> list[Act]:  # noqa: ARG001 - one signature for all rules
    """Everything given back; a delivery after all ends the trigger by itself."""
    return everything_returned(timeline, "K-13", "")
