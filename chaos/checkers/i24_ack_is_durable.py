"""I-24: a success ack implies a durable inbox row.

A design without an inbox may show another durable effect instead: the charge paid, or for a refund
notice a refund it knows of. What a failover takes back was not durable.
"""

from __future__ import annotations

from chaos.account import CHARGES, REVERTED, Account
from chaos.books import Books
from chaos.checkers.checker import Checker, Handler
from chaos.history import Book, State


class AckIsDurable(Checker):
    """The channel stops calling, so the news must be safe."""

    invariant = "I-24"
    when = "c"
    cares_for = REVERTED

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._acked: dict[str, int] = {}
        self._events: dict[str, str] = {}

    def hears(self) -> dict[str, Handler]:
        return {
            "CH.callback_sent": self._sent,
            "CH.callback_acked": self._accepted,
            "state.inbox": self._inbox,
            "commit.order": self._committed,
        }

    def _sent(self, event: Book) -> None:
        self._events[event.data["notify_id"]] = event.data.get("event", "")

    def _accepted(self, event: Book) -> None:
        data = event.data
        if not data["accepted"]:
            return
        self.checked += 1
        notice = self._events.pop(data["notify_id"], "")
        account = self.books.account
        assert account is not None
        key = f"{data['channel']}:{data['notify_id']}"
        row = self.books.inbox.get(key)
        if row is not None:
            self._acked[row["notice_key"]] = self.books.at
        elif is_paid(account, event.ref):
            self._acked[event.ref] = self.books.at
        elif not ("REFUND" in notice and account.refund_rows):
            self._violated(account, "nothing_kept", (self.books.at,), data["notify_id"])

    def _inbox(self, event: State) -> None:
        before = self.books.inbox_before
        if event.op == "revert" and event.row is None and before is not None and event.key in self._acked:
            account = self.books.open(before["charge_no"].partition("/")[0])
            self._violated(account, "forgotten", (self._acked[event.key], self.books.at), event.key)

    def _committed(self, account: Account) -> None:
        if account.changed & CHARGES:
            for charge in account.charges:
                acked_at = self._acked.get(charge.charge_no)
                if acked_at is not None and not is_paid(account, charge.charge_no):
                    self._violated(account, "forgotten", (acked_at, self.books.at), charge.charge_no)

    def _violated(self, account: Account, words: str, events: tuple[int, ...], notice: str) -> None:
        self.violated_order(account, words, amount_fen=account.captured_fen, events=events, notice=notice)


def is_paid(account: Account, charge_no: str) -> bool:
    """The platform durably holds this charge paid."""
    charge = account.find_charge(charge_no)
    return charge is not None and charge.row is not None and charge.row["status"] == "paid"
