"""The path of one order through user, platform, channel, supplier and stock, one step an event worth telling.

Repeated steps are told once with their number, so that fifteen callbacks do not hide the one capture.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chaos.history import Book, Event, Fail, Fault, History, Invoke, Notice, Ok, Read, State, Unknown

LANES = ("user", "platform", "channel", "supplier", "stock")
STEPS_AT_MOST = 26


@dataclass(frozen=True)
class Step:
    """One row of the figure: `key` and `data` make its text; `weight` says what to drop first."""

    t_us: int
    lane: str  # one of LANES, or "fault"
    key: str
    data: Mapping[str, Any] = field(default_factory=dict)
    weight: int = 2
    alarm: bool = False
    times: int = 1
    until_us: int | None = None  # faults only: when the window ends


@dataclass
class _Order:
    """What marks an event as this order's."""

    order_id: str
    user: str = ""
    client_key: str = ""
    ops: set[int] = field(default_factory=set)
    cards: set[str] = field(default_factory=set)
    seen: object = None

    def owns(self, ref: str) -> bool:
        return ref == self.order_id or ref.startswith(f"{self.order_id}/")


def path(history: History, order_id: str, witnesses: Collection[int] = ()) -> list[Step]:
    """Steps in order of time; those whose event is in `witnesses` are marked as alarms."""
    order = _identity(history, order_id)
    steps: list[Step] = []
    for index, event in enumerate(history.events):
        teller = _TELLERS.get(type(event))
        step = teller(order, event) if teller is not None else None
        if step is not None:
            alarmed = index in witnesses
            steps.append(replace(step, alarm=alarmed, weight=9) if alarmed else step)
    if not steps:
        return []
    lived = [step.t_us for step in steps if step.key != "finally"]  # the last look comes a day later
    steps += _windows(history, steps[0].t_us, max(lived, default=steps[0].t_us))
    steps.sort(key=lambda step: step.t_us)
    return _fewer(_merged(steps))


def _identity(history: History, order_id: str) -> _Order:
    for event in history.events:
        if (
            isinstance(event, State)
            and event.table == "orders"
            and event.row is not None
            and event.key == order_id
        ):
            return _Order(order_id, str(event.row["user"]), str(event.row["client_key"]))
    return _Order(order_id)


# ------------------------------------------------------------------ one event, one step


def _invoke(order: _Order, event: Event) -> Step | None:
    assert isinstance(event, Invoke)
    mine = order.owns(str(event.args.get("order_id", ""))) or order.owns(str(event.args.get("charge_no", "")))
    if event.action == "place_order":
        mine = event.user == order.user and event.args.get("client_key") == order.client_key
    if not mine:
        return None
    order.ops.add(event.op)
    match event.action:
        case "place_order":
            return Step(
                event.t_us,
                "user",
                "place_order",
                {"quantity": event.args.get("quantity", 1), "sku": event.args.get("sku", "")},
                4,
            )
        case "pay":
            return Step(event.t_us, "user", "pay", {"fen": event.args.get("amount_fen", 0)}, 4)
        case "request_refund" | "new_charge":
            return Step(event.t_us, "user", event.action, {}, 4)
    return None


def _outcome(order: _Order, event: Event) -> Step | None:
    assert isinstance(event, Ok | Fail | Unknown)
    if event.op not in order.ops:
        return None
    if isinstance(event, Unknown):
        return Step(event.t_us, "user", "no_answer", {}, 3)
    if isinstance(event, Fail):
        return Step(event.t_us, "user", "refused", {}, 3)
    if event.action == "view_order":
        return _seen(order, event.t_us, event.result, "sees", 2)
    return None


def _seen(order: _Order, t_us: int, view: Mapping[str, Any], key: str, weight: int) -> Step | None:
    """What a user sees is told when it changes."""
    shown = (view.get("status"), len(view.get("cards") or ()), view.get("delivered_qty"))
    if shown == order.seen and key == "sees":
        return None
    order.seen = shown
    return Step(t_us, "user", key, {"status": str(shown[0]), "cards": shown[1] or shown[2] or 0}, weight)


def _state(order: _Order, event: Event) -> Step | None:
    assert isinstance(event, State)
    row = event.row
    if event.table == "cards":
        return _card(order, event)
    if row is None or not order.owns(str(row.get("order_id", ""))):
        return None
    if event.op == "revert":
        return Step(event.t_us, "platform", "revert", {"table": event.table}, 5)
    teller = _ROWS.get(event.table)
    return teller(event.t_us, row) if teller is not None else None


_ROWS: Mapping[str, Callable[[int, Mapping[str, Any]], Step | None]] = {
    "order_log": lambda t_us, row: Step(t_us, "platform", "status", {"status": row["to_status"]}, 4),
    "grants": lambda t_us, row: Step(t_us, "stock", "grant", {"days": row["days"]}, 5),
    "tickets": lambda t_us, row: Step(t_us, "platform", f"ticket_{row['status']}", {}, 3),
    "refunds": lambda t_us, row: (
        Step(t_us, "platform", "refund", {"fen": row["amount_fen"]}, 4)
        if row["status"] == "requested"
        else None
    ),
    "compensations": lambda t_us, row: Step(
        t_us,
        "platform",
        "compensation",
        {"rule": row["rule"], "fen": row["amount_fen"], "state": row["status"]},
        5,
    ),
}


def _card(order: _Order, event: State) -> Step | None:
    row = event.row
    if row is not None and row["order_id"] == order.order_id and row["status"] == "sold":
        order.cards.add(event.key)
        return Step(event.t_us, "stock", "card", {"card": event.key}, 5)
    if event.key in order.cards and (row is None or row["order_id"] != order.order_id):
        order.cards.discard(event.key)
        return Step(event.t_us, "stock", "card_lost", {"card": event.key}, 5)
    return None


_BOOK = {  # (party, entry): lane, weight, the amount told
    ("CH", "captured"): ("channel", 6, "paid_fen"),
    ("CH", "closed"): ("channel", 4, None),
    ("CH", "refund_done"): ("channel", 5, "amount_fen"),
    ("CH", "refund_failed"): ("channel", 4, "amount_fen"),
    ("CH", "callback_sent"): ("channel", 3, None),
    ("SUP", "attempt_received"): ("supplier", 3, None),
    ("SUP", "delivered"): ("supplier", 6, None),
    ("SUP", "failed"): ("supplier", 4, None),
    ("SUP", "callback_sent"): ("supplier", 2, None),
}  # fmt: skip


def _book(order: _Order, event: Event) -> Step | None:
    assert isinstance(event, Book)
    if not order.owns(event.ref):
        return None
    if event.entry == "callback_acked":
        lane = "channel" if event.party == "CH" else "supplier"
        return None if event.data.get("accepted") else Step(event.t_us, lane, "callback_refused", {}, 3)
    if event.entry == "answered":
        lane = "channel" if event.party == "CH" else "supplier"
        answer = event.data.get("result", event.data.get("status", ""))
        return Step(event.t_us, lane, "answered", {"call": event.data.get("call", ""), "answer": answer}, 2)
    known = _BOOK.get((event.party, event.entry))
    if known is None:
        return None
    lane, weight, amount = known
    data = {"fen": event.data.get(amount, 0)} if amount else {}
    return Step(event.t_us, lane, f"{lane}_{event.entry}", data, weight)


def _notice(order: _Order, event: Event) -> Step | None:
    assert isinstance(event, Notice)
    return (
        Step(event.t_us, "user", "notice", {"topic": event.topic}, 3)
        if event.order_id == order.order_id
        else None
    )


def _read(order: _Order, event: Event) -> Step | None:
    assert isinstance(event, Read)
    if event.subject != "order" or event.key != order.order_id or "error" in event.value:
        return None
    return _seen(order, event.t_us, event.value, "finally", 5)


def _touch(order: _Order, event: Event) -> Step | None:
    assert isinstance(event, Fault)
    if event.phase != "touch":
        return None
    parts = [str(part) for part in event.data.get("key", ())] + event.site.split("/")
    mine = any(order.owns(part) for part in parts) or str(event.data.get("charge_no", "")).startswith(
        order.order_id
    )
    return Step(event.t_us, "fault", event.fault, {}, 5) if mine else None


_TELLERS: Mapping[type[Any], Callable[[_Order, Event], Step | None]] = {
    Invoke: _invoke,
    Ok: _outcome,
    Fail: _outcome,
    Unknown: _outcome,
    State: _state,
    Book: _book,
    Notice: _notice,
    Read: _read,
    Fault: _touch,
}


# ------------------------------------------------------------------ faults, repeats, length


def _windows(history: History, first_us: int, last_us: int) -> list[Step]:
    """Faults that were on while the order lived, each as the row where it begins (or the order does)."""
    steps: list[Step] = []
    open_since: dict[tuple[str, str], int] = {}
    ends: list[tuple[str, int, int]] = []
    for event in history.events:
        if isinstance(event, Fault) and event.phase == "start":
            open_since[event.fault, event.site] = event.t_us
        elif isinstance(event, Fault) and event.phase == "end":
            start = open_since.pop((event.fault, event.site), None)
            if start is not None:
                ends.append((event.fault, start, event.t_us))
    ends += [(fault, start, history.header.end_us) for (fault, _), start in open_since.items()]
    for fault, start, end in ends:
        if start <= last_us and end >= first_us:
            steps.append(Step(max(start, first_us), "fault", fault, {}, 7, until_us=end))
    return steps


def _merged(steps: list[Step]) -> list[Step]:
    """Of a step that repeats, the first and the last stay; the last says how often it happened."""
    places: dict[tuple[str, str, str], list[int]] = {}
    for index, step in enumerate(steps):
        places.setdefault((step.lane, step.key, str(sorted(step.data.items()))), []).append(index)
    dropped: set[int] = set()
    counted: dict[int, int] = {}
    for where in places.values():
        if len(where) > 2:
            dropped.update(i for i in where[1:-1] if not steps[i].alarm)
            counted[where[-1]] = len(where)
    return [
        replace(step, times=counted.get(index, 1)) for index, step in enumerate(steps) if index not in dropped
    ]


def _fewer(steps: list[Step]) -> list[Step]:
    """At most STEPS_AT_MOST: the lightest go first, later ones before earlier ones."""
    surplus = len(steps) - STEPS_AT_MOST
    if surplus <= 0:
        return steps
    lightest: Iterable[int] = sorted(range(len(steps)), key=lambda i: (steps[i].weight, -i))
    dropped = set(list(lightest)[:surplus])
    return [step for index, step in enumerate(steps) if index not in dropped]
