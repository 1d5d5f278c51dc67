"""I-18: only legal transitions; the only way out of a terminal state is closed → paid_late.

The audit log of an order chains without gaps, and the order's row says what the log says last.
"""

from __future__ import annotations

from chaos.account import LOG, ORDER, REVERTED, Account, Row
from chaos.checkers.checker import Checker, Handler

_PAID = frozenset(("fulfilling", "completed", "refunding", "refunded", "held"))
LEGAL: dict[str, frozenset[str]] = {
    "": frozenset(("created",)),
    "created": frozenset(("paid", "closing", "closed", "held")),
    "closing": frozenset(("closed", "paid", "held")),
    "closed": frozenset(("paid_late",)),
    "paid": _PAID,
    "paid_late": _PAID,
    "fulfilling": frozenset(("completed", "refunding", "refunded", "held")),
    "held": frozenset(("refunding", "refunded", "paid")),
    "refunding": frozenset(("refunded",)),
    "completed": frozenset(),
    "refunded": frozenset(),
}


class LegalTransitions(Checker):
    """An order's life as the state machine allows it, and nothing silent."""

    invariant = "I-18"
    when = "c"
    cares_for = LOG | ORDER

    def hears(self) -> dict[str, Handler]:
        return {"commit.order": self._committed}

    def _committed(self, account: Account) -> None:
        changed = account.changed
        if changed & REVERTED:
            if account.row is None and changed & LOG and not changed & ORDER:
                self.undecided("order", account.order_id, "row_lost", events=(self.books.at,))
            return
        self.checked += 1
        log = account.log or ()
        status = account.previous
        for row in log if len(log) < 2 else chained(log, status):
            if row["from_status"] != status:
                self._violated(account, "gap", status, row["from_status"])
            elif row["to_status"] not in LEGAL.get(status, ()):
                self._violated(account, "illegal", status, row["to_status"])
            status = row["to_status"]
        claimed = account.row["status"] if account.row is not None else ""
        if claimed != status:
            self._violated(account, "silent", status, claimed)

    def _violated(self, account: Account, words: str, before: str, after: str) -> None:
        row = account.row
        self.violated_order(
            account,
            words,
            amount_fen=row["payable_fen"] if row is not None else account.captured_fen,
            events=(self.books.at,),
            before=before,
            after=after,
        )


def chained(log: list[Row] | tuple[Row, ...], status: str) -> list[Row]:
    """The rows of one transaction in the order in which they follow one another, the rest behind."""
    rest, found = list(log), []
    while rest:
        following = next((row for row in rest if row["from_status"] == status), rest[0])
        rest.remove(following)
        found.append(following)
        status = following["to_status"]
    return found
