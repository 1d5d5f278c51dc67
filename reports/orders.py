"""What became of each order, as plain facts a figure can draw.

Truth about money and goods is taken from the counterparties' books (CH, SUP) and from card and
entitlement rows, never from an order's own status. One pass over the history; an order that the
platform never created (money on the static code) is an order here all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaos.history import Book, Event, History, Invoke, State

OUTCOMES = ("delivered", "returned", "unpaid", "over", "unresolved")
"""`over`: more goods or money given than paid for. `unresolved`: money taken, nothing given for it."""

MINUTE_US = 60_000_000
AGES_US = (5 * MINUTE_US, 30 * MINUTE_US)  # the make-good promise, the money check


class OrderLife:
    """One order from click to end. Lists hold (t_us, change) pairs in order of time."""

    __slots__ = (
        "captured", "clicked_us", "closed_us", "forgiven_fen", "goods", "order_id", "payable_fen", "placed_us",
        "quantity", "returned", "sku", "status", "unit_fen", "user",
    )  # fmt: skip

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        self.user = ""
        self.sku = ""
        self.quantity = 0
        self.unit_fen = 0
        self.payable_fen = 0
        self.status = ""
        self.clicked_us: int | None = None
        self.placed_us: int | None = None
        self.closed_us: int | None = None
        self.captured: list[tuple[int, int]] = []
        self.returned: list[tuple[int, int]] = []
        self.goods: list[tuple[int, int]] = []
        self.forgiven_fen = 0

    def units(self) -> int:
        return sum(change for _, change in self.goods)

    def start_us(self) -> int | None:
        """The click, or where the story starts for money without an order."""
        if self.clicked_us is not None:
            return self.clicked_us
        if self.placed_us is not None:
            return self.placed_us
        return self.captured[0][0] if self.captured else None

    def delivered_us(self) -> int | None:
        """When the last ordered unit became the user's."""
        units = 0
        for t_us, change in self.goods:
            units += change
            if self.quantity and units >= self.quantity:
                return t_us
        return None

    def at_risk(self) -> list[tuple[int, int]]:
        """(t_us, fen captured but neither delivered nor returned) after each change, in order of time."""
        changes = [(t, 0, fen) for t, fen in self.captured]
        changes += [(t, 1, fen) for t, fen in self.returned]
        changes += [(t, 2, units) for t, units in self.goods]
        changes.sort()
        totals = [0, 0, 0]
        steps: list[tuple[int, int]] = []
        for t_us, sort, change in changes:
            totals[sort] += change
            given = totals[1] + min(totals[2], self.quantity) * self.unit_fen
            risk = max(0, totals[0] - given)
            if steps and steps[-1][0] == t_us:
                steps[-1] = (t_us, risk)
            else:
                steps.append((t_us, risk))
        return steps

    def outcome(self) -> str:
        """One of OUTCOMES, as the books say at the end of the run."""
        captured = sum(fen for _, fen in self.captured)
        returned = sum(fen for _, fen in self.returned)
        units = self.units()
        if units > self.quantity or returned + units * self.unit_fen > captured + self.forgiven_fen:
            return "over"
        if captured > returned + units * self.unit_fen:
            return "unresolved"
        if units:
            return "delivered" if units >= self.quantity else "returned"
        return "returned" if captured else "unpaid"

    def settled_us(self) -> int | None:
        """When the outcome was reached, None while it never was."""
        match self.outcome():
            case "unresolved":
                return None
            case "unpaid":
                return self.closed_us
            case "returned":
                return max([t for t, _ in self.returned], default=None)
            case _:
                return self.delivered_us()


class _Reader:
    """Holds what is needed to turn rows into changes: who owns a card, what a posting said."""

    def __init__(self) -> None:
        self.lives: dict[str, OrderLife] = {}
        self.clicks: dict[tuple[str, str], int] = {}
        self.cards: dict[str, str] = {}
        self.grants: dict[str, str] = {}
        self.postings: dict[str, tuple[str, int, int, int]] = {}

    def life(self, order_id: str) -> OrderLife:
        found = self.lives.get(order_id)
        if found is None:
            found = self.lives[order_id] = OrderLife(order_id)
        return found

    def feed(self, event: Event) -> None:
        if isinstance(event, Book):
            self._book(event)
        elif isinstance(event, State):
            if event.table == "orders":
                self._order(event)
            elif event.table == "cards":
                self._owner(event, self.cards, "sold")
            elif event.table == "grants":
                self._owner(event, self.grants, "")
            elif event.table == "postings":
                self._posting(event)
        elif isinstance(event, Invoke) and event.action == "place_order":
            self.clicks.setdefault((event.user, str(event.args.get("client_key"))), event.t_us)

    def _book(self, event: Book) -> None:
        order_id = event.ref.partition("/")[0]
        if event.entry == "captured":
            self.life(order_id).captured.append((event.t_us, int(event.data["paid_fen"])))
        elif event.entry == "refund_done":
            self.life(order_id).returned.append((event.t_us, int(event.data["amount_fen"])))
        elif event.entry == "delivered" and event.party == "SUP":
            self.life(order_id).goods.append((event.t_us, int(event.data.get("quantity", 1))))

    def _order(self, event: State) -> None:
        row = event.row
        if row is None:
            return  # the order's insert was lost in a failover; what the books hold of it stays
        life = self.life(str(row["order_id"]))
        life.user, life.sku = str(row["user"]), str(row["sku"])
        life.quantity, life.unit_fen = int(row["quantity"]), int(row["unit_fen"])
        life.payable_fen = int(row["payable_fen"])
        life.status = str(row["status"])
        if life.placed_us is None:
            life.placed_us = event.t_us
            life.clicked_us = self.clicks.get((life.user, str(row["client_key"])))
        if life.status == "closed":
            life.closed_us = event.t_us

    def _owner(self, event: State, owners: dict[str, str], status: str) -> None:
        row = event.row if event.op != "delete" else None
        owner = str(row["order_id"]) if row is not None and (not status or row["status"] == status) else ""
        before = owners.get(event.key, "")
        if owner != before:
            if before:
                self.life(before).goods.append((event.t_us, -1))
            if owner:
                self.life(owner).goods.append((event.t_us, 1))
            owners[event.key] = owner

    def _posting(self, event: State) -> None:
        before = self.postings.pop(event.key, None)
        if before is not None:
            self._book_posting(event.t_us, *before, sign=-1)
        if event.row is not None and event.op != "delete":
            now = _money_of(event.row)
            self.postings[event.key] = now
            self._book_posting(event.t_us, *now, sign=1)

    def _book_posting(self, t_us: int, order_id: str, paid: int, returned: int, loss: int, sign: int) -> None:
        if not order_id:
            return
        if paid:
            self.life(order_id).captured.append((t_us, sign * paid))
        if returned:
            self.life(order_id).returned.append((t_us, sign * returned))
        if loss:
            self.life(order_id).forgiven_fen += sign * loss


def _money_of(row: Mapping[str, Any]) -> tuple[str, int, int, int]:
    """(order, paid from a wallet, given to a spendable wallet, loss that was booked) of one posting."""
    wallet = loss = 0
    for account, amount_fen in row["lines"]:
        if account.startswith("wallet:"):
            wallet -= amount_fen
        elif account == "platform_loss":
            loss += amount_fen
    order_id = str(row["order_id"])
    if row["posting"] == "wallet_payment":
        return order_id, -wallet, 0, loss
    return order_id, 0, wallet, loss


def lives(history: History) -> list[OrderLife]:
    """Every order of a run in order of first appearance."""
    reader = _Reader()
    for event in history.events:
        reader.feed(event)
    return list(reader.lives.values())


def clicks_us(history: History) -> list[int]:
    """When each distinct order was first asked for, also those that were never created."""
    reader = _Reader()
    for event in history.events:
        if isinstance(event, Invoke):
            reader.feed(event)
    return sorted(reader.clicks.values())


def risk_by_age(orders: list[OrderLife], end_us: int) -> list[tuple[int, tuple[int, int, int]]]:
    """Steps (t_us, fen at risk by age of the first capture: under 5 min, 5 to 30 min, over 30 min)."""
    changes: list[tuple[int, int, int]] = []
    for life in orders:
        steps = life.at_risk()
        if not steps:
            continue
        born = steps[0][0]
        edges = (born, *(born + age for age in AGES_US), max(end_us, born) + 1)
        for index, (t_us, fen) in enumerate(steps):
            until = steps[index + 1][0] if index + 1 < len(steps) else edges[-1]
            for age in range(3):
                start, stop = max(t_us, edges[age]), min(until, edges[age + 1])
                if fen and start < stop:
                    changes += [(start, age, fen), (stop, age, -fen)]
    changes.sort()
    now = [0, 0, 0]
    series: list[tuple[int, tuple[int, int, int]]] = []
    for t_us, age, fen in changes:
        now[age] += fen
        state = (now[0], now[1], now[2])
        if series and series[-1][0] == t_us:
            series[-1] = (t_us, state)
        else:
            series.append((t_us, state))
    return series
