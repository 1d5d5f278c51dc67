"""Planted: every payment of an order is worth another card (X-32)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.payments import Capture, Payments
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import OrderRow
from reference_platform.wiring import Config

NAME = "planted.card_for_each_payment"
SUMMARY = "Hands out the goods once more for each further payment of the same order."
SUMMARY_ZH = "同一订单每多付一次就多发一份货。"
CATCHES = "I-02"
SCENARIO = "double_capture"
REAL = "card-system #4, #460"


class EachPaymentCounts(Payments):
    """Written after complaints about kept money: who paid twice gets two. The order was for one."""

    async def pay_twice(self, tx: Transaction, order: OrderRow, capture: Capture) -> None:
        if order["kind"] == "card":
            await self.shop.stock.reserve_rest(tx, order["sku"], order["order_id"], order["quantity"])
            await self.shop.stock.consume(tx, order["order_id"])
        else:
            await super().pay_twice(tx, order, capture)


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, payments=EachPaymentCounts)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
