"""Planted: a stale notice of success brings a refunded order back to life (X-18)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.payments import Capture, Payments
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import ORDERS, InboxRow
from reference_platform.wiring import Config

NAME = "planted.success_revives_refunded"
SUMMARY = "Marks an order paid at each notice of success, even one that was refunded."
SUMMARY_ZH = "收到支付成功就把订单改回已付款，哪怕它已经退款。"
CATCHES = "I-18"
SCENARIO = "late_without_stock"
REAL = ""


class LastNoticeWins(Payments):
    """Added when orders hung although the channel said paid: the channel is right, whatever our row says."""

    async def notified(self, tx: Transaction, capture: Capture, notice: InboxRow) -> None:
        await super().notified(tx, capture, notice)
        order = await tx.get(ORDERS, capture.order_id, lock="wait")
        if order is not None and order["status"] == "refunded":
            await self.shop.orders.log(tx, capture.order_id, "refunded", "paid", "the channel says paid")
            await tx.update(ORDERS, capture.order_id, {"status": "paid"})


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, payments=LastNoticeWins)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
