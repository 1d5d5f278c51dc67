"""Situations in which something went wrong and was put right."""

from __future__ import annotations

from typing import Any

from chaos.history import Book, Fault, Invoke, State
from chaos.situations.seen import Handler, Seen

RACE_US = 30_000_000
"""A refund request and a delivery this close to each other are a race."""

_QUIET = frozenset(("capture", "delivery", "refund", "supplier_cost", "revoke_delivery", "wallet_refund"))


class Repairs:
    """Follows what happens to money and goods after something went wrong."""

    names = (
        "make_good_fired",
        "make_good_voided",
        "credit_spent_before_void",
        "late_capture_fulfilled",
        "late_capture_refunded",
        "double_capture_refunded",
        "orphan_capture_refunded",
        "short_delivery_refunded",
        "false_success_repaired",
        "supplier_unknown_then_success",
        "refund_races_delivery",
    )

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._late: dict[str, bool] = {}
        self._lies: dict[str, bool] = {}
        self._supplied: dict[str, bool] = {}
        self._unknown: dict[str, bool] = {}
        self._unanswered: dict[str, bool] = {}
        self._credited: dict[str, str] = {}
        self._spenders: dict[str, bool] = {}
        self._refund_asked: dict[str, int] = {}
        self._delivered: dict[str, int] = {}

    def hears(self) -> dict[str, Handler]:
        """Event key → method."""
        return {
            "CH.captured": self.captured,
            "CH.refund_accepted": self.refunded,
            "SUP.delivered": self.supplied,
            "SUP.answered": self.said,
            "SUP.callback_sent": self.said,
            "state.orders": self.order,
            "state.cards": self.card,
            "state.grants": self.grant,
            "state.postings": self.posting,
            "state.attempts": self.attempt,
            "invoke.request_refund": self.refund_asked,
            "fault.supplier.result_unknown": self.unanswered,
        }

    def order(self, event: State) -> None:
        """An order that was paid after its close."""
        if event.row is not None and event.row["status"] == "paid_late":
            self._late[event.key] = True

    def captured(self, event: Book) -> None:
        """Money for an order that is closed."""
        order_id = event.ref.partition("/")[0]
        if self._seen.status.get(order_id) == "closed":
            self._late[order_id] = True

    def refunded(self, event: Book) -> None:
        """Money went back: what for?"""
        order_id = event.ref.partition("/")[0]
        seen, t_us = self._seen, event.t_us
        if order_id in self._late:
            seen.meet("late_capture_refunded", t_us)
        if seen.captures.get(order_id, 0) > 1:
            seen.meet("double_capture_refunded", t_us)
        if not seen.exists(order_id):
            seen.meet("orphan_capture_refunded", t_us)
        if order_id in seen.short:
            seen.meet("short_delivery_refunded", t_us)
        if order_id in self._lies:
            seen.meet("false_success_repaired", t_us)

    # ------------------------------------------------------------ goods

    def card(self, event: State) -> None:
        """A card was sold."""
        row = event.row
        if row is not None and row["status"] == "sold":
            self._deliver(row["order_id"], event.t_us)

    def grant(self, event: State) -> None:
        """Membership time was granted."""
        if event.row is not None:
            self._deliver(event.row["order_id"], event.t_us)

    def supplied(self, event: Book) -> None:
        """A supplier delivered."""
        order_id = event.ref.partition("/")[0]
        self._supplied[event.ref] = True
        if event.ref in self._unanswered:
            self._seen.meet("supplier_unknown_then_success", event.t_us)
        if order_id in self._lies:
            self._seen.meet("false_success_repaired", event.t_us)
        self._deliver(order_id, event.t_us)

    def _deliver(self, order_id: str, t_us: int) -> None:
        self._delivered[order_id] = t_us
        if order_id in self._late:
            self._seen.meet("late_capture_fulfilled", t_us)
        if t_us - self._refund_asked.get(order_id, -RACE_US - 1) <= RACE_US:
            self._seen.meet("refund_races_delivery", t_us)

    def refund_asked(self, event: Invoke) -> None:
        """A user asks for the money back while the goods are on their way, or just arrived."""
        order_id = event.args["order_id"]
        self._refund_asked[order_id] = event.t_us
        if order_id in self._delivered and event.t_us - self._delivered[order_id] <= RACE_US:
            self._seen.meet("refund_races_delivery", event.t_us)

    # ------------------------------------------------------------ suppliers' words

    def said(self, event: Book) -> None:
        """Success without a delivery in the supplier's own book."""
        if event.data["status"] == "success" and event.ref not in self._supplied:
            self._lies[event.ref.partition("/")[0]] = True

    def attempt(self, event: State) -> None:
        """An attempt that was unknown turns out to have succeeded."""
        status = "" if event.row is None else event.row["status"]
        if status == "unknown":
            self._unknown[event.key] = True
        elif status == "success" and event.key in self._unknown:
            self._seen.meet("supplier_unknown_then_success", event.t_us)

    def unanswered(self, event: Fault) -> None:
        """The answer to an attempt (`rule/fault/where/order/attempt/call/…`) was lost."""
        parts = event.site.split("/")
        if "submit" in parts:
            self._unanswered[f"{parts[3]}/{parts[4]}"] = True

    # ------------------------------------------------------------ the make-good

    def posting(self, event: State) -> None:
        """Credits, their voids, and what was bought between the two."""
        row = event.row
        if row is None or row["posting"] in _QUIET:
            return
        name, order_id, t_us = row["posting"], row["order_id"], event.t_us
        if name == "credit":
            self._seen.meet("make_good_fired", t_us)
            self._credited[order_id] = _holder(row)
        elif name == "wallet_payment":
            user = _holder(row)
            if user in self._credited.values():
                self._spenders[user] = True
        elif name in ("credit_void", "credit_loss"):
            if name == "credit_void":
                self._seen.meet("make_good_voided", t_us)
            if self._credited.get(order_id) in self._spenders:
                self._seen.meet("credit_spent_before_void", t_us)


def _holder(row: Any) -> str:
    """Whose wallet a posting touches."""
    for account, _ in row["lines"]:
        kind, _, user = account.partition(":")
        if kind in ("wallet", "provisional"):
            return str(user)
    return ""
