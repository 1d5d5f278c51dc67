"""I-19: no order stays in a non-terminal state past that state's deadline without an owned ticket.

A deadline counts from the later of entering the state and the end of the faults. An order that did
move on, but too late, is judged when it moves; one that never does, at the end. Either way the
violation is dated to the deadline.
"""

from __future__ import annotations

from chaos.account import LOG, NEVER, ORDER, Account
from chaos.books import Books
from chaos.checkers.checker import Checker, Handler

TERMINAL = frozenset(("", "closed", "completed", "refunded"))


class NothingOutlivesDeadline(Checker):
    """Every order ends, or somebody has it on the desk."""

    invariant = "I-19"
    when = "d"
    cares_for = LOG | ORDER

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._deadlines: dict[str, int] = self.header.facts.get("state_deadlines_us", {})

    def hears(self) -> dict[str, Handler]:
        return {"commit.order": self._committed}

    def _committed(self, account: Account) -> None:
        left, since_us = account.previous, account.previous_since_us
        if account.status != left and left not in TERMINAL:
            self.checked += 1
            due_us = self._due(left, since_us)
            if self.books.now_us > due_us and not self._ticketed(account, due_us):
                self._violated(account, left, since_us, account.previous_at, due_us, "too_late")

    def _due(self, status: str, since_us: int) -> int:
        allowed = self._deadlines.get(status)
        if allowed is None:
            return max(self.header.settle_by_us, since_us)
        return max(since_us, self.header.heal_us) + allowed

    def _ticketed(self, account: Account, due_us: int) -> bool:
        return account.ticket_us != NEVER and account.ticket_us <= due_us

    def at_end(self, books: Books) -> None:
        for account in books.accounts.values():
            status = account.status
            if status in TERMINAL:
                continue
            self.checked += 1
            due_us = self._due(status, account.since_us)
            if self._ticketed(account, due_us) and _is_owned(account):
                continue
            if books.now_us > due_us:
                self._violated(account, status, account.since_us, account.since_at, due_us, "stuck")
            elif not books.finished:
                self.undecided("order", account.order_id, "not_due", due_us=due_us)

    def _violated(
        self, account: Account, status: str, since_us: int, since_at: int, due_us: int, words: str
    ) -> None:
        row = account.row
        self.violated_order(
            account,
            words,
            amount_fen=account.captured_fen or (row["payable_fen"] if row is not None else 0),
            events=[at for at in (since_at, self.books.at) if at != NEVER],
            t_us=due_us,
            status=status,
            since_us=since_us,
            due_us=due_us,
        )


def _is_owned(account: Account) -> bool:
    """A ticket about the order is still open."""
    return any(row["status"] == "open" for row in (account.tickets or {}).values())
