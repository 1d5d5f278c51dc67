"""A charge and its refunds, as the channel keeps them. Times are epoch microseconds."""

from __future__ import annotations

from collections.abc import Callable

REFUND_PROCESSING = "PROCESSING"
REFUND_DONE = "SUCCESS"
REFUND_ABNORMAL = "ABNORMAL"


class Refund:
    """One refund number. Accepted is not done: the money moves later."""

    __slots__ = ("amount_fen", "charge", "refund_no", "status")

    def __init__(self, refund_no: str, charge: Charge, amount_fen: int) -> None:
        self.refund_no = refund_no
        self.charge = charge
        self.amount_fen = amount_fen
        self.status = REFUND_PROCESSING


class Charge:
    """One charge number: `status` is NOTPAY, SUCCESS or CLOSED; refunds are counted beside it.

    `promised_fen` are refunds accepted, done or not. `lag_us` None: queries were not looked at yet.
    `on_close` is told when somebody tries to close a charge that lingers (see `Channel.linger`).
    """

    __slots__ = (
        "amount_fen",
        "charge_no",
        "expires_us",
        "lag_us",
        "notices",
        "on_close",
        "opened_us",
        "paid_fen",
        "paid_us",
        "promised_fen",
        "refund_asked_us",
        "refunded_fen",
        "refunds",
        "scanned",
        "status",
        "transaction_id",
    )

    def __init__(self, charge_no: str, amount_fen: int, opened_us: int, expires_us: int) -> None:
        self.charge_no = charge_no
        self.amount_fen = amount_fen
        self.opened_us = opened_us
        self.expires_us = expires_us
        self.status = "NOTPAY"
        self.scanned = False
        self.paid_fen = 0
        self.transaction_id = ""
        self.paid_us = 0
        self.lag_us: int | None = None
        self.refunds = 0
        self.promised_fen = 0
        self.refunded_fen = 0
        self.refund_asked_us = 0
        self.notices = 0
        self.on_close: Callable[[], None] | None = None
