"""I-02: every delivered unit maps to exactly one capture or one compensation, and is real goods.

Judged when the transaction that delivers has ended, so the order of rows inside it does not matter;
a supplier's delivery is such a transaction by itself.
"""

from __future__ import annotations

from chaos.account import GOODS, Account
from chaos.checkers.checker import Checker, Handler
from chaos.history import Ok

REISSUES = ("reissue", "redeliver")


class GoodsPaidFor(Checker):
    """No goods without a payment, no second portion for one payment, no made-up secrets."""

    invariant = "I-02"
    when = "c"
    cares_for = GOODS

    def hears(self) -> dict[str, Handler]:
        return {
            "commit.order": self._committed,
            "ok.view_order": self._viewed,
            "read.order": self._viewed,
        }

    def _committed(self, account: Account) -> None:
        if account.units > 0:
            self._judge(account)

    def _judge(self, account: Account) -> None:
        self.checked += 1
        reissues = 0
        if account.compensations is not None:
            reissues = sum(row["action"] in REISSUES for row in account.compensations.values())
        events = [delivery.at for delivery in account.deliveries if delivery.units > 0]
        if not account.captures and not reissues:
            price_fen = account.price_fen(account.units)
            self.violated_so_far(account, "unpaid", amount_fen=price_fen, events=events, units=account.units)
            return
        row = account.row
        if row is None:
            if account.lost:
                self.undecided("order", account.order_id, "row_lost", events=events)
            else:
                paid_fen = account.captured_fen
                self.violated_so_far(
                    account, "no_order", amount_fen=paid_fen, events=events, units=account.units
                )
            return
        portions = (account.captures > 0) + reissues
        if account.units > row["quantity"] * portions:
            extra = account.units - row["quantity"] * portions
            self.violated_so_far(
                account,
                "too_many",
                amount_fen=extra * row["unit_fen"],
                events=events,
                units=account.units,
                quantity=row["quantity"],
            )

    def _viewed(self, event: Ok) -> None:
        result = event.result if type(event) is Ok else getattr(event, "value", {})
        shown = result.get("cards")
        account = self.books.account
        if not shown or account is None:
            return
        self.checked += 1
        cards = self.books.cards
        sold = [cards[card]["secret"] for card in account.cards]
        if account.lost_cards:
            sold += account.lost_cards
        for secret in shown:
            if secret not in sold:
                unit_fen = account.row["unit_fen"] if account.row is not None else 0
                self.violated_order(
                    account, "not_goods", amount_fen=unit_fen, events=(self.books.at,), shown=str(secret)[:80]
                )
                return
