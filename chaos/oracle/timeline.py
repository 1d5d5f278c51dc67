"""One order's life as the books tell it, and the replay of it that rules look at.

A `Timeline` is a list of dated changes in the order they were recorded. A `Standing` is what was
true of the order at one moment; `spans` replays a timeline and says when a predicate held.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

FOREVER: Final = 1 << 62
WALLET: Final = "wallet"
"""The "charge" of an order that was paid from the wallet."""

Change = tuple[int, str, str, int]
"""(t_us, what, ref, number): `what` is one of the verbs that `Standing.apply` knows."""

Span = tuple[int, int]
"""From and until, both inclusive, in µs."""


Refund = tuple[int, str, str, int]
"""(t_us, refund number, charge, fen) that the channel accepted; a refund to the wallet has no number."""


class Promise:
    """A compensation row as the platform wrote it: its claim, not yet money."""

    __slots__ = ("cmp_id", "refund_no", "rule", "t_us")

    def __init__(self, t_us: int, cmp_id: str, rule: str, refund_no: str) -> None:
        self.t_us = t_us
        self.cmp_id = cmp_id
        self.rule = rule
        self.refund_no = refund_no


class Timeline:
    """What the books say of one order. `odd` is set as soon as anything but the plain course happened."""

    __slots__ = (
        "account", "captured_fen", "captured_us",
        "client_key", "changes", "claimed_qty", "completed_us", "delivered_us", "kind", "odd",
        "order_id", "payable_fen", "promises", "quantity", "refunds", "sku", "status", "unit_fen", "units", "user",
        "wait_us",
    )  # fmt: skip

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        self.user = ""
        self.client_key = ""
        self.sku = ""
        self.kind = ""
        self.account = ""
        self.quantity = 0
        self.unit_fen = 0
        self.payable_fen = 0
        self.status = ""
        self.claimed_qty = 0
        self.units = 0
        self.captured_us = -1
        self.captured_fen = 0
        self.completed_us = -1
        self.delivered_us = -1
        self.odd = False
        self.changes: list[Change] = []
        self.promises: Sequence[Promise] = ()
        self.refunds: Sequence[Refund] = ()
        self.wait_us = 0

    def captures(self) -> list[Change]:
        """The captures, first one first."""
        return [change for change in self.changes if change[1] == "captured"]

    def refunded_in_full(self) -> list[tuple[int, str, int]]:
        """(time, charge, fen) of each capture that the refunds on its charge made up for, in time order."""
        captured: dict[str, list[int]] = {}
        for _, _, ref, fen in self.captures():
            captured.setdefault(ref, []).append(fen)
        returned: dict[str, int] = {}
        full: list[tuple[int, str, int]] = []
        for t_us, what, ref, fen in self.changes:
            if what in ("returned", "bounced") and ref in captured:
                returned[ref] = returned.get(ref, 0) + (fen if what == "returned" else -fen)
                while captured[ref] and returned[ref] >= captured[ref][0]:
                    owed = captured[ref].pop(0)
                    returned[ref] -= owed
                    full.append((t_us, ref, owed))
        return full


class Standing:
    """What was true of an order at a moment of the replay. Rules read it; only `apply` writes it."""

    __slots__ = (
        "_timeline", "asked", "bounced_fen", "captured", "claimed_qty", "credited_fen", "first_fen", "lies",
        "open_attempts", "paid", "reached_closed", "returned", "status", "units",
    )  # fmt: skip

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self.status = ""
        self.claimed_qty = 0
        self.units = 0
        self.captured: list[tuple[str, int]] = []
        self.first_fen = 0
        self.paid = False
        self.reached_closed = False
        self.asked = False
        self.returned: dict[str, int] = {}
        self.bounced_fen = 0
        self.credited_fen = 0
        self.open_attempts: dict[str, bool] = {}
        self.lies = False

    @property
    def right_amount(self) -> bool:
        """The first capture was of what the order cost."""
        return bool(self.captured) and self.first_fen == self._timeline.payable_fen

    @property
    def believed(self) -> bool:
        """The platform takes the order for delivered."""
        return self.status == "completed" or self.claimed_qty > 0

    @property
    def deceived(self) -> bool:
        """A supplier said success, the platform believed it, and nothing was delivered."""
        return self.lies and self.units == 0 and self.believed

    @property
    def known_delivered(self) -> bool:
        """Goods were delivered and the platform could know: its own stock says so, or it learned it."""
        return self.units > 0 and (self._timeline.kind != "topup" or self.believed)

    @property
    def unknown(self) -> bool:
        """A supplier attempt was sent and nobody knows yet how it ended."""
        return any(self.open_attempts.values())

    @property
    def unreturned(self) -> int:
        """How many captures have not been given back in full; a charge, or the wallet, may have had several."""
        returned = dict(self.returned)
        kept = 0
        for charge, fen in self.captured:
            if returned.get(charge, 0) < fen:
                kept += 1
            else:
                returned[charge] -= fen
        return kept

    def apply(self, change: Change) -> None:
        """Let one change happen."""
        _, what, ref, number = change
        if what == "status":
            self.status = ref
            self.claimed_qty = number
            if ref == "closed" and self.captured:
                self.reached_closed = True
        elif what == "captured":
            if not self.captured:
                self.first_fen = number
            if number == self._timeline.payable_fen:
                self.paid = True  # be it after a wrong one: that is what redeems an order on hold
            self.captured.append((ref, number))
            if self.status == "closed":
                self.reached_closed = True
        elif what == "units":
            self.units = number
        elif what == "attempt":
            self.open_attempts[ref] = bool(number)
        elif what == "lied":
            self.lies = True
        elif what == "asked":
            self.asked = True
        else:
            self._move_money(what, ref, number)

    def _move_money(self, what: str, ref: str, fen: int) -> None:
        if what == "returned":
            self.returned[ref] = self.returned.get(ref, 0) + fen
            self.bounced_fen = max(0, self.bounced_fen - fen)
        elif what == "bounced":
            self.returned[ref] = self.returned.get(ref, 0) - fen
            self.bounced_fen += fen
        elif what in ("credit", "provisional"):
            self.credited_fen += fen


Predicate = Callable[[Standing], bool]


def spans(timeline: Timeline, *predicates: Predicate) -> list[list[Span]]:
    """For each predicate, when it held. Changes of one instant count together; ends are inclusive."""
    standing = Standing(timeline)
    held: list[list[Span]] = [[] for _ in predicates]
    since = [-1] * len(predicates)
    changes = timeline.changes
    last = len(changes) - 1
    for index, change in enumerate(changes):
        standing.apply(change)
        if index < last and changes[index + 1][0] == change[0]:
            continue
        for which, predicate in enumerate(predicates):
            if predicate(standing):
                if since[which] < 0:
                    since[which] = change[0]
            elif since[which] >= 0:
                held[which].append((since[which], change[0]))
                since[which] = -1
    for which, start_us in enumerate(since):
        if start_us >= 0:
            held[which].append((start_us, FOREVER))
    return held


def standing_before(timeline: Timeline, t_us: int) -> Standing:
    """What was true just before `t_us`."""
    standing = Standing(timeline)
    for change in timeline.changes:
        if change[0] >= t_us:
            break
        standing.apply(change)
    return standing
