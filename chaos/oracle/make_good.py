"""K-01, the make-good after five minutes, and K-17, taking it back when the original arrives."""

from __future__ import annotations

from chaos.oracle.blocked import Blocked
from chaos.oracle.debts import Act, Debt, firmest
from chaos.oracle.law import Clause
from chaos.oracle.timeline import FOREVER, WALLET, Span, Standing, Timeline, spans, standing_before

_NOT_WAITING = frozenset(("", "closed", "paid_late", "held", "refunding", "refunded"))
_CREDITS = ("credit", "provisional")


def _waiting(standing: Standing) -> bool:
    """A member paid the right price for an order that is still to be delivered, and wants it."""
    return (
        standing.paid
        and standing.status not in _NOT_WAITING
        and not standing.reached_closed
        and not standing.asked
    )


def _nothing_arrived(standing: Standing) -> bool:
    return _waiting(standing) and standing.units == 0 and not standing.deceived


def _nothing_known(standing: Standing) -> bool:
    """As far as the platform can know nothing arrived: enough to be allowed to credit."""
    return _waiting(standing) and not standing.known_delivered and not standing.deceived


def owed_k01(timeline: Timeline, clause: Clause, blocked: Blocked) -> list[Debt]:
    """The price, once it has waited for five minutes or for the wait that was disclosed."""
    captures = [capture for capture in timeline.captures() if capture[3] == timeline.payable_fen]
    if not captures or captures[0][2] == WALLET:
        return []  # the channel's book has no such payment, so the price was not paid in from outside
    paid_us = captures[0][0]
    wait_us = max(clause.after_us, timeline.wait_us)
    must, may = spans(timeline, _nothing_arrived, _nothing_known)
    allowed = tuple(_since(paid_us + wait_us - blocked.skew_us, may))
    amount_fen = captures[0][3] if clause.cap_fen is None else min(captures[0][3], clause.cap_fen)
    found = []
    for start_us, end_us in must:
        due_us = max(start_us, paid_us + wait_us)
        if end_us >= due_us:
            full_us = wait_us + clause.deadline_us
            by_us = blocked.extend(paid_us, due_us + clause.deadline_us, full_us) + blocked.skew_us
            binding = end_us > by_us
            found.append(Debt("K-01", timeline.order_id, "", amount_fen, due_us, by_us, binding, allowed))
    if allowed and not found:
        start_us = allowed[0][0]
        found.append(Debt("K-01", timeline.order_id, "", amount_fen, start_us, FOREVER, False, allowed))
    return firmest(found)


def done_k01(timeline: Timeline, debts: list[Debt]) -> list[Act]:  # noqa: ARG001 - one signature for all rules
    """Credits in the ledger. One that can be spent while a supplier may still deliver breaks the rule."""
    acts = []
    for t_us, what, _, fen in timeline.changes:
        if what in _CREDITS:
            loose = what == "credit" and standing_before(timeline, t_us).unknown
            breaks = "spendable_while_unknown" if loose else ""
            acts.append(Act("K-01", timeline.order_id, "", t_us, t_us, fen, True, breaks))
    return acts


def _arrived_after_credit(standing: Standing) -> bool:
    return standing.credited_fen > 0 and standing.known_delivered


def _seems_arrived(standing: Standing) -> bool:
    return standing.credited_fen > 0 and (standing.known_delivered or standing.believed)


def owed_k17(timeline: Timeline, clause: Clause, blocked: Blocked) -> list[Debt]:
    """The credit back, or its loss on the books, once the original is delivered and known to be."""
    must, may = spans(timeline, _arrived_after_credit, _seems_arrived)
    allowed = tuple((start_us - blocked.skew_us, end_us) for start_us, end_us in may)
    credited_fen = sum(fen for _, what, _, fen in timeline.changes if what in _CREDITS)
    found = []
    for start_us, end_us in must:
        due_us = start_us + clause.after_us
        by_us = blocked.extend(start_us, due_us + clause.deadline_us, clause.deadline_us)
        found.append(
            Debt("K-17", timeline.order_id, "", credited_fen, due_us, by_us, end_us > by_us, allowed)
        )
    if allowed and not found:
        start_us = allowed[0][0]
        found.append(Debt("K-17", timeline.order_id, "", credited_fen, start_us, FOREVER, False, allowed))
    return firmest(found)


def done_k17(timeline: Timeline, debts: list[Debt]) -> list[Act]:  # noqa: ARG001 - one signature for all rules
    """Credits voided or written off; entries of one instant are one act.

    When only a part was delivered, what is kept as the final refund settles the rest of the credit.
    """
    counted = ("void", "loss", "final") if timeline.units < timeline.quantity else ("void", "loss")
    if not any(what in ("void", "loss") for _, what, _, _ in timeline.changes):
        return []
    by_instant: dict[int, int] = {}
    for t_us, what, _, fen in timeline.changes:
        if what in counted:
            by_instant[t_us] = by_instant.get(t_us, 0) + fen
    return [Act("K-17", timeline.order_id, "", t_us, t_us, fen, True) for t_us, fen in by_instant.items()]


def _since(from_us: int, held: list[Span]) -> list[Span]:
    """The part of each span that is not before `from_us`."""
    return [(max(start_us, from_us), end_us) for start_us, end_us in held if end_us >= from_us]
