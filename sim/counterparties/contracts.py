"""What differs between payment channels, as data: one channel class runs them all.

Sources: the merchant documents of WeChat Pay (payment notice, order query, close, refund) and of
Alipay (asynchronous notice, trade close, trade refund).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from reference_platform.ports import DAY, HOUR, MINUTE, SECOND, Response

PAID: Final = "SUCCESS"
REFUNDED: Final = "REFUND"


@dataclass(frozen=True, slots=True)
class Contract:
    """One channel's rules.

    `retry_us[n]` is the wait between notice n+1 and notice n+2. `unscanned_close` is what closing a
    code that nobody ever scanned does: CLOSED, or an error code that leaves the code payable.
    """

    name: str
    retry_us: tuple[int, ...]
    accepts: Callable[[Response], bool]
    partial_refund_event: str
    full_refund_event: str
    unscanned_close: str
    partly_refunded_status: str
    fully_refunded_status: str
    ack_timeout_us: int = 5 * SECOND
    close_not_before_us: int = 5 * MINUTE
    refunds_max: int = 50
    refund_gap_us: int = MINUTE
    refundable_us: int = 365 * DAY


def _accepts_by_status(response: Response) -> bool:
    """WeChat Pay looks at the HTTP status alone; a FAIL in the body is never read."""
    return response.status in (200, 204)


def _accepts_by_body(response: Response) -> bool:
    """Alipay wants the seven bytes of `success`; quotes or a line end are a refusal."""
    return response.status == 200 and response.raw == b"success"


WECHAT: Final = Contract(
    name="wechat",
    retry_us=(
        15 * SECOND,
        15 * SECOND,
        30 * SECOND,
        3 * MINUTE,
        10 * MINUTE,
        20 * MINUTE,
        30 * MINUTE,
        30 * MINUTE,
        30 * MINUTE,
        60 * MINUTE,
        3 * HOUR,
        3 * HOUR,
        3 * HOUR,
        6 * HOUR,
        6 * HOUR,
    ),
    accepts=_accepts_by_status,
    partial_refund_event=REFUNDED,
    full_refund_event=REFUNDED,
    unscanned_close="CLOSED",
    partly_refunded_status="REFUND",
    fully_refunded_status="REFUND",
)

ALIPAY: Final = Contract(
    name="alipay",
    retry_us=(4 * MINUTE, 10 * MINUTE, 10 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 15 * HOUR),
    accepts=_accepts_by_body,
    # A partial refund repeats "success": a platform that counts successes delivers twice.
    partial_refund_event=PAID,
    full_refund_event=REFUNDED,
    # The trade exists only from the first scan on; until then there is nothing to close.
    unscanned_close="TRADE_NOT_EXIST",
    partly_refunded_status="SUCCESS",
    # "Closed" means both never paid and paid back in full; only the paid amount tells them apart.
    fully_refunded_status="CLOSED",
    close_not_before_us=0,
    refund_gap_us=0,
)

CONTRACTS: Final = {contract.name: contract for contract in (WECHAT, ALIPAY)}
