"""Situations in which a payment callback came at a bad time, or not at all."""

from __future__ import annotations

from chaos.history import Book, Fault, State
from chaos.situations.seen import Handler, Seen

ACK_WAIT_US = 5_000_000
"""A channel waits this long for the answer to a callback; so long it is under way."""

REFUND_EVENT = "REFUND"


class Callbacks:
    """Follows each callback from its sending to the platform's answer."""

    names = (
        "callback_after_close",
        "callback_before_order",
        "callback_duplicate_processed",
        "out_of_order_callbacks",
        "crash_between_callback_and_commit",
        "forged_callback_refused",
        "query_found_capture",
    )

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._sent: dict[str, int] = {}
        self._turn: dict[tuple[str, int], int] = {}
        self._latest: dict[str, int] = {}
        self._under_way: dict[str, int] = {}
        self._of_refund: dict[str, bool] = {}
        self._accepted: dict[str, bool] = {}
        self._received: dict[str, bool] = {}
        self._asked: dict[str, str] = {}
        self._forged: dict[str, bool] = {}

    def hears(self) -> dict[str, Handler]:
        """Event key → method."""
        return {
            "CH.callback_sent": self.sent,
            "CH.callback_acked": self.answered,
            "CH.answered": self.asked,
            "state.orders": self.order,
            "state.inbox": self.inbox,
            "fault.node.crash": self.crash,
            "fault.channel.callback_forged": self.forged,
        }

    def sent(self, event: Book) -> None:
        """A callback left the channel."""
        data = event.data
        turn = self._sent[event.ref] = self._sent.get(event.ref, 0) + 1
        self._turn.setdefault((data["notify_id"], data["attempt"]), turn)
        if data["event"] == REFUND_EVENT:
            self._of_refund[data["notify_id"]] = True
        else:
            self._under_way[event.ref] = event.t_us

    def answered(self, event: Book) -> None:
        """The platform answered a callback, so it had arrived."""
        data = event.data
        notify_id = data["notify_id"]
        order_id = event.ref.partition("/")[0]
        payment = notify_id not in self._of_refund
        if payment:
            if order_id in self._seen.closed:
                self._seen.meet("callback_after_close", event.t_us)
            if order_id not in self._seen.status and not order_id.startswith("Q"):
                self._seen.meet("callback_before_order", event.t_us)
            self._under_way.pop(event.ref, None)
        turn = self._turn.get((notify_id, data["attempt"]), 0)
        latest = self._latest.get(event.ref, 0)
        if turn < latest:
            self._seen.meet("out_of_order_callbacks", event.t_us)
        else:
            self._latest[event.ref] = turn
        if data["accepted"]:
            if notify_id in self._accepted:
                self._seen.meet("callback_duplicate_processed", event.t_us)
            self._accepted[notify_id] = True

    def asked(self, event: Book) -> None:
        """The platform asked about a charge and was told that it is paid, before any callback told it.

        A platform may also ask in order to confirm a callback, so one that is just under way rules it out.
        """
        if event.data["result"] in ("SUCCESS", "ORDERPAID") and event.ref not in self._latest:
            order_id = event.ref.partition("/")[0]
            sent_us = self._under_way.get(event.ref, -ACK_WAIT_US - 1)
            if event.t_us - sent_us > ACK_WAIT_US and not self._seen.taken_as_paid(order_id):
                self._asked[order_id] = event.ref

    def order(self, event: State) -> None:
        """The platform took an order as paid: what told it so?"""
        if not self._seen.taken_as_paid(event.key):
            return
        charge = self._asked.pop(event.key, None)
        if charge is not None and charge not in self._latest:
            self._seen.meet("query_found_capture", event.t_us)
        if event.key not in self._seen.captures:
            self._forged.pop(event.key, None)

    def inbox(self, event: State) -> None:
        """A callback is kept but not yet acted on."""
        if event.row is not None and event.row["status"] == "received":
            self._received[event.key] = True
        else:
            self._received.pop(event.key, None)

    def crash(self, event: Fault) -> None:
        """A node died while a callback was under way, or kept and not yet acted on."""
        if event.phase == "end":
            return
        under_way = any(
            event.t_us - t_us <= ACK_WAIT_US and not self._seen.taken_as_paid(charge.partition("/")[0])
            for charge, t_us in self._under_way.items()
        )
        if under_way or self._received:
            self._seen.meet("crash_between_callback_and_commit", event.t_us)

    def forged(self, event: Fault) -> None:
        """Somebody forged a callback for an order (`rule/fault/where/charge/…`) that nobody had paid."""
        if event.phase == "touch":
            order_id = event.site.split("/")[3]
            if order_id not in self._seen.captures:
                self._forged[order_id] = True

    def at_end(self) -> tuple[str, ...]:
        """A forged callback was refused when its order was never taken as paid without money."""
        return ("forged_callback_refused",) if self._forged else ()
