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
        self._owners: dict[str, tuple[str, int]] = {}
        self._shown: dict[str, None] = {}
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
        owner, sold_at = self._owners.setdefault(secret, (order_id, self.books.at))
        if owner != order_id:
            self._sold_again(event.key, owner, order_id, sold_at)
        elif secret in self._doubtful and self._doubtful[secret] != order_id:
            self.undecided("card", event.key, "perhaps_shown", first=self._doubtful[secret], second=order_id)

    def _take_back(self, secret: str, order_id: str) -> None:
        if secret not in self._shown:
            self._owners.pop(secret, None)
            if order_id in self._unanswered:
                self._doubtful[secret] = order_id

    def _sold_again(self, card: str, owner: str, order_id: str, sold_at: int) -> None:
        accounts = self.books.accounts
        users: list[str] = []
        unit_fen = 0
        for account in (accounts.get(owner), accounts.get(order_id)):
            if account is not None:
                users += account.users
                unit_fen = account.row["unit_fen"] if account.row is not None else unit_fen
        self.violated(
            "card",
            card,
            "twice",
            amount_fen=unit_fen,
            users=tuple(dict.fromkeys(users)),
            events=(sold_at, self.books.at),
            first=owner,
            second=order_id,
            order=order_id,
        )

    def _viewed(self, event: Ok) -> None:
        for secret in event.result.get("cards", ()):
            self._shown[secret] = None

    def _not_answered(self, _: Unknown) -> None:
        invoked = self.books.invoked
        if invoked is not None:
            self._unanswered[invoked.args["order_id"]] = None
