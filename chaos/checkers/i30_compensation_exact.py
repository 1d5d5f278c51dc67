"""I-30: what the platform compensated is exactly what was owed: nothing missed, nothing undue.

The judgement is the oracle's, which replays the history by itself; this file only hands it the
events and turns its findings into witnesses. `audit` holds the whole of it once the run is over.
"""

from __future__ import annotations

from chaos.books import Books
from chaos.checkers.checker import Checker, Handler
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
        self.audit = audit = self.oracle.finish()
        self.checked = len(audit.findings)
        for finding in audit.findings:
            if finding.wrong:
                self.violated(
                    "order",
                    finding.order_id,
                    finding.verdict,
                    amount_fen=finding.at_risk_fen,
                    users=(finding.user,) if finding.user else (),
                    events=self._events(finding, books),
                    t_us=_when(finding),
                    **_told(finding),
                )
            elif finding.verdict == "undecided":
                self.undecided(
                    "order",
                    finding.order_id,
                    "undecided",
                    events=self._events(finding, books),
                    **_told(finding),
                )

    def _events(self, finding: Finding, books: Books) -> tuple[int, ...]:
        """The captures of the order: where its money came from."""
        account = books.accounts.get(finding.order_id)
        if account is None:
            return ()
        return tuple(charge.captured_at for charge in account.charges if charge.captured_at >= 0)


def _when(finding: Finding) -> int:
    """When the promise broke: at the act that should not have been, or when time was up."""
    if finding.verdict in ("undue", "doubled", "wrong_amount"):
        return finding.act_us
    return finding.by_us


def _told(finding: Finding) -> dict[str, str | int]:
    return {
        "rule": finding.rule,
        "owed_fen": finding.owed_fen,
        "paid_fen": finding.paid_fen,
        "due_us": finding.due_us,
        "by_us": finding.by_us,
        "act_us": finding.act_us,
        "state": finding.state,
        "fault": finding.fault,
        "reason": finding.reason,
    }
