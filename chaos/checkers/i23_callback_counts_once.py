"""I-23: n deliveries of a callback have the effect of one, and a processed duplicate is acked.

Effect is counted in the ledger: one capture posting for each capture of the channel. A refused
duplicate is one answered 4xx, or 2xx without the channel's word of success; a 5xx means "try again"
and is held against the platform only when nothing was in its way three times in a row. A duplicate is
whatever was sent when its notice had been processed: a retry, or a copy made on the way, which bears
the number of the attempt that it is a copy of.
"""

from __future__ import annotations

from chaos.account import MONEY, Account
from chaos.books import Books
from chaos.checkers.checker import Checker, Handler
from chaos.history import Book

REFUSALS = 3


class CallbackCountsOnce(Checker):
    """Retries are answered, not counted."""

    invariant = "I-23"
    when = "c"
    cares_for = MONEY

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._processed: dict[str, None] = {}
        self._refused: dict[str, int] = {}

    def hears(self) -> dict[str, Handler]:
        return {
            "commit.order": self._committed,
            "CH.callback_sent": self._sent,
            "CH.callback_acked": self._acked,
        }

    def _committed(self, account: Account) -> None:
        if not account.booked_captures:
            return
        self.checked += 1
        if account.booked_captures > account.channel_captures > 0:
            if self.books.lost_track:
                self.undecided("order", account.order_id, "entries_lost", events=(self.books.at,))
                return
            extra = account.booked_captures - account.channel_captures
            captures = [charge for charge in account.charges if charge.captured_us >= 0]
            self.violated_so_far(
                account,
                "counted_again",
                amount_fen=extra * captures[0].paid_fen,
                events=[*(charge.captured_at for charge in captures), self.books.at],
                booked=account.booked_captures,
                captures=account.channel_captures,
            )

    def _sent(self, event: Book) -> None:
        """Was this notice done with before it is delivered once more?"""
        data = event.data
        key = f"{data['channel']}:{data['notify_id']}"
        row = self.books.inbox.get(key)
        if row is not None and row["status"] == "processed":
            self._processed[key] = None
        elif self._processed:
            self._processed.pop(key, None)

    def _acked(self, event: Book) -> None:
        if not self._processed:
            return
        data = event.data
        key = f"{data['channel']}:{data['notify_id']}"
        if key not in self._processed:
            return
        del self._processed[key]
        self.checked += 1
        status = data["status"]
        if data["accepted"] or not isinstance(status, int) or status < 100:
            return
        if status >= 500:
            if self.books.blocked:
                return
            self._refused[key] = self._refused.get(key, 0) + 1
            if self._refused[key] != REFUSALS:
                return
        account = self.books.open(event.ref.partition("/")[0])
        self.violated_order(
            account,
            "duplicate_refused",
            amount_fen=account.captured_fen,
            events=(self.books.at,),
            notify_id=data["notify_id"],
            status=status,
        )
