"""Planted: a payment that no notice told of is confirmed by setting the status (X-09)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reference_platform.designs import resilient
from reference_platform.orders import UNPAID
from reference_platform.payments import Capture, Payments
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import ORDERS, InboxRow
from reference_platform.wiring import Config

NAME = "planted.status_set_by_hand"
SUMMARY = "Marks an order paid when a query or a bill says so, and starts nothing of what a notice starts."
SUMMARY_ZH = "掉单靠查单补：只把订单状态改成已付款，不扣库存、不发货。"
CATCHES = "I-30"
SCENARIO = "callback_lost"
REAL = "dujiao-next #288"


class StatusOnly(Payments):
    """The button for support staff came first, then a script that presses it. Both do what staff did in SQL."""

    async def notified(self, tx: Transaction, capture: Capture, notice: InboxRow) -> None:
        if await self.receive(tx, notice):
            await super().apply(tx, capture)

    async def apply(self, tx: Transaction, capture: Capture) -> None:
        order = await tx.get(ORDERS, capture.order_id, lock="wait")
        if order is None or order["status"] not in UNPAID or capture.paid_fen != order["payable_fen"]:
            await super().apply(tx, capture)
            return
        await self.book(tx, capture)
        paid: dict[str, Any] = {"captured_fen": capture.paid_fen, "paid_us": capture.paid_us}
        await self.shop.orders.transition(tx, order, "paid", "confirmed by hand", **paid)


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, payments=StatusOnly)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
