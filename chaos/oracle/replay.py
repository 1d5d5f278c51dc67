"""Reads a history once, in order, and writes one timeline for each order.

Truth about money is the channel's book and the ledger, truth about goods is the card stock, the
suppliers' book and the entitlements. The platform's own tables are read only for what it had
decided or could know by then, and the users' book for what they asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from chaos.history import Book, Event, Fault, Header, Ok, State
from chaos.oracle.blocked import Blocked
from chaos.oracle.timeline import WALLET, Change, Promise, Timeline

_OPEN_ATTEMPT: Final = frozenset(("sending", "unknown", "processing"))
_NOT_THE_ORDER: Final = ("extra", "orphan")


class Replay:
    """The reducer. `routes` names, by the judge's event keys, what to call; `feed` does it for a single event."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.timelines: dict[str, Timeline] = {}
        products = header.facts.get("products", {})
        self.blocked = Blocked(
            {supplier for product in products.values() for supplier in product.get("suppliers", ())}
        )
        self.touches: list[tuple[str, str]] = []
        self.windows: list[tuple[int, str, str, str]] = []
        self._waits = {sku: int(product.get("disclosed_wait_us", 0)) for sku, product in products.items()}
        self._sold: dict[str, Timeline] = {}
        self._granted: dict[str, tuple[Timeline, int]] = {}
        self._posted: dict[str, tuple[Timeline, Change]] = {}
        self._promised: dict[str, Timeline] = {}
        self._delivering: dict[str, int] = {}
        self.routes: dict[str, Callable[[Any], None]] = {
            "state.orders": self.order,
            "state.cards": self.card,
            "state.grants": self.grant,
            "state.postings": self.posting,
            "state.attempts": self.attempt,
            "state.refunds": self.refund_wish,
            "state.compensations": self.compensation,
            "state.tickets": self.ticket,
            "CH.captured": self.captured,
            "CH.refund_accepted": self.refund_accepted,
            "CH.refund_failed": self.refund_failed,
            "SUP.delivered": self.delivered,
            "SUP.answered": self.claimed,
            "SUP.callback_sent": self.claimed,
            "ok.request_refund": self.asked,
            "fault.*": self.fault,
        }

    def feed(self, event: Event) -> None:
        """Take one event; those that tell the oracle nothing cost a look-up."""
        handler = self.routes.get(key_of(event))
        if handler is not None:
            handler(event)

    def timeline(self, order_id: str) -> Timeline:
        """The order's timeline, begun at the first that is heard of it."""
        found = self.timelines.get(order_id)
        if found is None:
            found = self.timelines[order_id] = Timeline(order_id)
        return found

    # ------------------------------------------------------------ the platform's orders

    def order(self, event: State) -> None:
        """A committed change of an order row, or its disappearance."""
        timeline = self.timelines.get(event.key)
        if timeline is None:
            timeline = self.timelines[event.key] = Timeline(event.key)
        row = event.row
        if event.op == "revert" or row is None:
            timeline.odd = True
        if row is None:
            status, qty = "", 0
        else:
            status, qty = row["status"], row["delivered_qty"]
            if not timeline.sku:
                self._introduce(timeline, row)
        if status == timeline.status and qty == timeline.claimed_qty:
            return
        timeline.status = status
        timeline.claimed_qty = qty
        if status == "completed":
            if timeline.completed_us < 0:
                timeline.completed_us = event.t_us
        elif status in ("held", "paid_late", "refunding", "refunded") or (
            status == "closed" and timeline.captured_us >= 0
        ):
            timeline.odd = True
        timeline.changes.append((event.t_us, "status", status, qty))

    def _introduce(self, timeline: Timeline, row: Any) -> None:
        timeline.user = row["user"]
        timeline.client_key = row["client_key"]
        timeline.sku = row["sku"]
        timeline.kind = row["kind"]
        timeline.account = row["account"]
        timeline.quantity = row["quantity"]
        timeline.unit_fen = row["unit_fen"]
        timeline.payable_fen = row["payable_fen"]
        timeline.wait_us = self._waits.get(timeline.sku, 0)

    def attempt(self, event: State) -> None:
        """The platform's view of a supplier attempt: is it still open?"""
        status = "" if event.row is None else event.row["status"]
        timeline = self.timeline(event.key.partition("/")[0])
        timeline.changes.append((event.t_us, "attempt", event.key, int(status in _OPEN_ATTEMPT)))

    def refund_wish(self, event: State) -> None:
        """A refund of the order itself was decided; nothing is owed for waiting from then on."""
        row = event.row
        if event.op == "insert" and row is not None and not row["intent"].startswith(_NOT_THE_ORDER):
            timeline = self.timeline(row["order_id"])
            timeline.odd = True
            timeline.changes.append((event.t_us, "asked", row["refund_no"], 0))

    def asked(self, event: Ok) -> None:
        """The user asked for a refund and was told that it comes."""
        order_id = event.result.get("order_id", "")
        if order_id in self.timelines and event.result.get("status") in ("refunding", "refunded"):
            timeline = self.timelines[order_id]
            timeline.odd = True
            timeline.changes.append((event.t_us, "asked", "user", 0))

    def compensation(self, event: State) -> None:
        """A compensation row: what the platform says it does, and since when."""
        row = event.row
        known = self._promised.get(event.key)
        if row is None:
            if known is not None:
                known.promises = [promise for promise in known.promises if promise.cmp_id != event.key]
                del self._promised[event.key]
            return
        if known is None:
            known = self._promised[event.key] = self.timeline(row["order_id"])
            known.odd = True
            made = Promise(event.t_us, event.key, row["rule"], row["refund_no"])
            known.promises = (*known.promises, made)
            return
        for promise in known.promises:
            if promise.cmp_id == event.key:
                promise.refund_no = row["refund_no"] or promise.refund_no

    def ticket(self, event: State) -> None:
        """People were told of an order."""
        row = event.row
        if event.op == "insert" and row is not None:
            timeline = self.timeline(row["order_id"] or row["ref"].partition("/")[0])
            timeline.odd = True
            timeline.changes.append((event.t_us, "ticket", row["team"], 0))

    # ------------------------------------------------------------ money

    def captured(self, event: Book) -> None:
        """The channel took a member's money."""
        timeline = self.timeline(event.ref.partition("/")[0])
        if not timeline.user:
            timeline.user = event.data["payer"]
        self._capture(timeline, event.t_us, event.ref, event.data["paid_fen"])

    def _capture(self, timeline: Timeline, t_us: int, charge: str, fen: int) -> None:
        if timeline.captured_us >= 0 or timeline.status in ("", "closed") or fen != timeline.payable_fen:
            timeline.odd = True
        if timeline.captured_us < 0:
            timeline.captured_us = t_us
            timeline.captured_fen = fen
        timeline.changes.append((t_us, "captured", charge, fen))

    def refund_accepted(self, event: Book) -> None:
        """The channel took on a refund; for the member's claim that counts as given back."""
        fen = event.data["amount_fen"]
        timeline = self.timeline(event.ref.partition("/")[0])
        timeline.odd = True
        timeline.refunds = (*timeline.refunds, (event.t_us, event.data["refund_no"], event.ref, fen))
        timeline.changes.append((event.t_us, "returned", event.ref, fen))

    def refund_failed(self, event: Book) -> None:
        """An accepted refund did not reach the member."""
        timeline = self.timeline(event.ref.partition("/")[0])
        timeline.odd = True
        timeline.changes.append((event.t_us, "bounced", event.ref, event.data["amount_fen"]))

    def posting(self, event: State) -> None:
        """A ledger entry that moved a member's wallet on behalf of an order."""
        row = event.row
        if row is None:
            lost = self._posted.pop(event.key, None)
            if lost is not None:
                lost[0].odd = True
                lost[0].changes.remove(lost[1])
            return
        name = row["posting"]
        if name in _PLAIN_POSTINGS or event.key in self._posted:
            return
        timeline = self.timeline(row["order_id"])
        fen = max(amount for _, amount in row["lines"])
        if name == "wallet_payment":
            self._capture(timeline, event.t_us, WALLET, fen)
        else:
            timeline.odd = True
            if name == "wallet_refund":
                timeline.refunds = (*timeline.refunds, (event.t_us, "", WALLET, fen))
                timeline.changes.append((event.t_us, "returned", WALLET, fen))
            elif name == "credit":
                spendable = any(account.startswith("wallet:") for account, _ in row["lines"])
                timeline.changes.append(
                    (event.t_us, "credit" if spendable else "provisional", event.key, fen)
                )
            elif name in ("credit_void", "credit_loss", "credit_final"):
                timeline.changes.append((event.t_us, name.removeprefix("credit_"), event.key, fen))
            else:
                return
        self._posted[event.key] = (timeline, timeline.changes[-1])

    # ------------------------------------------------------------ goods

    def card(self, event: State) -> None:
        """A card left the stock for good, or a lost commit brought it back."""
        row = event.row
        holder = self._sold.get(event.key)
        sold_to = row["order_id"] if row is not None and row["status"] == "sold" else ""
        if holder is None:
            if not sold_to:
                return
        elif holder.order_id == sold_to:
            return
        else:
            holder.odd = True
            self._deliver(holder, event.t_us, -1)
            del self._sold[event.key]
        if sold_to:
            timeline = self._sold[event.key] = self.timeline(sold_to)
            self._deliver(timeline, event.t_us, 1)

    def grant(self, event: State) -> None:
        """Membership time for an order is its delivery; time granted as a compensation is not."""
        row = event.row
        given = self._granted.pop(event.key, None)
        if given is not None:
            self._deliver(given[0], event.t_us, -given[1])
        if row is not None and row["source"] == row["order_id"]:
            timeline = self.timeline(row["order_id"])
            self._granted[event.key] = (timeline, timeline.quantity)
            self._deliver(timeline, event.t_us, timeline.quantity)

    def delivered(self, event: Book) -> None:
        """A supplier delivered; to another account than ordered is not delivered to the member."""
        timeline = self.timeline(event.ref.partition("/")[0])
        self._delivering[event.ref] = self._delivering.get(event.ref, 0) + event.data["quantity"]
        if event.data["account"] == timeline.account or not timeline.account:
            self._deliver(timeline, event.t_us, event.data["quantity"])

    def _deliver(self, timeline: Timeline, t_us: int, units: int) -> None:
        timeline.units += units
        timeline.delivered_us = t_us
        timeline.changes.append((t_us, "units", "", timeline.units))

    def claimed(self, event: Book) -> None:
        """A supplier said how an attempt went. Success without a delivery in its book is a lie."""
        if event.data["status"] == "success" and not self._delivering.get(event.ref):
            timeline = self.timeline(event.ref.partition("/")[0])
            timeline.odd = True
            timeline.changes.append((event.t_us, "lied", event.ref, 0))

    # ------------------------------------------------------------ faults

    def fault(self, event: Fault) -> None:
        """Which faults were about, which orders they touched, and whether the platform could act."""
        self.blocked.feed(event)
        if event.phase == "touch":
            self.touches.append((event.fault, event.site))
        else:
            self.windows.append((event.t_us, event.fault, event.site, event.phase))


_PLAIN_POSTINGS: Final = frozenset(("capture", "delivery", "refund", "supplier_cost", "revoke_delivery"))


def key_of(event: Event) -> str:
    """The event's key in `routes`, the same as the judge's; "" when nobody here could want it."""
    if isinstance(event, State):
        return f"state.{event.table}"
    if isinstance(event, Book):
        return f"{event.party}.{event.entry}"
    if isinstance(event, Ok):
        return f"ok.{event.action}"
    return "fault.*" if isinstance(event, Fault) else ""
