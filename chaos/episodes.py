"""The episodes of one order: its events as steps with a lane, a weight and the data for their words.

Weights say what a short account must not leave out: money first, then goods, then what the user saw.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chaos.history import Book, Fail, Fault, History, Invoke, Notice, Ok, Read, State, Unknown

LANES = ("user", "platform", "channel", "supplier", "stock")
LEAST, MOST = 4, 8
"""A story has so many steps, as far as there are any."""

_REPEATING = frozenset(
    ("callback_sent", "callback_accepted", "callback_refused", "no_answer", "said", "fault")
)


@dataclass(frozen=True, slots=True)
class Step:
    """One episode. `key` names its words; `times` counts equal ones told as one."""

    t_us: int
    lane: str
    key: str
    weight: int
    data: Mapping[str, Any] = field(default_factory=dict)
    times: int = 1


Told = tuple[str, str, int, dict[str, Any]]
"""Lane, key, weight, data of a step."""


class Episodes:
    """Picks one order's events out of a history."""

    def __init__(self, history: History, order_id: str) -> None:
        self.order_id = order_id
        self.row: Mapping[str, Any] | None = None
        self.placed_us = -1
        self.captures: list[tuple[int, str, int]] = []
        self.faults: list[str] = []
        self.final: Mapping[str, Any] | None = None
        self._history = history
        self._ops: dict[int, str] = {}
        self._status = ""
        self._shown = ""
        self._cards: dict[str, bool] = {}
        self._topped_up = 0
        self._granted: dict[str, int] = {}
        self._find_order()

    def _find_order(self) -> None:
        for event in self._history.events:
            if type(event) is State and event.table == "orders" and event.key == self.order_id and event.row:
                self.row = event.row
                self.placed_us = event.t_us
                return

    def steps(self, witnesses: Collection[int] = ()) -> list[Step]:
        """Between four and eight steps in order of time; events in `witnesses` come before all others."""
        every = _folded(self._every(witnesses))
        ranked = sorted(range(len(every)), key=lambda n: (-every[n].weight, n))[:MOST]
        heavy = [n for n in ranked if every[n].weight > 1]
        return [every[n] for n in sorted(heavy if len(heavy) >= LEAST else ranked[:LEAST])]

    def _every(self, witnesses: Collection[int]) -> Iterator[Step]:
        for index, event in enumerate(self._history.events):
            teller = _TELLERS.get(type(event))
            told = teller(self, event) if teller is not None else None
            if told is not None:
                lane, key, weight, data = told
                yield Step(event.t_us, lane, key, 99 if index in witnesses else weight, data)

    @property
    def handed_out(self) -> int:
        """Goods that left, by the books of stock, suppliers and memberships; known once `steps` has read them."""
        return len(self._cards) + self._topped_up + sum(self._granted.values())

    def owns(self, ref: object) -> bool:
        """Whether a number belongs to this order."""
        return isinstance(ref, str) and ref.partition("/")[0] == self.order_id

    # ------------------------------------------------------------ users

    def invoked(self, event: Invoke) -> Told | None:
        """The user starts something with this order."""
        args = event.args
        if event.action == "place_order":
            row = self.row
            if row is None or (event.user, args.get("client_key")) != (row["user"], row["client_key"]):
                return None
            if not self._ops:
                self.placed_us = event.t_us
        elif not self.owns(args.get("order_id")) and not self.owns(args.get("charge_no")):
            return None
        self._ops[event.op] = event.action
        if event.action == "place_order":
            return "user", "place_order", 7, {"quantity": args.get("quantity", 1), "sku": args.get("sku", "")}
        if event.action == "pay":
            return "user", "pay", 5, {"fen": args.get("amount_fen", 0)}
        if event.action in ("new_charge", "request_refund"):
            return "user", event.action, 5, {}
        return None

    def answered(self, event: Ok | Fail | Unknown) -> Told | None:
        """What came back to the user."""
        action = self._ops.get(event.op)
        if action is None:
            return None
        if isinstance(event, Unknown):
            return "user", "no_answer", 3, {"action": action}
        if isinstance(event, Fail):
            return "user", "refused", 3, {"action": action}
        status = str(event.result.get("status", ""))
        if action != "view_order" or status == self._shown:
            return None
        self._shown = status
        return "user", "sees", 2, {"status": status}

    def noticed(self, event: Notice) -> Told | None:
        """The user was told something."""
        return ("user", "notice", 3, {"topic": event.topic}) if event.order_id == self.order_id else None

    def read(self, event: Read) -> Told | None:
        """The user's last look."""
        if event.subject != "order" or event.key != self.order_id:
            return None
        self.final = event.value
        return "user", "finally", 6, {"status": event.value.get("status", event.value.get("error", ""))}

    # ------------------------------------------------------------ platform and its stock

    def committed(self, event: State) -> Told | None:
        """A committed row about this order."""
        if event.table == "orders":
            return self._order(event)
        row = event.row
        if event.table == "cards":
            return self._card(event)
        if event.table == "grants":
            return self._grant(event)
        if row is None or row.get("order_id") != self.order_id or event.op == "revert":
            return None
        if event.table == "postings":
            return self._posting(event.t_us, row)
        teller = _ROWS.get(event.table) if event.op == "insert" else None
        return teller(row) if teller is not None else None

    def _order(self, event: State) -> Told | None:
        if event.key != self.order_id:
            return None
        if event.row is None:
            self._status = ""
            return "platform", "lost", 8, {}
        status = str(event.row["status"])
        if status == self._status:
            return None
        self._status = status
        weight = {"created": 0, "closing": 1, "paid": 4, "fulfilling": 1}.get(status, 6)
        return "platform", "status", weight, {"status": status}

    def _card(self, event: State) -> Told | None:
        row = event.row
        mine = row is not None and row["order_id"] == self.order_id and row["status"] == "sold"
        if mine == (event.key in self._cards):
            return None
        if mine:
            self._cards[event.key] = True
            return "stock", "card", 7, {"card": event.key}
        del self._cards[event.key]
        return "stock", "card_back", 7, {"card": event.key}

    def _grant(self, event: State) -> Told | None:
        row = event.row
        if row is None or row["order_id"] != self.order_id:
            self._granted.pop(event.key, None)
            return None
        known = event.key in self._granted
        self._granted[event.key] = self._periods(row["days"])
        return None if known or event.op != "insert" else ("stock", "grant", 7, {"days": row["days"]})

    def _periods(self, days: int) -> int:
        """How many pieces a grant is: one row may hold as many times as were ordered."""
        if self.row is None:
            return 1
        period = self._history.header.facts.get("products", {}).get(self.row["sku"], {}).get("days", 0)
        return max(1, days // period) if period else int(self.row["quantity"])

    def _posting(self, t_us: int, row: Mapping[str, Any]) -> Told | None:
        fen = max(amount for _, amount in row["lines"])
        if row["posting"] == "wallet_payment":
            self.captures.append((t_us, "wallet", fen))
            return "user", "pay", 8, {"fen": fen}
        if str(row["posting"]).startswith("credit"):
            return "platform", str(row["posting"]), 7, {"fen": fen}
        return None

    # ------------------------------------------------------------ counterparties, faults

    def booked(self, event: Book) -> Told | None:
        """A counterparty's entry about this order."""
        if not self.owns(event.ref):
            return None
        data = event.data
        if event.party == "CH":
            return self._channel(event, data)
        attempt = {"attempt": event.ref.rpartition("/")[2]}
        if event.entry == "delivered":
            self._topped_up += int(data["quantity"])
            return "supplier", "delivered", 8, {**attempt, "units": data["quantity"]}
        if event.entry in ("attempt_received", "failed"):
            return "supplier", event.entry, 4, attempt
        if event.entry == "answered":
            return "supplier", "said", 3, {**attempt, "answer": data["status"]}
        return None

    def _channel(self, event: Book, data: Mapping[str, Any]) -> Told | None:
        if event.entry == "captured":
            self.captures.append((event.t_us, event.ref, data["paid_fen"]))
            return "channel", "captured", 9, {"fen": data["paid_fen"]}
        if event.entry in ("refund_accepted", "refund_failed"):
            return "channel", event.entry, 8, {"fen": data["amount_fen"]}
        if event.entry == "closed":
            return "channel", "closed", 4, {}
        if event.entry == "callback_sent":
            return "channel", "callback_sent", 2, {}
        if event.entry == "callback_acked":
            if data["accepted"]:
                return "channel", "callback_accepted", 3, {}
            return "channel", "callback_refused", 5, {"code": data["status"]}
        return None

    def struck(self, event: Fault) -> Told | None:
        """A fault that touched this order (its site reads `rule/fault/where/key/…`)."""
        if event.phase != "touch" or self.order_id not in event.site.split("/")[3:]:
            return None
        self.faults.append(event.fault)
        owner = event.fault.partition(".")[0]
        return owner if owner in LANES else "platform", "fault", 6, {"fault": event.fault}


_ROWS: Mapping[str, Callable[[Mapping[str, Any]], Told]] = {
    "compensations": lambda row: (
        "platform",
        "compensation",
        7,
        {"rule": row["rule"], "fen": row["amount_fen"]},
    ),
    "tickets": lambda row: ("platform", "ticket", 4, {"ticket": row["reason"]}),
}

_TELLERS: Mapping[type[Any], Callable[[Episodes, Any], Told | None]] = {
    Invoke: Episodes.invoked,
    Ok: Episodes.answered,
    Fail: Episodes.answered,
    Unknown: Episodes.answered,
    Notice: Episodes.noticed,
    Read: Episodes.read,
    State: Episodes.committed,
    Book: Episodes.booked,
    Fault: Episodes.struck,
}


def _folded(steps: Iterator[Step]) -> list[Step]:
    """Equal steps in a row are told once with their number; what keeps repeating, wherever it repeats."""
    told: list[Step] = []
    first: dict[tuple[object, ...], int] = {}
    for step in steps:
        name = (step.lane, step.key, *step.data.values())
        at = first.get(name, -1)
        if at >= 0 and (at == len(told) - 1 or step.key in _REPEATING):
            again = told[at]
            told[at] = replace(again, times=again.times + 1, weight=max(again.weight, step.weight))
        else:
            first[name] = len(told)
            told.append(step)
    return told


def windows(history: History, since_us: int, until_us: int) -> list[str]:
    """Names of the faults in force at some time between the two."""
    found: dict[str, bool] = {}
    started: dict[str, tuple[int, str]] = {}
    for event in history.events:
        if isinstance(event, Fault) and event.phase == "start":
            started[event.site] = (event.t_us, event.fault)
        elif isinstance(event, Fault) and event.phase == "end" and event.site in started:
            start_us, fault = started.pop(event.site)
            if start_us <= until_us and event.t_us >= since_us:
                found[fault] = True
    for start_us, fault in started.values():
        if start_us <= until_us:
            found[fault] = True
    return list(found)
