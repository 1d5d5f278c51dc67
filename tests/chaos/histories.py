"""Tiny histories written by hand: what happened, in the order in which it happened.

`Story` tells one in the words of the domain and keeps the rows and the clock; single events can be
added with the builders (`state`, `book`, `invoke` …). Every step is one second after the last
unless the story waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Self

from ruamel.yaml import YAML

import chaos.checkers.judge
from chaos.checkers.judge import judge
from chaos.checkers.verdict import Verdict, Witness
from chaos.history import Book, Event, Fail, Fault, Header, History, Invoke, Notice, Ok, Read, State, Unknown
from chaos.titles import Titles
from chaos.words import fill

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
END_US = 24 * HOUR + 24 * MINUTE
EPOCH_US = 1_800_000_000 * SECOND

PRODUCTS: dict[str, dict[str, Any]] = {
    "card": {"kind": "card", "unit_fen": 1000, "member_fen": 900, "days": 0, "loaded": 10},
    "topup": {"kind": "topup", "unit_fen": 3000, "member_fen": 3000, "days": 0, "suppliers": ["s1", "s2"]},
    "month": {"kind": "membership", "unit_fen": 2500, "member_fen": 2500, "days": 30},
    "slow": {"kind": "topup", "unit_fen": 3000, "member_fen": 3000, "days": 0, "disclosed_wait_us": HOUR},
}
DEADLINES = {
    "created": 25 * MINUTE, "closing": 10 * MINUTE, "paid": 10 * MINUTE, "paid_late": 30 * MINUTE,
    "fulfilling": HOUR, "held": HOUR, "refunding": 30 * MINUTE,
}  # fmt: skip


def header(**changes: Any) -> Header:
    """A header whose faults end after 30 minutes and whose deadline is two hours."""
    facts = {
        "products": PRODUCTS,
        "epoch_us": EPOCH_US,
        "wallets": {"rich": 10_000},
        "members": {},
        "expiry_us": 15 * MINUTE,
        "state_deadlines_us": DEADLINES,
        **changes.pop("facts", {}),
    }
    told: dict[str, Any] = {
        "schema": 1, "version": "test", "scenario": "told", "design": "none", "seed": 1,
        "heal_us": 30 * MINUTE, "settle_by_us": 2 * HOUR, "end_us": END_US, **changes,
    }  # fmt: skip
    return Header(facts=facts, **told)


@cache
def texts() -> dict[str, Any]:
    """What the checkers have to say, as shipped."""
    path = Path(chaos.checkers.judge.__file__).with_name("texts.yaml")
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    return loaded


def sentence(invariant: str, witness: Witness, lang: str) -> str:
    """The witness in words; KeyError when the texts want data that the witness does not carry."""
    template = str(texts()[invariant]["witnesses"][witness.words][lang])
    return fill(template, Titles(lang).data(witness))


class Story:
    """One history in the making. `now_us` is the time of the next event."""

    def __init__(self, **changes: Any) -> None:
        self.header = header(**changes)
        self.events: list[Event] = []
        self.now_us = 0
        self._ops = 0
        self._txs = 0
        self._open_tx = 0
        self._names = 0
        self.orders: dict[str, dict[str, Any]] = {}
        self.wallets: dict[str, dict[str, Any]] = {}
        self.charges: dict[str, dict[str, Any]] = {}

    # ------------------------------------------------------------ single events

    def wait(self, us: int) -> Story:
        self.now_us += us
        return self

    def add(self, event: Event) -> Story:
        self.events.append(event)
        self.now_us += SECOND
        return self

    def state(self, table: str, key: str, row: Mapping[str, Any] | None, op: str = "update") -> Story:
        """One row of its own transaction, or of the transaction opened with `with story:`."""
        if not self._open_tx:
            self._txs += 1
        self.events.append(State(self.now_us, self._txs, "n1", "BOOK", table, op, key, row))
        if not self._open_tx:
            self.now_us += SECOND
        return self

    def __enter__(self) -> Self:
        self._txs += 1
        self._open_tx += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._open_tx -= 1
        self.now_us += SECOND

    def book(self, party: str, entry: str, ref: str, **data: Any) -> Story:
        owner = {"channel": "wechat"} if party == "CH" else {"supplier": "s1"}
        return self.add(Book(self.now_us, party, entry, ref, {**owner, **data}))

    def op(self, user: str, action: str, args: Mapping[str, Any], kind: type = Ok, **result: Any) -> Story:
        """An operation, invoked and answered (`kind`: Ok, Fail or Unknown) one second later."""
        self._ops += 1
        op = self._ops
        self.add(Invoke(self.now_us, op, user, action, args))
        assert kind in (Ok, Fail, Unknown)
        return self.add(kind(self.now_us, op, user, action, result))

    def invoke(self, user: str, action: str, **args: Any) -> int:
        """Only the question; answer it with `answer`."""
        self._ops += 1
        self.add(Invoke(self.now_us, self._ops, user, action, args))
        return self._ops

    def answer(self, op: int, user: str, action: str, kind: type = Ok, **result: Any) -> Story:
        return self.add(kind(self.now_us, op, user, action, result))

    def fault(self, fault: str, phase: str = "touch", site: str = "", **data: Any) -> Story:
        return self.add(Fault(self.now_us, fault, phase, site, data))

    def notice(self, user: str, topic: str, order: str = "O1") -> Story:
        return self.add(Notice(self.now_us, user, topic, order, {}))

    def read(self, subject: str, key: str, **value: Any) -> Story:
        return self.add(Read(self.now_us, subject, key, value))

    def name(self, kind: str) -> str:
        self._names += 1
        return f"{kind}{self._names}"

    # ------------------------------------------------------------ the platform's rows

    def order(self, order: str, op: str = "update", **changes: Any) -> Story:
        """The order's row, changed; no log row is written."""
        self.orders[order] = row = {**self.orders[order], **changes}
        return self.state("orders", order, row, op)

    def log(self, order: str, before: str, after: str) -> Story:
        key = self.name("L")
        row = {"log_id": key, "order_id": order, "from_status": before, "to_status": after, "cause": "test"}
        return self.state("order_log", key, row, "insert")

    def move(self, order: str, to: str, **changes: Any) -> Story:
        """A transition, logged."""
        before = self.orders[order]["status"]
        with self:
            self.order(order, status=to, **changes)
            self.log(order, before, to)
        return self

    def card(self, card: str, status: str, order: str = "", op: str = "update") -> Story:
        row = {
            "card_id": card,
            "sku": "card",
            "secret": f"secret-{card}",
            "status": status,
            "order_id": order,
        }
        return self.state("cards", card, row, op)

    def posting(self, order: str, posting: str, *lines: tuple[str, int]) -> Story:
        key = self.name("P")
        row = {"posting_id": key, "posting": posting, "order_id": order, "lines": lines}
        return self.state("postings", key, row, "insert")

    def wallet(self, user: str, balance_fen: int, provisional_fen: int = 0) -> Story:
        row = {"user": user, "balance_fen": balance_fen, "provisional_fen": provisional_fen}
        return self.state("wallets", user, row)

    def charge_row(self, charge_no: str, op: str = "update", **changes: Any) -> Story:
        old = self.charges.get(
            charge_no, {"charge_no": charge_no, "status": "open", "paid_fen": 0, "amount_fen": 0}
        )
        self.charges[charge_no] = row = {**old, **changes}
        return self.state("charges", charge_no, row, op)

    def attempt(self, attempt_no: str, status: str, op: str = "update") -> Story:
        row = {"attempt_no": attempt_no, "order_id": attempt_no.partition("/")[0], "status": status}
        return self.state("attempts", attempt_no, row, op)

    def refund_row(self, refund_no: str, charge_no: str, amount_fen: int, intent: str, status: str) -> Story:
        row = {
            "refund_no": refund_no, "order_id": refund_no.partition("/")[0], "charge_no": charge_no,
            "intent": intent, "amount_fen": amount_fen, "quantity": 1, "status": status,
        }  # fmt: skip
        return self.state("refunds", refund_no, row, "insert")

    def compensation(
        self, order: str, rule: str, amount_fen: int, incident: str = "", action: str = "credit"
    ) -> str:
        key = self.name("M")
        row = {
            "cmp_id": key, "rule": rule, "order_id": order, "incident": incident, "user": "u1",
            "action": action, "amount_fen": amount_fen, "status": "done",
        }  # fmt: skip
        self.state("compensations", key, row, "insert")
        return key

    def inbox(self, charge_no: str, notify_id: str = "n1", status: str = "processed") -> Story:
        key = f"wechat:{notify_id}"
        row = {"notice_key": key, "channel": "wechat", "charge_no": charge_no, "status": status}
        return self.state("inbox", key, row)

    # ------------------------------------------------------------ chapters

    def place(self, order: str = "O1", user: str = "u1", sku: str = "card", **changes: Any) -> Story:
        """An order is placed, its card reserved, its charge opened."""
        quantity = changes.get("quantity", 1)
        unit_fen = PRODUCTS[sku]["unit_fen"]
        self.orders[order] = {
            "order_id": order, "user": user, "client_key": f"key-{order}", "sku": sku, "kind": PRODUCTS[sku]["kind"],
            "quantity": quantity, "unit_fen": unit_fen, "payable_fen": unit_fen * quantity, "status": "created",
            "pay_with": "wechat", "delivered_qty": 0, "refunded_qty": 0, **changes,
        }  # fmt: skip
        args = {"client_key": self.orders[order]["client_key"], "sku": sku, "quantity": quantity}
        op = self.invoke(user, "place_order", **args)
        with self:
            self.order(order, "insert")
            self.log(order, "", "created")
            if sku == "card":
                for n in range(quantity):
                    self.card(f"{order}-card{n}", "reserved", order)
            self.charge_row(f"{order}/c1", "insert", amount_fen=self.orders[order]["payable_fen"])
        self.open_charge(f"{order}/c1")
        return self.answer(op, user, "place_order", order_id=order, status="created")

    def open_charge(self, charge_no: str, channel: str = "wechat") -> Story:
        payable_fen = self.orders[charge_no.partition("/")[0]]["payable_fen"]
        return self.book("CH", "charge_opened", charge_no, amount_fen=payable_fen, channel=channel)

    def capture(self, charge_no: str = "O1/c1", paid_fen: int | None = None, payer: str = "u1") -> Story:
        """The channel takes the money."""
        if paid_fen is None:
            paid_fen = self.orders[charge_no.partition("/")[0]]["payable_fen"]
        self.charges.setdefault(charge_no, {"charge_no": charge_no, "status": "open", "amount_fen": paid_fen})
        self.charges[charge_no]["truth_fen"] = paid_fen
        return self.book("CH", "captured", charge_no, paid_fen=paid_fen, payer=payer)

    def apply(self, charge_no: str = "O1/c1", to: str = "paid") -> Story:
        """The platform learns of the capture and books it."""
        order = charge_no.partition("/")[0]
        paid_fen = self.charges[charge_no]["truth_fen"]
        before = self.orders[order]["status"]
        with self:
            if before != to:
                self.order(order, status=to)
                self.log(order, before, to)
            self.charge_row(charge_no, status="paid", paid_fen=paid_fen)
            self.posting(order, "capture", ("channel:wechat", paid_fen), ("suspense", -paid_fen))
        return self

    def pay(self, charge_no: str = "O1/c1", to: str = "paid") -> Story:
        """Captured, called back, received, acknowledged, processed."""
        self.capture(charge_no)
        self.callback(charge_no, received=True)
        self.apply(charge_no, to)
        return self.inbox(charge_no, f"{charge_no}.1")

    def callback(
        self,
        charge_no: str = "O1/c1",
        n: int = 1,
        *,
        accepted: bool = True,
        status: int = 200,
        received: bool = False,
    ) -> Story:
        """The channel calls back; with `received` the platform keeps it before it answers."""
        notify_id = f"{charge_no}.1"
        self.book(
            "CH", "callback_sent", charge_no, notify_id=notify_id, attempt=n, event="SUCCESS", paid_fen=0
        )
        if received:
            self.inbox(charge_no, notify_id, "received")
        data = {"notify_id": notify_id, "attempt": n, "status": status, "accepted": accepted}
        return self.book("CH", "callback_acked", charge_no, **data)

    def sell(self, order: str = "O1", units: int | None = None, refunded: int = 0) -> Story:
        """Cards go to the buyer and the order completes."""
        row = self.orders[order]
        units = row["quantity"] if units is None else units
        price_fen = units * row["unit_fen"]
        before = row["status"]
        with self:
            for n in range(units):
                self.card(f"{order}-card{n}", "sold", order)
            self.order(order, status="completed", delivered_qty=units, refunded_qty=refunded)
            self.log(order, before, "completed")
            self.posting(order, "delivery", ("suspense", price_fen), ("revenue", -price_fen))
        return self

    def view(self, order: str = "O1", status: str = "completed", cards: tuple[str, ...] = ()) -> Story:
        user = self.orders[order]["user"]
        secrets = [f"secret-{card}" for card in cards]
        return self.op(user, "view_order", {"order_id": order}, order_id=order, status=status, cards=secrets)

    def refund(
        self,
        charge_no: str = "O1/c1",
        amount_fen: int = 1000,
        intent: str = "full",
        done: bool = True,
        n: int = 1,
    ) -> Story:
        """Asked for, accepted, done and booked."""
        order = charge_no.partition("/")[0]
        number = f"{order}/r{n}"
        self.refund_row(number, charge_no, amount_fen, intent, "requested")
        self.book("CH", "refund_accepted", charge_no, refund_no=number, amount_fen=amount_fen)
        if done:
            self.book("CH", "refund_done", charge_no, refund_no=number, amount_fen=amount_fen)
            self.posting(order, "refund", ("suspense", amount_fen), ("channel:wechat", -amount_fen))
        return self

    def credit(
        self, order: str = "O1", amount_fen: int = 1000, user: str = "u1", account: str = "wallet"
    ) -> Story:
        """A make-good (K-01): compensation row, posting and wallet in one transaction."""
        with self:
            self.compensation(order, "K-01", amount_fen)
            self.posting(
                order, "credit", ("compensation_cost", amount_fen), (f"{account}:{user}", -amount_fen)
            )
            self._add(user, account, amount_fen)
        return self

    def settle_credit(
        self, posting: str, order: str = "O1", amount_fen: int = 1000, user: str = "u1"
    ) -> Story:
        """credit_void takes it back, credit_loss books it, credit_final makes it the refund."""
        with self:
            if posting == "credit_void":
                self.posting(
                    order, posting, (f"wallet:{user}", amount_fen), ("compensation_cost", -amount_fen)
                )
                self._add(user, "wallet", -amount_fen)
            elif posting == "credit_loss":
                self.posting(
                    order, posting, ("platform_loss", amount_fen), ("compensation_cost", -amount_fen)
                )
            else:
                self.posting(order, posting, ("suspense", amount_fen), ("compensation_cost", -amount_fen))
        return self

    def _add(self, user: str, account: str, amount_fen: int) -> None:
        opening = self.header.facts["wallets"].get(user, 0)
        row = self.wallets.setdefault(user, {"balance_fen": opening, "provisional_fen": 0})
        row["balance_fen" if account == "wallet" else "provisional_fen"] += amount_fen
        self.wallet(user, row["balance_fen"], row["provisional_fen"])

    def plain(self, order: str = "O1", user: str = "u1") -> Story:
        """An order on a good day."""
        return self.place(order, user).pay(f"{order}/c1").sell(order)

    def end(self) -> Story:
        """Quiet, and the final reads of every order and of the shop window."""
        self.now_us = max(self.now_us, END_US)
        for order, row in self.orders.items():
            self.read("order", order, order_id=order, status=row["status"])
        return self.read("wallet", "u1", balance_fen=0, provisional_fen=0)

    # ------------------------------------------------------------ judging

    def history(self) -> History:
        told = History(self.header)
        told.events = self.events
        return told

    def verdicts(self) -> dict[str, Verdict]:
        """All verdicts; each witness must also read well in both languages."""
        verdicts = judge(self.history())
        for verdict in verdicts:
            for witness in verdict.witnesses:
                assert sentence(verdict.invariant, witness, "en") != sentence(
                    verdict.invariant, witness, "zh"
                )
        return {verdict.invariant: verdict for verdict in verdicts}

    def verdict(self, invariant: str) -> Verdict:
        return self.verdicts()[invariant]
