"""What judging costs: µs an order for all checkers together, on plain card orders of 30 events.

The orders are made up beforehand, so nothing but the judge is timed. `--json` for machines.
"""

from __future__ import annotations

import argparse
import gc
import json
from time import process_time
from typing import Any

from chaos.checkers.checker import Checker
from chaos.checkers.judge import Judge
from chaos.checkers.registry import CHECKERS
from chaos.history import Book, Event, Header, Invoke, Notice, Ok, Read, State

SECOND = 1_000_000
END_US = 88_000 * SECOND


def header(orders: int) -> Header:
    """Facts for that many plain orders of one product."""
    products = {"card": {"kind": "card", "unit_fen": 1000, "loaded": orders}}
    deadlines = {"created": 1500 * SECOND, "paid": 600 * SECOND}
    return Header(
        1, "bench", "plain", "none", 1, 0, END_US, END_US, {},
        {"products": products, "epoch_us": 0, "state_deadlines_us": deadlines},
    )  # fmt: skip


def plain_order(n: int) -> list[Event]:
    """Thirty events of one card order, its final read included."""
    order, user, card, charge = f"O{n}", f"u{n % 1000}", f"C{n}", f"O{n}/c1"
    t, tx, op = n * 1000, n * 5, n * 4
    row: dict[str, Any] = {
        "order_id": order, "user": user, "client_key": f"k{n}", "sku": "card", "kind": "card", "quantity": 1,
        "unit_fen": 1000, "payable_fen": 1000, "member_price": False, "account": "", "pay_with": "wechat",
        "status": "created", "captured_fen": 0, "delivered_qty": 0, "refunded_qty": 0,
    }  # fmt: skip
    paid = {**row, "status": "paid", "captured_fen": 1000}
    done = {**paid, "status": "completed", "delivered_qty": 1}
    held = {"card_id": card, "sku": "card", "secret": f"s{n}", "status": "reserved", "order_id": order}
    key = f"{user}:k{n}"
    lease = {"key": key, "order_id": order, "status": "running", "lease_until_us": t + 30 * SECOND}
    notice = {"channel": "wechat", "notify_id": f"{charge}.1", "attempt": 1}
    inbox = {"notice_key": f"wechat:{charge}.1", "charge_no": charge, "status": "received"}
    paid_charge = {"charge_no": charge, "status": "paid", "paid_fen": 1000, "amount_fen": 1000}
    captured = {"posting_id": f"P{n}", "posting": "capture", "order_id": order,
                "lines": (("channel:wechat", 1000), ("suspense", -1000))}  # fmt: skip
    earned = {"posting_id": f"Q{n}", "posting": "delivery", "order_id": order,
              "lines": (("suspense", 1000), ("revenue", -1000))}  # fmt: skip

    def log(at: int, name: str, before: str, after: str) -> State:
        entry = {"log_id": name, "order_id": order, "from_status": before, "to_status": after}
        return State(t, tx + at, "n1", "ORD", "order_log", "insert", name, entry)

    def state(at: int, table: str, op: str, key: str, new: dict[str, Any]) -> State:
        return State(t, tx + at, "n1", "X", table, op, key, new)

    looked = {
        "order_id": order,
        "status": "completed",
        "delivered_qty": 1,
        "cards": [f"s{n}"],
        "refunded_fen": 0,
    }
    return [
        Invoke(t, op, user, "place_order", {"client_key": f"k{n}", "sku": "card", "quantity": 1}),
        state(0, "idempotency", "insert", key, lease),
        state(0, "orders", "insert", order, row),
        log(0, f"A{n}", "", "created"),
        state(0, "cards", "update", card, held),
        state(0, "charges", "insert", charge, {**paid_charge, "status": "opening", "paid_fen": 0}),
        Book(t, "CH", "charge_opened", charge, {"channel": "wechat", "amount_fen": 1000}),
        state(1, "charges", "update", charge, {**paid_charge, "status": "open", "paid_fen": 0}),
        state(1, "idempotency", "update", key, {**lease, "status": "done"}),
        Ok(t, op, user, "place_order", {"order_id": order, "status": "created"}),
        Invoke(t, op + 1, user, "pay", {"charge_no": charge, "order_id": order}),
        Book(t, "CH", "captured", charge, {"channel": "wechat", "paid_fen": 1000, "payer": user}),
        Ok(t, op + 1, user, "pay", {"paid_fen": 1000}),
        Book(t, "CH", "callback_sent", charge, {**notice, "event": "SUCCESS", "paid_fen": 1000}),
        state(2, "inbox", "insert", f"wechat:{charge}.1", inbox),
        Book(t, "CH", "callback_acked", charge, {**notice, "status": 200, "accepted": True}),
        state(3, "orders", "update", order, paid),
        log(3, f"B{n}", "created", "paid"),
        state(3, "charges", "update", charge, paid_charge),
        state(3, "postings", "insert", f"P{n}", captured),
        state(3, "inbox", "update", f"wechat:{charge}.1", {**inbox, "status": "processed"}),
        state(4, "cards", "update", card, {**held, "status": "sold"}),
        state(4, "orders", "update", order, done),
        log(4, f"D{n}", "paid", "completed"),
        state(4, "postings", "insert", f"Q{n}", earned),
        state(4, "outbox", "insert", f"E{n}", {"event_id": f"E{n}", "order_id": order}),
        Notice(t, user, "order_completed", order, {}),
        Invoke(t, op + 2, user, "view_order", {"order_id": order}),
        Ok(t, op + 2, user, "view_order", looked),
        Read(END_US, "order", order, looked),
    ]


def measure(orders: int, checkers: tuple[type[Checker], ...] = CHECKERS) -> float:
    """µs an order to feed and finish."""
    events = [event for n in range(orders) for event in plain_order(n)]
    events.append(Read(END_US, "product", "card", {"sku": "card", "shown": 0}))
    told = header(orders)
    gc.collect()
    gc.disable()
    began = process_time()
    judge = Judge(told, checkers)
    judge.feed_all(events)
    verdicts = judge.finish()
    took = process_time() - began
    gc.enable()
    wrong = [verdict for verdict in verdicts if verdict.outcome != "holds"]
    if wrong:
        raise SystemExit(f"the plain orders are not plain: {wrong[0]}")
    return took / orders * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    everything = min(measure(options.orders) for _ in range(options.rounds))
    books = min(measure(options.orders, ()) for _ in range(options.rounds))
    storm = min(measure(5) for _ in range(200)) * 5
    found = {
        "us_per_order": round(everything, 1),
        "books_alone_us": round(books, 1),
        "five_orders_us": round(storm),
    }
    if options.json:
        print(json.dumps(found))
    else:
        print(
            f"all {len(CHECKERS)} checkers: {everything:.1f} µs an order of 30 events (books alone {books:.1f})"
        )
        print(f"a storm of five orders, judge and all: {storm:.0f} µs")


if __name__ == "__main__":
    main()
