"""A payment channel as the world meets it: an honest till, and the ways it misbehaves.

The platform asks by `handle`, users pay by `pay` and `pay_static`, callbacks leave by `post`. The
class knows neither kernel nor network, so an HTTP server can host it as it is.

Sites where the storm is asked, all with the channel's name: calls `(number, call, n)` · payments,
query lag and forgery `(charge_no,)` · failed refunds `(charge_no, refund_no)` · notices
`(charge_no, notice)` and their attempts `(charge_no, notice, attempt)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from reference_platform.ports import EMPTY, SECOND, Rejected, Request, Response, Unreachable
from sim.counterparties.charge import Charge
from sim.counterparties.contracts import Contract
from sim.counterparties.forger import Forger
from sim.counterparties.host import Host, Post, Timers
from sim.counterparties.signatures import Seal
from sim.counterparties.till import Till
from sim.randomness import Streams
from sim.recorder import Recorder
from sim.storm import CALM, Storm

LINGER_GRACE_US: Final = 30 * SECOND


class Channel:
    """One channel with one merchant account, `app_id`."""

    def __init__(
        self,
        name: str,
        contract: Contract,
        *,
        app_id: str,
        timers: Timers,
        post: Post,
        seal: Seal,
        recorder: Recorder,
        streams: Streams,
        epoch_us: int,
        storm: Storm = CALM,
    ) -> None:
        self.name = name
        self._host = host = Host(name, timers, post, seal, recorder, streams, epoch_us, storm)
        self._book = recorder.book
        self._storm = storm
        self._asked: dict[tuple[str, str], int] = {}  # how often, by (call, number)
        self._stormy = storm.has("channel.down") or storm.has("channel.result_unknown")
        self._amounts = storm.has("channel.callback_amount")
        self._lagging = storm.has("channel.query_lag")
        self.till = till = Till(host, contract, app_id, self._refund_fails)
        self._forger = Forger(host, till) if storm.has("channel.callback_forged") else None
        self._calls: dict[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
            "create": self._create,
            "query": self._query,
            "close": lambda body: till.close(body["charge_no"]),
            "refund": self._refund,
            "query_refund": lambda body: {"status": till.refunds.status(body["refund_no"])},
            "bill": lambda body: {"lines": till.bill(body["since_us"], body["until_us"])},
        }

    # ------------------------------------------------------------ the platform asks

    def handle(self, request: Request) -> Response | None:
        """Serve one request of the platform. None: it never gets an answer.

        400 carries an error code and certainly had no effect; 503 refuses the request unseen.
        """
        silent = False
        if self._stormy:
            site = self._site(request.action, _number(request.body))
            if self._storm.at("channel.down", self.name, site) is not None:
                return Response(503, {"code": "DOWN"})
            unknown = self._storm.at("channel.result_unknown", self.name, site)
            if unknown is not None:
                if not unknown["effect"]:
                    return None
                silent = True
        try:
            answer = Response(200, self._calls[request.action](request.body))
        except Rejected as error:
            answer = Response(400, {"code": error.code})
        if silent:
            return None  # it happened, and nobody was told
        if request.action in ("query", "close"):
            result = answer.body["status"] if answer.status == 200 else answer.body["code"]
            told = {"channel": self.name, "call": request.action, "result": result}
            self._book("CH", "answered", request.body["charge_no"], told)
        return answer

    def _site(self, call: str, number: str) -> tuple[str, str, str]:
        self._asked[call, number] = n = self._asked.get((call, number), 0) + 1
        return number, call, str(n)

    def _create(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        charge_no = body["charge_no"]
        known = charge_no in self.till.charges
        answer = self.till.create(charge_no, body["amount_fen"], body["expires_us"])
        if self._forger is not None and not known:
            self._forger.opened(self.till.charges[charge_no])
        return answer

    def _query(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = self.till.query(body["charge_no"])
        if self._lagging and "paid_us" in answer and self._lags(self.till.charges[body["charge_no"]]):
            return {"status": "NOTPAY"}
        return answer

    def _refund(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.till.refund(body["refund_no"], body["charge_no"], body["amount_fen"])
        return EMPTY

    def _lags(self, charge: Charge) -> bool:
        """The replica that serves queries has not heard of this capture yet."""
        if charge.lag_us is None:
            lag = self._storm.at("channel.query_lag", self.name, (charge.charge_no,))
            charge.lag_us = 0 if lag is None else lag["lag_us"]
        return self._host.now_us < charge.paid_us + charge.lag_us

    def _refund_fails(self, charge_no: str, refund_no: str) -> str | None:
        failed = self._storm.at("channel.refund_failed", self.name, (charge_no, refund_no))
        return None if failed is None else str(failed["code"])

    # ------------------------------------------------------------ users pay

    def pay(self, charge_no: str, payer: str) -> int:
        """A user scans the code and pays what it asks; returns the fen captured.

        Rejected: NOT_FOUND, ORDERPAID, ORDER_CLOSED. Unreachable: the channel is down.
        """
        if self._stormy:
            self._refuse_when_down(charge_no)
        charge = self.till.payable(charge_no)
        paid_fen = charge.amount_fen
        if self._amounts:
            skewed = self._storm.at("channel.callback_amount", self.name, (charge_no,))
            if skewed is not None:
                paid_fen = max(1, paid_fen + skewed["delta_fen"])
        self.till.capture(charge, payer, paid_fen)
        return paid_fen

    def pay_static(self, charge_no: str, payer: str, amount_fen: int) -> int:
        """A user pays the shop's printed code: money arrives that no order ever asked for."""
        if self._stormy:
            self._refuse_when_down(charge_no)
        charge = self.till.open(charge_no, amount_fen, self._host.now_us)
        self.till.capture(charge, payer, amount_fen)
        return amount_fen

    def _refuse_when_down(self, charge_no: str) -> None:
        if self._storm.at("channel.down", self.name, self._site("pay", charge_no)) is not None:
            raise Unreachable(self.name)

    def linger(self, charge_no: str, on_close: Callable[[], None]) -> None:
        """Fault `pay_after_close`: nobody scans this code for now, and neither close nor expiry kills it.

        `on_close` is called once: when the platform tries to close it, or a little after its expiry.
        """
        charge = self.till.charges.get(charge_no)
        if charge is None or charge.status != "NOTPAY":
            on_close()
            return
        charge.on_close = _Once(on_close)
        self._host.after(charge.expires_us - self._host.now_us + LINGER_GRACE_US, charge.on_close)


class _Once:
    """A call that is made the first time only."""

    __slots__ = ("_fn",)

    def __init__(self, fn: Callable[[], None]) -> None:
        self._fn: Callable[[], None] | None = fn

    def __call__(self) -> None:
        fn, self._fn = self._fn, None
        if fn is not None:
            fn()


def _number(body: Mapping[str, Any]) -> str:
    """What a call is about: a refund, a charge, or a period of the bill."""
    return str(body.get("refund_no") or body.get("charge_no") or body["since_us"])
