"""I-14: while a supplier attempt is unknown there is no new number, no reroute and no refund.

An attempt is unknown while the platform's own row says so, or while the supplier holds it and has
given no final word, or when the platform calls it failed although the supplier last said success.
A word that was lost on its way counts when the row agrees with it: a lucky guess does no harm.
Provisional credit (K-01) is allowed, and so are refunds of extra captures and orphans.
"""

from __future__ import annotations

from chaos.account import ATTEMPTS, MONEY, NEVER, REFUNDS, Account, Attempt
from chaos.books import Books
from chaos.checkers.checker import Checker, Handler
from chaos.history import Book

WAITING = ("sending", "unknown", "processing")
ALLOWED_INTENTS = ("extra", "orphan")


class UnknownIsWaitedFor(Checker):
    """A timed-out top-up is asked about, not bought again and not paid back."""

    invariant = "I-14"
    when = "c"
    cares_for = ATTEMPTS | MONEY | REFUNDS

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._seen: dict[str, tuple[int, int, int]] = {}

    def hears(self) -> dict[str, Handler]:
        return {"commit.order": self._committed, "SUP.attempt_received": self._received}

    def _received(self, _: Book) -> None:
        assert self.books.account is not None
        self._judge(self.books.account)

    def _committed(self, account: Account) -> None:
        if account.attempts is not None:
            self._judge(account)

    def _judge(self, account: Account) -> None:
        """Compare with what was seen before: more attempts, more refund numbers, more wallet refunds?"""
        attempts = account.attempts or []
        refunds = sum(
            not row["intent"].startswith(ALLOWED_INTENTS) for row in (account.refund_rows or {}).values()
        )
        seen = (len(attempts), refunds, account.refunded_to_wallet_fen)
        before = self._seen.get(account.order_id, (0, 0, 0))
        self._seen[account.order_id] = seen
        if seen[0] > before[0]:
            self.checked += 1
            self._while_open(account, attempts[: before[0] or 1], attempts[-1], "new_number")
        if seen[1] > before[1] or seen[2] > before[2]:
            self.checked += 1
            self._while_open(account, attempts, None, "refund")

    def _while_open(self, account: Account, earlier: list[Attempt], new: Attempt | None, words: str) -> None:
        for attempt in earlier:
            if attempt is not new and not is_decided(attempt):
                row = account.row
                self.violated_order(
                    account,
                    words,
                    amount_fen=row["payable_fen"] if row is not None else account.captured_fen,
                    events=(attempt.at, self.books.at),
                    attempt=attempt.attempt_no,
                    new=new.attempt_no if new is not None else "",
                )
                return


def is_decided(attempt: Attempt) -> bool:
    """The platform can know how this attempt ended."""
    status = attempt.row["status"] if attempt.row is not None else ""
    if status in WAITING:
        return False
    if attempt.received_us == NEVER:
        return True
    return attempt.said == "fail" or (attempt.said == "success" and status != "fail")
