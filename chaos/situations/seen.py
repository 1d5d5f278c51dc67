"""The little that several situations need to know about orders, read once for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chaos.history import Book, State

Handler = Callable[[Any], None]

_TAKEN_AS_PAID = frozenset(("paid", "paid_late", "fulfilling", "completed", "held", "refunding", "refunded"))


class Seen:
    """Orders as far as the history has been read, and which situations were met, when."""

    def __init__(self) -> None:
        self.met: dict[str, int] = {}
        self.status: dict[str, str] = {}
        self.closed: dict[str, int] = {}
        self.short: dict[str, bool] = {}
        self.captures: dict[str, int] = {}

    def meet(self, name: str, t_us: int) -> None:
        """The situation `name` occurred; the first time counts."""
        self.met.setdefault(name, t_us)

    def hears(self) -> dict[str, Handler]:
        """Called before any situation's own handlers."""
        return {"state.orders": self.order, "CH.captured": self.captured}

    def order(self, event: State) -> None:
        """Where the order stands; a lost order stands nowhere."""
        row = event.row
        if row is None:
            self.status[event.key] = ""
            return
        status = self.status[event.key] = row["status"]
        if status == "closed":
            self.closed.setdefault(event.key, event.t_us)
        if 0 < row["delivered_qty"] < row["quantity"]:
            self.short[event.key] = True

    def captured(self, event: Book) -> None:
        """How often the order was paid."""
        order_id = event.ref.partition("/")[0]
        self.captures[order_id] = self.captures.get(order_id, 0) + 1

    def exists(self, order_id: str) -> bool:
        """Whether the platform has the order."""
        return self.status.get(order_id, "") != ""

    def taken_as_paid(self, order_id: str) -> bool:
        """Whether the platform treats the order as paid."""
        return self.status.get(order_id) in _TAKEN_AS_PAID
