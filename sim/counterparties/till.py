"""The honest part of a payment channel: charges, captures, closes and refunds, by contract and booked.

What goes into the book CH here is what checkers take for the truth about money. Faults that make
the channel lie, stay silent or forge are `channel`'s business; the till always knows what is true.
Times are epoch microseconds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any, Final

from reference_platform.ports import SECOND, Rejected, Response
from sim.counterparties.callbacks import Callback, Callbacks
from sim.counterparties.charge import REFUND_ABNORMAL, REFUND_DONE, Charge, Refund
from sim.counterparties.contracts import PAID, Contract
from sim.counterparties.signatures import Message, Seal
from sim.counterparties.timers import Post, Timers
from sim.randomness import Streams
from sim.recorder import Recorder
from sim.storm import Storm

NOTICE_FIRST_US: Final = (50_000, 800_000)
REFUND_TAKES_US: Final = (5 * SECOND, 60 * SECOND)
_NOTHING: Final[Mapping[str, Any]] = {}


class Till:
    """The account of one merchant, `app_id`, at one channel.

    `refund_fails(charge_no, refund_no)` may give an error code for a refund that was accepted.
    """

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
        storm: Storm,
        refund_fails: Callable[[str, str], str | None],
    ) -> None:
        self.name = name
        self.app_id = app_id
        self.contract = contract
        self.charges: dict[str, Charge] = {}
        self.last_captured: Charge | None = None
        self._timers = timers
        self._book = recorder.book
        self._uniform = streams.uniform
        self._epoch_us = epoch_us
        self._refund_fails = refund_fails
        self._refunds: dict[str, Refund] = {}
        self._bill: list[tuple[int, str, str, str, int]] = []  # at_us, kind, charge_no, ref, amount_fen
        self.callbacks = Callbacks(
            self,
            "channel",
            action=f"callback.{name}",
            retry_us=contract.retry_us,
            ack_timeout_us=contract.ack_timeout_us,
            accepts=contract.accepts,
            timers=timers,
            post=post,
            seal=seal,
            epoch_us=epoch_us,
            streams=streams,
            storm=storm,
        )

    @property
    def now_us(self) -> int:
        return self._timers.now + self._epoch_us

    # ------------------------------------------------------------ the platform's calls

    def create(self, charge_no: str, amount_fen: int, expires_us: int) -> Mapping[str, Any]:
        """Open a charge. The same number with the same amount is the same charge, once."""
        charge = self.charges.get(charge_no)
        if charge is None:
            if amount_fen <= 0:
                raise Rejected("PARAM_ERROR")
            self.open(charge_no, amount_fen, expires_us)
        elif charge.amount_fen != amount_fen:
            raise Rejected("OUT_TRADE_NO_USED")
        elif charge.status != "NOTPAY":
            raise Rejected("ORDERPAID" if charge.paid_fen else "ORDER_CLOSED")
        return {"code_url": f"pay://{self.name}/{charge_no}"}

    def query(self, charge_no: str) -> Mapping[str, Any]:
        """NOTPAY, SUCCESS, CLOSED, REFUND or NOT_FOUND; with the capture when there is one."""
        charge = self.charges.get(charge_no)
        if charge is None:
            return {"status": "NOT_FOUND"}
        self.expire(charge)
        if charge.status == "SUCCESS":
            return {
                "status": self._paid_status(charge),
                "paid_fen": charge.paid_fen,
                "transaction_id": charge.transaction_id,
                "paid_us": charge.paid_us,
            }
        return {"status": charge.status}

    def close(self, charge_no: str) -> Mapping[str, Any]:
        """Close an unpaid charge, so that it can never be paid."""
        charge = self.charges.get(charge_no)
        if charge is None:
            raise Rejected("TRADE_NOT_EXIST")
        self.expire(charge)
        if charge.status == "SUCCESS":
            raise Rejected("ORDERPAID")
        if charge.status == "NOTPAY":
            if self.now_us < charge.opened_us + self.contract.close_not_before_us:
                raise Rejected("TOO_EARLY")
            if charge.on_close is not None:
                charge.on_close()
                raise Rejected("TRADE_NOT_EXIST")
            if not charge.scanned and self.contract.unscanned_close != "CLOSED":
                raise Rejected(self.contract.unscanned_close)
            self._close(charge)
        return {"status": "CLOSED"}

    def refund(self, refund_no: str, charge_no: str, amount_fen: int) -> Mapping[str, Any]:
        """Accept a refund. A refund number pays once; the money moves some seconds later."""
        charge = self.charges.get(charge_no)
        known = self._refunds.get(refund_no)
        if known is not None:
            if known.charge is not charge or known.amount_fen != amount_fen:
                raise Rejected("REFUND_NO_USED")
            return _NOTHING
        if charge is None or charge.status != "SUCCESS":
            raise Rejected("TRADE_NOT_EXIST")
        self._allow_refund(charge, amount_fen)
        refund = self._refunds[refund_no] = Refund(refund_no, charge, amount_fen)
        charge.refunds += 1
        charge.promised_fen += amount_fen
        charge.refund_asked_us = self.now_us
        self._book(
            "CH",
            "refund_accepted",
            charge_no,
            {"channel": self.name, "refund_no": refund_no, "amount_fen": amount_fen},
        )
        takes_us = self._between_us(REFUND_TAKES_US, "channel.refund", refund_no)
        self._timers.call_at(self._timers.now + takes_us, self._settle_refund, refund)
        return _NOTHING

    def _allow_refund(self, charge: Charge, amount_fen: int) -> None:
        contract, now_us = self.contract, self.now_us
        if amount_fen <= 0 or charge.promised_fen + amount_fen > charge.paid_fen:
            raise Rejected("NOT_ENOUGH")
        if charge.refunds >= contract.refunds_max:
            raise Rejected("TOO_MANY_REFUNDS")
        if charge.refunds and now_us < charge.refund_asked_us + contract.refund_gap_us:
            raise Rejected("FREQUENCY_LIMITED")
        if now_us > charge.paid_us + contract.refundable_us:
            raise Rejected("TRADE_OVERDUE")

    def query_refund(self, refund_no: str) -> Mapping[str, Any]:
        """PROCESSING, SUCCESS, ABNORMAL or NOT_FOUND."""
        refund = self._refunds.get(refund_no)
        return {"status": "NOT_FOUND" if refund is None else refund.status}

    def bill(self, since_us: int, until_us: int) -> Mapping[str, Any]:
        """Captures and finished refunds with `since_us` ≤ time < `until_us`, oldest first."""
        first, end = bisect_left(self._bill, (since_us,)), bisect_left(self._bill, (until_us,))
        return {"lines": self._bill[first:end]}

    # ------------------------------------------------------------ the charge's life

    def payable(self, charge_no: str) -> Charge:
        """The charge, scanned, if it can be paid now; else Rejected."""
        charge = self.charges.get(charge_no)
        if charge is None:
            raise Rejected("NOT_FOUND")
        self.expire(charge)
        if charge.status != "NOTPAY":
            raise Rejected("ORDERPAID" if charge.paid_fen else "ORDER_CLOSED")
        charge.scanned = True
        return charge

    def open(self, charge_no: str, amount_fen: int, expires_us: int) -> Charge:
        charge = self.charges[charge_no] = Charge(charge_no, amount_fen, self.now_us, expires_us)
        self._book("CH", "charge_opened", charge_no, {"channel": self.name, "amount_fen": amount_fen})
        return charge

    def expire(self, charge: Charge) -> None:
        """A charge past its time is closed as soon as anybody looks."""
        if charge.status == "NOTPAY" and self.now_us >= charge.expires_us and charge.on_close is None:
            self._close(charge)

    def _close(self, charge: Charge) -> None:
        charge.status = "CLOSED"
        self._book("CH", "closed", charge.charge_no, {"channel": self.name})

    def capture(self, charge: Charge, payer: str, paid_fen: int) -> None:
        charge.status = "SUCCESS"
        charge.paid_fen = paid_fen
        charge.paid_us = self.now_us
        charge.transaction_id = f"T{self.name}-{charge.charge_no}"
        self.last_captured = charge
        self._book(
            "CH",
            "captured",
            charge.charge_no,
            {
                "channel": self.name,
                "paid_fen": paid_fen,
                "payer": payer,
                "transaction_id": charge.transaction_id,
            },
        )
        self._bill.append((charge.paid_us, "capture", charge.charge_no, charge.transaction_id, paid_fen))
        self._tell(charge, PAID)

    def _between_us(self, span_us: tuple[int, int], stream: str, *key: str) -> int:
        low_us, high_us = span_us
        return low_us + int((high_us - low_us) * self._uniform(stream, self.name, *key))

    def _tell(self, charge: Charge, event: str) -> None:
        charge.notices += 1
        site = f"n{charge.notices}"
        message = Message(f"{charge.charge_no}.{site}", event, self._resource(charge))
        delay_us = self._between_us(NOTICE_FIRST_US, "channel.notice", charge.charge_no, site)
        self.callbacks.start(Callback(charge.charge_no, site, message), delay_us)

    def _resource(self, charge: Charge) -> dict[str, Any]:
        return {
            "app_id": self.app_id,
            "charge_no": charge.charge_no,
            "transaction_id": charge.transaction_id,
            "paid_fen": charge.paid_fen,
            "paid_us": charge.paid_us,
        }

    def _paid_status(self, charge: Charge) -> str:
        if not charge.refunds:
            return "SUCCESS"
        if charge.refunded_fen < charge.paid_fen:
            return self.contract.partly_refunded_status
        return self.contract.fully_refunded_status

    def _settle_refund(self, refund: Refund) -> None:
        charge = refund.charge
        data = {"channel": self.name, "refund_no": refund.refund_no, "amount_fen": refund.amount_fen}
        code = self._refund_fails(charge.charge_no, refund.refund_no)
        if code is not None:
            refund.status = REFUND_ABNORMAL
            charge.promised_fen -= refund.amount_fen  # it never left, so another number may ask for it
            self._book("CH", "refund_failed", charge.charge_no, {**data, "code": code})
            return
        refund.status = REFUND_DONE
        charge.refunded_fen += refund.amount_fen
        self._book("CH", "refund_done", charge.charge_no, data)
        self._bill.append((self.now_us, "refund", charge.charge_no, refund.refund_no, refund.amount_fen))
        full = charge.refunded_fen == charge.paid_fen
        self._tell(charge, self.contract.full_refund_event if full else self.contract.partial_refund_event)

    def callback_sent(self, callback: Callback) -> None:
        """Book an attempt. Called by the sender, as is `callback_answered`."""
        self._book(
            "CH",
            "callback_sent",
            callback.ref,
            {
                "channel": self.name,
                "notify_id": callback.message.notify_id,
                "attempt": callback.attempt,
                "event": callback.message.event,
                "paid_fen": callback.message.resource["paid_fen"],
            },
        )

    def callback_answered(self, callback: Callback, attempt: int, response: Response, accepted: bool) -> None:
        self._book(
            "CH",
            "callback_acked",
            callback.ref,
            {
                "channel": self.name,
                "notify_id": callback.message.notify_id,
                "attempt": attempt,
                "status": response.status,
                "accepted": accepted,
            },
        )
