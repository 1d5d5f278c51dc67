"""I-26: one client key, one order; the key can be used again after a crash within its lease.

A member who repeats a request under the same key may be told to wait while the first one runs, but
not for ever: once the lease of a dead holder is over, the repeat is answered.
"""

from __future__ import annotations

from chaos.books import Books
from chaos.checkers.checker import Checker, Handler
from chaos.history import Fail, Ok, State, Unknown

LEASE_US = 30_000_000
REFUSED_FOR_GOOD = ("stock", "balance", "fund", "sku", "quantity", "product", "account")
"""Words of an error that is an answer in itself: trying again would not help."""


class OneKeyOneOrder(Checker):
    """Clicking again is safe, and it works."""

    invariant = "I-26"
    when = "c"

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._orders: dict[str, str] = {}
        self._unanswered: dict[str, tuple[int, int]] = {}
        self._refused: dict[str, tuple[str, str, int]] = {}

    def hears(self) -> dict[str, Handler]:
        return {
            "state.orders": self._order,
            "ok.place_order": self._answered,
            "fail.place_order": self._failed,
            "unknown.place_order": self._unclear,
        }

    def _order(self, event: State) -> None:
        row = event.row
        if event.op == "insert" and row is not None:
            self.checked += 1
            key = row["user"] + ":" + row["client_key"]
            first = self._orders.setdefault(key, event.key)
            if first != event.key:
                self._second(key, first, event)
        elif row is None and self.books.account is not None:
            for key, order_id in list(self._orders.items()):
                if order_id == event.key:
                    del self._orders[key]

    def _second(self, key: str, first: str, event: State) -> None:
        row = event.row or {}
        self.violated(
            "order",
            event.key,
            "two_orders",
            amount_fen=row["payable_fen"],
            users=(row["user"],),
            events=[at for at in (self.books.accounts[first].since_at, self.books.at) if at >= 0],
            key=row["client_key"],
            first=first,
        )

    def _answered(self, event: Ok) -> None:
        key = self._key(event)
        self._unanswered.pop(key, None)
        self._refused.pop(key, None)

    def _unclear(self, event: Unknown) -> None:
        invoked = self.books.invoked
        if invoked is not None:
            self._unanswered.setdefault(self._key(event), (invoked.t_us, self.books.at))

    def _failed(self, event: Fail) -> None:
        """A refusal: of a key that was left unanswered before, it is one to look at."""
        key = self._key(event)
        invoked, first = self.books.invoked, self._unanswered.get(key)
        if invoked is None or first is None:
            return
        self.checked += 1
        error = str(event.result.get("error", "")).lower()
        if any(word in error for word in REFUSED_FOR_GOOD):
            self._unanswered.pop(key)
            self._refused.pop(key, None)
        elif invoked.t_us - first[0] > LEASE_US:
            self._refused[key] = (event.user, str(invoked.args["client_key"]), self.books.at)

    def _key(self, event: Ok | Fail | Unknown) -> str:
        invoked = self.books.invoked
        return f"{event.user}:{invoked.args['client_key'] if invoked is not None else ''}"

    def at_end(self, books: Books) -> None:
        for key, (user, client_key, at) in self._refused.items():
            first_us, first_at = self._unanswered[key]
            self.violated(
                "user", user, "refused_for_ever", users=(user,), events=(first_at, at), key=client_key, first_us=first_us
            )
