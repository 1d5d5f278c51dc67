"""I-12: each reservation ends exactly once: consumed by its own order, or released."""

from __future__ import annotations

from chaos.account import NEVER, Row
from chaos.books import Books
from chaos.checkers.checker import Checker, Handler
from chaos.history import State


class ReservationEndsOnce(Checker):
    """No card is held for ever, taken from under its holder, or sold and released as well."""

    invariant = "I-12"
    when = "q"

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._held: dict[str, int] = {}

    def hears(self) -> dict[str, Handler]:
        return {"state.cards": self._card}

    def _card(self, event: State) -> None:
        row, before = event.row, self.books.card_before
        if row is not None and row["status"] == "reserved":
            self.checked += 1
            self._held[event.key] = self.books.at
        held_at = NEVER
        if (
            before is not None
            and before["status"] == "reserved"
            and (row is None or row["status"] != "reserved")
        ):
            held_at = self._held.pop(event.key, NEVER)
        if before is None or row is None or event.op == "revert":
            return
        if before["status"] == "reserved":
            if row["status"] in ("reserved", "sold") and row["order_id"] != before["order_id"]:
                self._ended_wrongly(event.key, before, "taken", held_at, other=row["order_id"])
        elif before["status"] == "sold" and row["status"] in ("available", "reserved"):
            self._ended_wrongly(event.key, before, "released_after_sale", held_at)

    def _ended_wrongly(self, card: str, before: Row, words: str, held_at: int, other: str = "") -> None:
        account = self.books.accounts.get(before["order_id"])
        row = account.row if account is not None else None
        self.violated(
            "card",
            card,
            words,
            amount_fen=row["unit_fen"] if row is not None else 0,
            users=account.users if account is not None else (),
            events=[at for at in (held_at, self.books.at) if at != NEVER],
            order=before["order_id"],
            other=other,
        )

    def at_end(self, books: Books) -> None:
        for card, at in self._held.items():
            if not books.finished:
                self.undecided("card", card, "unfinished", events=(at,), end_us=self.header.end_us)
            else:
                self._ended_wrongly(card, books.cards[card], "held", at)
