"""I-13: at most one supplier success per order, over all attempt numbers and routes.

The supplier's own deliveries count, never what it answered: a false success is no success.
"""

from __future__ import annotations

from chaos.books import Books
from chaos.checkers.checker import Checker, Handler
from chaos.history import Book


class OneSupplierSuccess(Checker):
    """A top-up is bought once, however often it was tried."""

    invariant = "I-13"
    when = "c"

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._extra: dict[str, int] = {}  # order → units delivered beyond the first success

    def hears(self) -> dict[str, Handler]:
        return {"SUP.delivered": self._delivered}

    def _delivered(self, event: Book) -> None:
        account = self.books.account
        assert account is not None
        if event.data["quantity"] <= 0:
            return
        self.checked += 1
        if account.supplier_successes < 2:
            return
        row = account.row
        self._extra[account.order_id] = extra = self._extra.get(account.order_id, 0) + event.data["quantity"]
        attempts = [attempt.attempt_no for attempt in account.attempts or () if attempt.delivered > 0]
        self.violated_order(
            account,
            "twice",
            amount_fen=extra * row["unit_fen"] if row is not None else event.data.get("cost_fen", 0),
            events=[delivery.at for delivery in account.deliveries if delivery.units > 0],
            times=account.supplier_successes,
            attempts=", ".join(attempts),
        )
