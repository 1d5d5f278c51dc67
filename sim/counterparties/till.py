"""The honest part of a payment channel: charges, captures, closes and the bill, by contract and booked.

What goes into the book CH here is what checkers take for the truth about money. Faults that make
the channel lie, stay silent or forge are `channel`'s business; the till always knows what is true.
Times are epoch microseconds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any

from reference_platform.ports import Rejected
from sim.counterparties.charge import Charge, Refund
from sim.counterparties.contracts import PAID, Contract
from sim.counterparties.host import Host
from sim.counterparties.notices import Notices
from sim.counterparties.refunds import Refunds


class Till:
    """The account of one merchant, `app_id`, at one channel."""

    def __init__(
        self, host: Host, contract: Contract, app_id: str, refund_fails: Callable[[str, str], str | None]
    ) -> None:
        self.name = host.name
        self.app_id = app_id
        self.charges: dict[str, Charge] = {}
        self.last_captured: Charge | None = None
        self.notices = Notices(host, contract, app_id)
        self.refunds = Refunds(host, contract, self._refunded, refund_fails)
        self._contract = contract
        self._host = host
        self._book = host.recorder.book
        self._bill: list[tuple[int, str, str, str, int]] = []  # at_us, kind, charge_no, ref, amount_fen

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
            if self._host.now_us < charge.opened_us + self._contract.close_not_before_us:
                raise Rejected("TOO_EARLY")
            if charge.on_close is not None:
                charge.on_close()
                raise Rejected("TRADE_NOT_EXIST")
            if not charge.scanned and self._contract.unscanned_close != "CLOSED":
                raise Rejected(self._contract.unscanned_close)
            self._close(charge)
        return {"status": "CLOSED"}

    def refund(self, refund_no: str, charge_no: str, amount_fen: int) -> None:
        """Accept a refund of a captured charge; see `Refunds.accept`."""
        self.refunds.accept(refund_no, self.charges.get(charge_no), amount_fen)

    def bill(self, since_us: int, until_us: int) -> list[tuple[int, str, str, str, int]]:
        """Captures and finished refunds with `since_us` ≤ time < `until_us`, oldest first.

        A line is (time, capture | refund, charge number, transaction or refund number, fen).
        """
        first, end = bisect_left(self._bill, (since_us,)), bisect_left(self._bill, (until_us,))
        return self._bill[first:end]

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
        charge = self.charges[charge_no] = Charge(charge_no, amount_fen, self._host.now_us, expires_us)
        self._book("CH", "charge_opened", charge_no, {"channel": self.name, "amount_fen": amount_fen})
        return charge

    def expire(self, charge: Charge) -> None:
        """A charge past its time is closed as soon as anybody looks."""
        if charge.status == "NOTPAY" and self._host.now_us >= charge.expires_us and charge.on_close is None:
            self._close(charge)

    def _close(self, charge: Charge) -> None:
        charge.status = "CLOSED"
        self._book("CH", "closed", charge.charge_no, {"channel": self.name})

    def capture(self, charge: Charge, payer: str, paid_fen: int) -> None:
        charge.status = "SUCCESS"
        charge.paid_fen = paid_fen
        charge.paid_us = self._host.now_us
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
        self.notices.tell(charge, PAID)

    def _paid_status(self, charge: Charge) -> str:
        if not charge.refunds:
            return "SUCCESS"
        if charge.refunded_fen < charge.paid_fen:
            return self._contract.partly_refunded_status
        return self._contract.fully_refunded_status

    def _refunded(self, charge: Charge, refund: Refund) -> None:
        self._bill.append(
            (self._host.now_us, "refund", charge.charge_no, refund.refund_no, refund.amount_fen)
        )
        contract = self._contract
        full = charge.refunded_fen == charge.paid_fen
        self.notices.tell(charge, contract.full_refund_event if full else contract.partial_refund_event)
