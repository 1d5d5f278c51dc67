"""The counterparties' own books, read into the accounts: the channel's (CH) and the supplier's (SUP).

Here is the truth about money and top-ups. What a counterparty answered stands beside what it did.
"""

from __future__ import annotations

from chaos.account import NEVER, Account, Attempt, Charge, Refund
from chaos.books import Books, Handler
from chaos.history import Book

NOT_FOUND_FINAL_US = 600_000_000
"""A supplier's `not_found` means failed only ten minutes after the attempt (its own contract)."""

OPEN_WORDS = frozenset(("", "processing", "unconfirmed", "duplicate", "unknown"))


class CounterpartyBooks:
    """Reads CH and SUP."""

    def __init__(self, books: Books) -> None:
        self.books = books

    def hears(self) -> dict[str, Handler]:
        """Event key → reducer."""
        return {
            "CH.charge_opened": self._opened,
            "CH.captured": self._captured,
            "CH.closed": self._channel_closed,
            "CH.answered": self._channel_answered,
            "CH.refund_accepted": self._refund_accepted,
            "CH.refund_done": self._refund_ended,
            "CH.refund_failed": self._refund_ended,
            "CH.callback_acked": self._of_order,
            "SUP.attempt_received": self._attempt_received,
            "SUP.delivered": self._supplier_delivered,
            "SUP.failed": self._of_order,
            "SUP.answered": self._supplier_answered,
            "SUP.callback_sent": self._supplier_called,
            "SUP.callback_acked": self._supplier_heard,
        }

    def _of_order(self, event: Book) -> Account:
        return self.books.open(event.ref.partition("/")[0])

    def _charge(self, event: Book) -> Charge:
        return self._of_order(event).charge(event.ref)

    def _attempt(self, event: Book) -> Attempt:
        return self._of_order(event).attempt(event.ref, self.books.at)

    def _opened(self, event: Book) -> None:
        charge = self._charge(event)
        charge.opened = True
        charge.channel = event.data["channel"]

    def _captured(self, event: Book) -> None:
        account = self._of_order(event)
        charge = account.charge(event.ref)
        if charge.captured_us != NEVER:  # the channel took the money twice on one number
            charge = Charge(event.ref, opened=True, row=charge.row)
            account.charges.append(charge)
        charge.captured_us = event.t_us
        charge.captured_at = self.books.at
        charge.paid_fen = event.data["paid_fen"]
        charge.payer = event.data.get("payer", "")
        charge.channel = event.data["channel"]
        account.captures += 1
        account.channel_captures += 1
        account.captured_fen += charge.paid_fen

    def _channel_closed(self, event: Book) -> None:
        charge = self._charge(event)
        charge.closed = True
        charge.answer, charge.answer_us, charge.answer_at = "CLOSED", event.t_us, self.books.at

    def _channel_answered(self, event: Book) -> None:
        charge = self._charge(event)
        charge.answer, charge.answer_us, charge.answer_at = (
            event.data.get("result"),
            event.t_us,
            self.books.at,
        )

    def _refund_accepted(self, event: Book) -> None:
        account = self._of_order(event)
        data = event.data
        for refund in account.refunds:
            if refund.refund_no == data["refund_no"]:
                if refund.state == "failed":
                    refund.state = "accepted"
                return
        account.refunds.append(
            Refund(data["refund_no"], event.ref, data["amount_fen"], event.t_us, self.books.at, "accepted")
        )

    def _refund_ended(self, event: Book) -> None:
        self._refund_accepted(event)
        state = "done" if event.entry == "refund_done" else "failed"
        account = self._of_order(event)
        if state == "done":
            account.moved_us = event.t_us
        for refund in account.refunds:
            if refund.refund_no == event.data["refund_no"]:
                refund.state = state

    def _attempt_received(self, event: Book) -> None:
        attempt = self._attempt(event)
        attempt.supplier = event.data["supplier"]
        attempt.said, attempt.taken_back = "", False
        if attempt.received_us == NEVER:
            attempt.received_us = event.t_us

    def _supplier_delivered(self, event: Book) -> None:
        quantity = event.data["quantity"]
        account = self.books.deliver(event.ref.partition("/")[0], quantity, event)
        account.attempt(event.ref, self.books.at).delivered += quantity
        account.supplier_successes += quantity > 0

    def _supplier_answered(self, event: Book) -> None:
        attempt = self._attempt(event)
        status = event.data["status"]
        if status == "not_found":
            sent_us = attempt.received_us
            if sent_us == NEVER or event.t_us - sent_us >= NOT_FOUND_FINAL_US:
                attempt.said = "fail"
        elif status == "success":
            attempt.said = "success"
        elif status not in OPEN_WORDS:
            attempt.said = "fail"

    def _supplier_called(self, event: Book) -> None:
        """A supplier that deceives goes on calling "success" after a query got the truth out of it."""
        attempt = self._attempt(event)
        if attempt.said == "fail" and event.data["status"] == "success":
            attempt.taken_back = True
        else:
            self._supplier_answered(event)

    def _supplier_heard(self, event: Book) -> None:
        attempt = self._attempt(event)
        if attempt.taken_back:
            attempt.said, attempt.taken_back = "success", False
