"""An attacker who posts payment callbacks for charges that nobody paid.

It has got hold of what leaks in practice: a notice's shape, a merchant's own sealing key in a
careless shop, another order's paid notice. Nothing it sends is in the channel's books, so a platform
that acts on it acts without money.
"""

from __future__ import annotations

from typing import Any, Final

from reference_platform.ports import SECOND, Request, Response
from sim.counterparties.charge import Charge
from sim.counterparties.contracts import PAID
from sim.counterparties.host import Host
from sim.counterparties.signatures import SIGNATURE, Message
from sim.counterparties.till import Till

FORGERY_AFTER_US: Final = (500_000, 5 * SECOND)
_ANSWER_WAIT_US: Final = 5 * SECOND


class Forger:
    """Watches one channel's charges being opened.

    `forgery` is one of: `signature` (no valid seal), `order` (another charge's capture, sealed for
    this order), `app` (another merchant's), `amount` (a single fen), `unpaid` (all right, but no
    money was ever captured).
    """

    def __init__(self, host: Host, till: Till) -> None:
        self._host = host
        self._till = till

    def opened(self, charge: Charge) -> None:
        """A charge was opened: perhaps it is worth a forgery."""
        struck = self._host.storm.at("channel.callback_forged", self._till.name, (charge.charge_no,))
        if struck is not None:
            after_us = self._host.between_us(FORGERY_AFTER_US, "forger", charge.charge_no)
            self._host.after(after_us, self._forge, charge, struck["forgery"])

    def _forge(self, charge: Charge, forgery: str) -> None:
        key = ("forgery", charge.charge_no, forgery)
        self._host.post(self.request(charge, forgery), _ANSWER_WAIT_US, key, self._answered)

    def _answered(self, response: Response | None) -> None:
        """The attacker does not care, and does not try again."""

    def request(self, charge: Charge, forgery: str) -> Request:
        """The forged callback for one charge."""
        till = self._till
        resource: dict[str, Any] = {
            "app_id": till.app_id,
            "charge_no": charge.charge_no,
            "transaction_id": f"T{till.name}-{charge.charge_no}",
            "paid_fen": charge.amount_fen,
            "paid_us": self._host.now_us,
        }
        if forgery == "order":
            other = till.last_captured
            stolen = charge.charge_no + "-stolen" if other is None else other.transaction_id
            resource["transaction_id"] = stolen
            resource["paid_fen"] = charge.amount_fen if other is None else other.paid_fen
        elif forgery == "app":
            resource["app_id"] = f"{till.app_id}-other"
        elif forgery == "amount":
            resource["paid_fen"] = 1
        request = till.notices.callbacks.sealed(Message(f"{charge.charge_no}.f1", PAID, resource), 1)
        if forgery == "signature":
            request.headers = {**request.headers, SIGNATURE: "0" * 32}
        return request
