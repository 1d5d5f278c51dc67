"""Synthetic histories: small storms written by hand rules, so that reports can be tested without a world.

Each order of a storm is one of a few kinds (plain, slow, doubled, stuck …) and its events are those that
`docs/history.md` names. No platform and no simulator is involved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from chaos.history import Book, Event, Fault, Header, History, Invoke, Ok, Read, State

SECOND = 1_000_000
MINUTE = 60 * SECOND
UNIT_FEN = 3000


def draw(*key: object) -> float:
    """A number in [0, 1) that depends on the key alone."""
    digest = hashlib.blake2b("/".join(map(str, key)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def header(scenario: str = "callback_lost", design: str = "naive", seed: int = 7) -> Header:
    return Header(
        schema=1, version="0.1.0", scenario=scenario, design=design, seed=seed, heal_us=30 * MINUTE,
        settle_by_us=90 * MINUTE, end_us=1470 * MINUTE,
    )  # fmt: skip


class OrderEvents:
    """Writes the events of one order, in any order; `storm` sorts them by time."""

    def __init__(self, number: int, click_us: int, quantity: int = 1) -> None:
        self.order_id = f"O{number:04d}"
        self.user = f"member-{number % 17:02d}"
        self.number = number
        self.click_us = click_us
        self.quantity = quantity
        self.events: list[Event] = []
        self.tx = number * 100

    def state(
        self, t_us: int, book: str, table: str, key: str, row: dict[str, Any] | None, op: str = "insert"
    ) -> None:
        self.tx += 1
        self.events.append(State(t_us, self.tx, "platform-1", book, table, op, key, row))

    def order_row(self, status: str) -> dict[str, Any]:
        return {
            "order_id": self.order_id, "user": self.user, "client_key": f"k{self.number}", "sku": "game-30",
            "kind": "card", "quantity": self.quantity, "unit_fen": UNIT_FEN,
            "payable_fen": UNIT_FEN * self.quantity, "status": status,
        }  # fmt: skip

    def place(self) -> None:
        args = {
            "client_key": f"k{self.number}",
            "sku": "game-30",
            "quantity": self.quantity,
            "pay_with": "wechat",
        }
        self.events.append(Invoke(self.click_us, self.number * 10, self.user, "place_order", args))
        at = self.click_us + 80_000
        self.state(at, "ORD", "orders", self.order_id, self.order_row("created"))
        self.log(at, "created")
        self.events.append(
            Book(at + 20_000, "CH", "charge_opened", f"{self.order_id}/c1", {"channel": "wechat"})
        )
        self.events.append(
            Ok(
                at + 50_000,
                self.number * 10,
                self.user,
                "place_order",
                {"order_id": self.order_id, "status": "created"},
            )
        )

    def log(self, t_us: int, status: str) -> None:
        row = {"order_id": self.order_id, "from_status": "", "to_status": status}
        self.state(t_us, "ORD", "order_log", f"{self.order_id}/{status}/{t_us}", row)

    def move(self, t_us: int, status: str) -> None:
        self.state(t_us, "ORD", "orders", self.order_id, self.order_row(status), op="update")
        self.log(t_us, status)

    def pay(self, t_us: int, charge: str = "c1") -> None:
        ref = f"{self.order_id}/{charge}"
        amount = UNIT_FEN * self.quantity
        args = {"charge_no": ref, "order_id": self.order_id, "channel": "wechat", "amount_fen": amount}
        self.events.append(Invoke(t_us - 50_000, self.number * 10 + 1, self.user, "pay", args))
        self.events.append(
            Book(t_us, "CH", "captured", ref, {"channel": "wechat", "paid_fen": amount, "payer": self.user})
        )
        self.events.append(Ok(t_us + 30_000, self.number * 10 + 1, self.user, "pay", {"paid_fen": amount}))

    def callback(self, t_us: int, attempt: int = 1, *, accepted: bool = True) -> None:
        data = {
            "channel": "wechat",
            "notify_id": f"n-{self.order_id}",
            "attempt": attempt,
            "event": "TRANSACTION.SUCCESS",
        }
        self.events.append(Book(t_us, "CH", "callback_sent", f"{self.order_id}/c1", data))
        acked = {**data, "status": 200 if accepted else 500, "accepted": accepted}
        self.events.append(Book(t_us + 40_000, "CH", "callback_acked", f"{self.order_id}/c1", acked))

    def card(self, t_us: int, number: int = 1) -> None:
        card_id = f"card-{self.number:04d}-{number}"
        row = {
            "card_id": card_id,
            "sku": "game-30",
            "secret": f"S-{card_id}",
            "status": "sold",
            "order_id": self.order_id,
        }
        self.state(t_us, "STK", "cards", card_id, row, op="update")

    def refund(self, t_us: int, amount_fen: int, charge: str = "c1") -> None:
        row = {"order_id": self.order_id, "status": "requested", "amount_fen": amount_fen}
        self.state(t_us - 20 * SECOND, "ORD", "refunds", f"{self.order_id}/r1", row)
        data = {"channel": "wechat", "refund_no": f"{self.order_id}/r1", "amount_fen": amount_fen}
        self.events.append(Book(t_us, "CH", "refund_done", f"{self.order_id}/{charge}", data))

    def touch(self, t_us: int, fault: str) -> None:
        site = f"0/{fault}/wechat/{self.order_id}/c1/1"
        self.events.append(
            Fault(t_us, fault, "touch", site, {"where": "wechat", "key": [f"{self.order_id}/c1", "1"]})
        )

    def view(self, t_us: int, status: str, cards: int = 0) -> None:
        op = self.number * 10 + 3 + t_us % 5
        self.events.append(Invoke(t_us, op, self.user, "view_order", {"order_id": self.order_id}))
        shown = {
            "order_id": self.order_id,
            "status": status,
            "delivered_qty": cards,
            "cards": ["S"] * cards,
            "refunded_fen": 0,
        }
        self.events.append(Ok(t_us + 30_000, op, self.user, "view_order", shown))

    def read(self, status: str, cards: int = 0) -> None:
        shown = {
            "order_id": self.order_id,
            "status": status,
            "delivered_qty": cards,
            "cards": ["S"] * cards,
            "refunded_fen": 0,
        }
        self.events.append(Read(1470 * MINUTE, "order", self.order_id, shown))


def plain(order: OrderEvents, wait_us: int = 2 * SECOND) -> None:
    """Ordered, paid, delivered once after `wait_us`."""
    order.place()
    paid = order.click_us + 9 * SECOND
    order.pay(paid)
    order.callback(paid + wait_us)
    order.move(paid + wait_us + 10_000, "paid")
    order.card(paid + wait_us + 20_000)
    order.move(paid + wait_us + 20_000, "completed")
    order.view(paid + wait_us + SECOND, "completed", 1)
    order.read("completed", 1)


def unpaid(order: OrderEvents) -> None:
    """Ordered, never paid, closed by the clock."""
    order.place()
    order.move(order.click_us + 15 * MINUTE, "closed")
    order.read("closed")


def stuck(order: OrderEvents) -> None:
    """Paid, every callback lost, closed by the clock: the money is gone and the card never comes."""
    order.place()
    paid = order.click_us + 12 * SECOND
    order.pay(paid)
    for attempt in range(1, 16):
        order.touch(paid + attempt * 15 * SECOND, "channel.callback_loss")
        order.callback(paid + attempt * 15 * SECOND, attempt, accepted=False)
    order.view(paid + 3 * SECOND, "created")
    order.move(order.click_us + 15 * MINUTE, "closed")
    order.view(order.click_us + 20 * MINUTE, "closed")
    order.read("closed")


def doubled(order: OrderEvents) -> None:
    """Paid once, two callbacks, two cards."""
    order.place()
    paid = order.click_us + 8 * SECOND
    order.pay(paid)
    order.touch(paid + SECOND, "channel.callback_duplicate")
    for number in (1, 2):
        order.callback(paid + number * SECOND, number)
        order.card(paid + number * SECOND + 10_000, number)
    order.move(paid + SECOND + 10_000, "paid")
    order.move(paid + SECOND + 20_000, "completed")
    order.view(paid + 4 * SECOND, "completed", 2)
    order.read("completed", 2)


def returned(order: OrderEvents) -> None:
    """Paid after the order was closed; refunded in full."""
    order.place()
    order.move(order.click_us + 15 * MINUTE, "closed")
    order.pay(order.click_us + 16 * MINUTE)
    order.move(order.click_us + 16 * MINUTE + SECOND, "paid_late")
    order.refund(order.click_us + 19 * MINUTE, UNIT_FEN)
    order.move(order.click_us + 19 * MINUTE + SECOND, "refunded")
    order.read("refunded")


def storm(
    scenario: str = "callback_lost",
    design: str = "naive",
    seed: int = 7,
    orders: int = 10,
    extra: Sequence[Event] = (),
) -> History:
    """A run: `naive` loses and doubles some orders, every other design delivers them all, late or not."""
    events: list[Event] = [
        Fault(
            4 * MINUTE,
            "link.partition",
            "start",
            "1/link.partition/platform-*/window",
            {"where": "platform-*"},
        ),
        Fault(9 * MINUTE, "link.partition", "end", "1/link.partition/platform-*/window", {"touched": 4}),
        Fault(17 * MINUTE, "node.crash", "start", "2/node.crash/platform-1/window", {"where": "platform-1"}),
        Fault(18 * MINUTE, "node.crash", "end", "2/node.crash/platform-1/window", {"touched": 1}),
        *extra,
    ]
    for number in range(1, orders + 1):
        lot = draw("kind", scenario, seed, number)
        order = OrderEvents(number, int(draw("arrival", scenario, seed, number) * 22 * MINUTE))
        if lot < 0.08:
            unpaid(order)
        elif lot < 0.16:
            returned(order)
        elif lot < 0.3 and design == "naive":
            stuck(order)
        elif lot < 0.4 and design == "naive":
            doubled(order)
        else:
            plain(order, int(SECOND * 1.5 * (1 + 200 * draw("wait", seed, number) ** 8)))
        events += order.events
    history = History(header(scenario, design, seed))
    history.events = sorted(events, key=lambda event: event.t_us)
    return history
