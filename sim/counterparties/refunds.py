"""Refunds at a channel: a number pays once, accepted is not done, and there are limits to it all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from reference_platform.ports import SECOND, Rejected
from sim.counterparties.charge import REFUND_ABNORMAL, REFUND_DONE, Charge, Refund
from sim.counterparties.contracts import Contract
from sim.counterparties.host import Host

TAKES_US: Final = (5 * SECOND, 60 * SECOND)


class Refunds:
    """The refunds of one merchant. `done(charge, refund)` hears of each that has moved its money.

    `fails(charge_no, refund_no)` may give an error code for a refund that was accepted.
    """

    def __init__(
        self,
        host: Host,
        contract: Contract,
        done: Callable[[Charge, Refund], None],
        fails: Callable[[str, str], str | None],
    ) -> None:
        self._host = host
        self._book = host.recorder.book
        self._contract = contract
        self._done = done
        self._fails = fails
        self._refunds: dict[str, Refund] = {}

    def accept(self, refund_no: str, charge: Charge | None, amount_fen: int) -> None:
        """Accept a refund, or raise Rejected. The money moves some seconds later."""
        known = self._refunds.get(refund_no)
        if known is not None:
            if known.charge is not charge or known.amount_fen != amount_fen:
                raise Rejected("REFUND_NO_USED")
            return
        if charge is None or charge.status != "SUCCESS":
            raise Rejected("TRADE_NOT_EXIST")
        self._allow(charge, amount_fen)
        refund = self._refunds[refund_no] = Refund(refund_no, charge, amount_fen)
        charge.refunds += 1
        charge.promised_fen += amount_fen
        charge.refund_asked_us = self._host.now_us
        data = {"channel": self._host.name, "refund_no": refund_no, "amount_fen": amount_fen}
        self._book("CH", "refund_accepted", charge.charge_no, data)
        takes_us = self._host.between_us(TAKES_US, "channel.refund", refund_no)
        self._host.after(takes_us, self._settle, refund)

    def _allow(self, charge: Charge, amount_fen: int) -> None:
        contract, now_us = self._contract, self._host.now_us
        if amount_fen <= 0 or charge.promised_fen + amount_fen > charge.paid_fen:
            raise Rejected("NOT_ENOUGH")
        if charge.refunds >= contract.refunds_max:
            raise Rejected("TOO_MANY_REFUNDS")
        if charge.refunds and now_us < charge.refund_asked_us + contract.refund_gap_us:
            raise Rejected("FREQUENCY_LIMITED")
        if now_us > charge.paid_us + contract.refundable_us:
            raise Rejected("TRADE_OVERDUE")

    def _settle(self, refund: Refund) -> None:
        charge = refund.charge
        data = {"channel": self._host.name, "refund_no": refund.refund_no, "amount_fen": refund.amount_fen}
        code = self._fails(charge.charge_no, refund.refund_no)
        if code is not None:
            refund.status = REFUND_ABNORMAL
            charge.promised_fen -= refund.amount_fen  # it never left, so another number may ask for it
            self._book("CH", "refund_failed", charge.charge_no, {**data, "code": code})
            return
        refund.status = REFUND_DONE
        charge.refunded_fen += refund.amount_fen
        self._book("CH", "refund_done", charge.charge_no, data)
        self._done(charge, refund)

    def status(self, refund_no: str) -> str:
        """PROCESSING, SUCCESS, ABNORMAL or NOT_FOUND."""
        refund = self._refunds.get(refund_no)
        return "NOT_FOUND" if refund is None else refund.status
