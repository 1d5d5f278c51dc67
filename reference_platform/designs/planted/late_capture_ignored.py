"""Planted: money that comes after the close is booked and forgotten (X-04)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reference_platform.designs import resilient
from reference_platform.payments import Payments
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import OrderRow
from reference_platform.wiring import Config

NAME = "planted.late_capture_ignored"
SUMMARY = "Books a payment of a closed order and leaves the order closed."
SUMMARY_ZH = "关单后到账的钱只记账，不发货也不退款。"
CATCHES = "I-21"
SCENARIO = "callback_after_close"
REAL = "dujiaoka #194; dujiao-next #108"


class ClosedIsClosed(Payments):
    """Closed is final in every diagram: late money is booked, finance gets a ticket and closes it unread.

    The rule for it (K-05) was switched off in the policy at the same time.
    """

    async def pay_late(self, tx: Transaction, order: OrderRow, paid: dict[str, Any]) -> None:  # noqa: ARG002
        order_id = order["order_id"]
        await self.shop.tickets.open(tx, "late_capture", order_id, order_id, "finance+engineering")


CONFIG = replace(resilient.CONFIG, policy="refunds_by_hand")
PARTS = replace(resilient.PARTS, payments=ClosedIsClosed)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
