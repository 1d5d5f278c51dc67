"""I-09: a card goes to at most one order line, ever.

A sale that a failover took back counts only if the buyer had seen the secret. Whether they had is
undecidable when their last look at the order ended without an answer.
"""

from __future__ import annotations

from chaos.books import Books
from chaos.checkers.checker import Checker, Handler
from chaos.history import Ok, State, Unknown


class CardSoldOnce(Checker):
    """One secret, one buyer."""

    invariant = "I-09"
    when = "c"

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._owners: dict[str, str] = {}
        self._doubtful: dict[str, str] = {}
        self._unanswered: dict[str, None] = {}

    def hears(self) -> dict[str, Handler]:
        return {
            "state.cards": self._card,
            "ok.view_order": self._viewed,
            "unknown.view_order": self._not_answered,
        }

    def _card(self, event: State) -> None:
        row, before = event.row, self.books.card_before
        if event.op == "revert" and before is not None and before["status"] == "sold":
            self._take_back(before["secret"], before["order_id"])
        if row is None or row["status"] != "sold":
            return
        self.checked += 1
        order_id, secret = row["order_id"], row["secret"]
        owner = self._owners.setdefault(secret, order_id)
        if owner != order_id:
            self._sold_again(event.key, owner, order_id)
        elif secret in self._doubtful and self._doubtful[secret] != order_id:
            self.undecided("card", event.key, "perhaps_shown", first=self._doubtful[secret], second=order_id)

    def _take_back(self, secret: str, order_id: str) -> None:
        if not self.books.accounts[order_id].cards_seen:
            self._owners.pop(secret, None)
            if order_id in self._unanswered:
                self._doubtful[secret] = order_id

    def _sold_again(self, card: str, owner: str, order_id: str) -> None:
        first, second = self.books.accounts[owner], self.books.accounts[order_id]
        row = second.row or first.row
        sold_at = [delivery.at for delivery in first.deliveries if delivery.units > 0][:1]
        self.violated(
            "card",
            card,
            "twice",
            amount_fen=row["unit_fen"] if row is not None else 0,
            users=tuple(dict.fromkeys(first.users + second.users)),
            events=(*sold_at, self.books.at),
            first=owner,
            second=order_id,
            order=order_id,
        )

    def _viewed(self, event: Ok) -> None:
        if event.result.get("cards") and self.books.account is not None:
            self.books.account.cards_seen = True

    def _not_answered(self, _: Unknown) -> None:
        invoked = self.books.invoked
        if invoked is not None:
            self._unanswered[invoked.args["order_id"]] = None
