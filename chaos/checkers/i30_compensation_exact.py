"""I-30: what the platform compensated is exactly what was owed: nothing missed, nothing undue.

The judgement is the oracle's, which replays the history by itself; this file only hands it the
events and turns its findings into witnesses. `audit` holds the whole of it once the run is over.
"""

from __future__ import annotations

from chaos.books import Books
from chaos.checkers.checker import Checker, Handler
from chaos.checkers.verdict import Witness
from chaos.oracle.audit import Audit, Oracle
from chaos.oracle.debts import Finding


class CompensationExact(Checker):
    """Every compensation owed was paid: once, in time, in the right amount. None was paid that was not owed."""

    invariant = "I-30"
    when = "d"

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self.oracle = Oracle(books.header)
        self.audit: Audit | None = None

    def hears(self) -> dict[str, Handler]:
        return dict(self.oracle.replay.routes)

    def at_end(self, books: Books) -> None:
        self.audit = audit = self.oracle.finish(None if books.finished else books.now_us)
        self.checked = len(audit.findings)
        dearest: dict[str, int] = {}
        for finding in audit.findings:
            told = witness_of(finding)
            events = self._events(finding, books)
            if finding.wrong:
                dearest[told.id] = max(dearest.get(told.id, 0), told.amount_fen)
                self.violated(
                    told.entity,
                    told.id,
                    told.words,
                    amount_fen=told.amount_fen,
                    users=told.users,
                    events=events,
                    t_us=told.t_us,
                    **told.data,
                )
            elif finding.verdict == "undecided":
                self.undecided(told.entity, told.id, told.words, events=events, **told.data)
        # Several rules may speak of the same money: it is lost only once.
        self.at_risk_fen = sum(dearest.values())

    def _events(self, finding: Finding, books: Books) -> tuple[int, ...]:
        """The captures of the order: where its money came from."""
        account = books.accounts.get(finding.order_id)
        if account is None:
            return ()
        return tuple(charge.captured_at for charge in account.charges if charge.captured_at >= 0)


def witness_of(finding: Finding) -> Witness:
    """A finding as a witness: its words are its verdict, its data what a sentence about it needs."""
    late = finding.verdict in ("missed", "late", "undecided")
    return Witness(
        entity="order",
        id=finding.order_id,
        words=finding.verdict,
        data={
            "rule": finding.rule,
            "owed_fen": finding.owed_fen,
            "paid_fen": finding.paid_fen,
            "due_us": finding.due_us,
            "by_us": finding.by_us,
            "act_us": finding.act_us,
            "state": finding.state,
            "fault": finding.fault,
            "reason": finding.reason,
        },
        amount_fen=finding.at_risk_fen,
        users=(finding.user,) if finding.user else (),
        # The promise broke when time was up, or at the act that should not have been.
        t_us=finding.by_us if late else finding.act_us,
    )
