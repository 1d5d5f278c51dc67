"""I-26: one client key, one order; the key can be used again after a crash within its lease.

A member who repeats a request under the same key may be told to wait while the first one runs, but
not for ever: once the lease of a dead holder is over, by the clock of the node that is asked, the
repeat is served.
"""

from __future__ import annotations

from chaos.account import Row
from chaos.books import Books
from chaos.checkers.checker import Checker, Handler
from chaos.history import Fail, Fault, Ok, State, Unknown

SKEW_US = 1_000_000
WAITING = "in_progress"


class OneKeyOneOrder(Checker):
    """Clicking again is safe, and it works."""

    invariant = "I-26"
    when = "c"

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._orders: dict[str, str] = {}
        self._leases: dict[str, tuple[Row, int]] = {}  # with the time of its latest change
        self._put_off: dict[str, tuple[str, str, int]] = {}
        self._skew_us = SKEW_US

    def hears(self) -> dict[str, Handler]:
        return {
            "state.orders": self._order,
            "state.idempotency": self._lease,
            "ok.place_order": self._served,
            "fail.place_order": self._not_served,
            "unknown.place_order": self._not_served,
            "fault.node.clock_skew": self._clock,
        }

    def _clock(self, event: Fault) -> None:
        """A clock that is behind sees every lease end so much later; which node is asked, nobody knows."""
        self._skew_us = max(self._skew_us, SKEW_US + abs(event.data.get("offset_us", 0)))

    def _order(self, event: State) -> None:
        row = event.row
        if event.op == "insert" and row is not None:
            self.checked += 1
            key = row["user"] + ":" + row["client_key"]
            first = self._orders.setdefault(key, event.key)
            if first != event.key:
                self.violated(
                    "order",
                    event.key,
                    "two_orders",
                    amount_fen=row["payable_fen"],
                    users=(row["user"],),
                    events=(self.books.accounts[first].placed_at, self.books.at),
                    key=row["client_key"],
                    first=first,
                )
        elif row is None:  # a failover lost it: the key is free again
            for key, order_id in list(self._orders.items()):
                if order_id == event.key:
                    del self._orders[key]

    def _lease(self, event: State) -> None:
        row = event.row
        if row is None:
            self._leases.pop(event.key, None)
        elif row["status"] == "running":
            self._leases[event.key] = (row, event.t_us)
        else:
            self._leases.pop(event.key, None)

    def _served(self, event: Ok) -> None:
        if self._put_off:
            self._put_off.pop(self._key(event), None)

    def _not_served(self, event: Fail | Unknown) -> None:
        """Told to wait although the holder's lease was over when the member asked."""
        if event.result.get("error") != WAITING or self.books.invoked is None:
            return
        self.checked += 1
        key = self._key(event)
        asked_us = self.books.invoked.t_us
        lease, since_us = self._leases.get(key, (None, 0))
        if lease is None or since_us > asked_us:  # taken, or given back, while the question was on its way
            return
        if asked_us + self.books.epoch_us > lease["lease_until_us"] + self._skew_us:
            self._put_off[key] = (event.user, str(self.books.invoked.args["client_key"]), self.books.at)

    def _key(self, event: Ok | Fail | Unknown) -> str:
        invoked = self.books.invoked
        return f"{event.user}:{invoked.args['client_key'] if invoked is not None else ''}"

    def at_end(self, books: Books) -> None:
        for user, client_key, at in self._put_off.values():
            if books.finished:
                self.violated("user", user, "refused_for_ever", users=(user,), events=(at,), key=client_key)
            else:
                self.undecided("user", user, "unfinished", events=(at,), end_us=self.header.end_us)
