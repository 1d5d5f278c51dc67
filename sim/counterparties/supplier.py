"""A top-up supplier: attempts by number, on a contract full of traps, with books of its own.

What the supplier says and what it did are two things, so `delivered` and `failed` in the book SUP
are written apart from `answered`. The traps are documented ones: a repeated number is refused for
60 seconds but opens a *new* order after a failure, queries are answered only after 3 minutes and 30
times a second, "not found" may mean "not yet", and "success" may turn out to be nothing.

Sites where the storm is asked, all with the supplier's name: calls `(attempt_no, call, n)` · the
fate of an order `(attempt_no, n)`, n counting the orders opened under that number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from reference_platform.ports import EMPTY, HOUR, MINUTE, SECOND, Request, Response
from sim.counterparties.callbacks import Callback, Callbacks
from sim.counterparties.fate import FAULTS, Fate, Order, Terms, draw
from sim.counterparties.host import Host, Post, Timers
from sim.counterparties.signatures import Message, Seal
from sim.randomness import Streams
from sim.recorder import Recorder
from sim.storm import CALM, Storm

Answer = Callable[[Response], object]

RETRY_US: Final = (
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    6 * HOUR,
)


class Supplier:
    """One supplier. `costs` is the price per piece by sku, in fen."""

    def __init__(
        self,
        name: str,
        *,
        timers: Timers,
        post: Post,
        seal: Seal,
        recorder: Recorder,
        streams: Streams,
        epoch_us: int,
        storm: Storm = CALM,
        costs: Mapping[str, int] = EMPTY,
        terms: Terms | None = None,
    ) -> None:
        self.name = name
        self._host = host = Host(name, timers, post, seal, recorder, streams, epoch_us, storm)
        self._costs = costs
        self._book = recorder.book
        self._storm = storm
        self._terms = terms if terms is not None else Terms()
        self._orders: dict[str, Order] = {}
        self._asked: dict[tuple[str, str], int] = {}
        self._second, self._queries = -1, 0
        self._stormy_calls = any(
            storm.has(f"supplier.{fault}") for fault in ("down", "result_unknown", "exhausted")
        )
        self._stormy_fates = any(map(storm.has, FAULTS))
        self._hides = storm.has("supplier.not_found_lag")
        self._callbacks = Callbacks(
            host,
            self,
            "supplier",
            action=f"callback.supplier.{name}",
            retry_us=RETRY_US,
            ack_timeout_us=5 * SECOND,
            accepts=_accepts,
        )

    # ------------------------------------------------------------ the platform asks

    def handle(self, request: Request, answer: Answer) -> None:
        """Serve a submit or query. `answer` is called later, once, or never."""
        body, call = request.body, request.action
        told: Answer | None = answer
        if self._stormy_calls:
            site = self._site(call, body["attempt_no"])
            if self._storm.at("supplier.down", self.name, site) is not None:
                answer(Response(503, {"code": "DOWN"}))
                return
            unknown = self._storm.at("supplier.result_unknown", self.name, site)
            if unknown is not None:
                if not unknown["effect"]:
                    return
                told = None
            if call == "submit" and self._storm.at("supplier.exhausted", self.name, site) is not None:
                _refuse(told, "BALANCE")
                return
        if call == "submit":
            self._submit(body, told)
        else:
            self._query(body["attempt_no"], told)

    def _site(self, call: str, attempt_no: str) -> tuple[str, str, str]:
        self._asked[call, attempt_no] = n = self._asked.get((call, attempt_no), 0) + 1
        return attempt_no, call, str(n)

    def _submit(self, body: Mapping[str, Any], told: Answer | None) -> None:
        attempt_no, now = body["attempt_no"], self._host.timers.now
        known = self._orders.get(attempt_no)
        if known is not None and (
            known.status != "fail" or now < known.received_us + self._terms.duplicate_us
        ):
            self._tell(attempt_no, "submit", {"status": "duplicate", "delivered": 0, "cost_fen": 0}, told)
            return
        # After a failure the number is free again: this is a new order, and a second delivery if the
        # platform did not mean one.
        order = Order(attempt_no, 1 if known is None else known.n + 1, body["account"], body["quantity"], now)
        self._orders[attempt_no] = order
        self._book(
            "SUP",
            "attempt_received",
            attempt_no,
            {"supplier": self.name, "sku": body["sku"], "account": order.account, "quantity": order.quantity},
        )
        unit_cost_fen = self._costs.get(body["sku"], self._terms.unit_cost_fen)
        fate = draw(self._host, self._terms, order, self._stormy_fates)
        if fate.direct:
            self._host.after(fate.takes_us, self._finish, order, fate, unit_cost_fen, told)
            return
        told_us = finished_us = self._terms.accept_us + fate.takes_us
        if fate.callback_first:
            finished_us = fate.takes_us
        else:
            told_us = self._terms.accept_us
        self._host.after(told_us, self._accepted, order, told)
        self._host.after(finished_us, self._finish, order, fate, unit_cost_fen, None)

    def _accepted(self, order: Order, told: Answer | None) -> None:
        """The answer to a submit whose result comes by callback; it says processing even when outrun."""
        self._tell(order.attempt_no, "submit", {"status": "processing", "delivered": 0, "cost_fen": 0}, told)

    def _query(self, attempt_no: str, told: Answer | None) -> None:
        now, terms = self._host.timers.now, self._terms
        second = now // SECOND
        if second != self._second:
            self._second, self._queries = second, 0
        self._queries += 1
        order = self._orders.get(attempt_no)
        if self._queries > terms.queries_per_s:
            _refuse(told, "RATE_LIMITED")
        elif order is None:
            self._tell(attempt_no, "query", {"status": "not_found", "delivered": 0, "cost_fen": 0}, told)
        elif now < order.received_us + terms.query_not_before_us:
            _refuse(told, "TOO_EARLY")
        elif self._hides and self._hidden(order):
            self._tell(attempt_no, "query", {"status": "not_found", "delivered": 0, "cost_fen": 0}, told)
        else:
            self._tell(attempt_no, "query", order.reply(), told)

    def _hidden(self, order: Order) -> bool:
        if order.hidden_us is None:
            lag = self._storm.at("supplier.not_found_lag", self.name, (order.attempt_no, str(order.n)))
            order.hidden_us = 0 if lag is None else lag["lag_us"]
        return self._host.timers.now < order.received_us + order.hidden_us

    def _tell(self, attempt_no: str, call: str, reply: dict[str, Any], told: Answer | None) -> None:
        if told is None:
            return  # the answer is lost, and with it what it said
        self._book(
            "SUP",
            "answered",
            attempt_no,
            {"supplier": self.name, "call": call, "status": reply["status"], "delivered": reply["delivered"]},
        )
        told(Response(200, reply))

    # ------------------------------------------------------------ what becomes of an order

    def _finish(self, order: Order, fate: Fate, unit_cost_fen: int, told: Answer | None) -> None:
        if fate.outcome == "fail":
            self._fail(order)
        else:
            order.status = "success"
            order.delivered = fate.quantity
            order.cost_fen = fate.quantity * unit_cost_fen
            if fate.outcome == "false":  # it says so, and nothing of it is true
                self._host.after(fate.reveal_us, self._fail, order)
            else:
                self._book(
                    "SUP",
                    "delivered",
                    order.attempt_no,
                    {
                        "supplier": self.name,
                        "account": order.account,
                        "quantity": order.delivered,
                        "cost_fen": order.cost_fen,
                    },
                )
        if fate.direct:
            self._tell(order.attempt_no, "submit", order.reply(), told)
        else:
            site = f"n{order.n}"
            resource = {"attempt_no": order.attempt_no, **order.reply()}
            message = Message(f"{order.attempt_no}.{site}", order.status, resource)
            self._callbacks.start(Callback(order.attempt_no, site, message), 0)

    def _fail(self, order: Order) -> None:
        order.status = "fail"
        order.delivered = order.cost_fen = 0
        self._book("SUP", "failed", order.attempt_no, {"supplier": self.name})

    def callback_sent(self, callback: Callback) -> None:
        """Book an attempt. Called by the sender, as is `callback_answered`."""
        data = {"supplier": self.name, "status": callback.message.event, "attempt": callback.attempt}
        self._book("SUP", "callback_sent", callback.ref, data)

    def callback_answered(self, callback: Callback, attempt: int, response: Response, accepted: bool) -> None:  # noqa: ARG002
        self._book("SUP", "callback_acked", callback.ref, {"supplier": self.name, "accepted": accepted})


def _accepts(response: Response) -> bool:
    return response.status == 200 and response.raw == b"SUCCESS"


def _refuse(told: Answer | None, code: str) -> None:
    """An error code: certainly no effect, and nothing to book."""
    if told is not None:
        told(Response(400, {"code": code}))
