"""Planted: a partial refund marks the order as refunded, delivered goods and all (X-17)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.orders import UNDELIVERED
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.refunds import Refunds
from reference_platform.tables import OrderRow, RefundRow
from reference_platform.wiring import Config

NAME = "planted.part_refund_ends_order"
SUMMARY = "Calls an order refunded when any refund of it is done."
SUMMARY_ZH = "只要有一笔退款完成，整单就记为已退款，哪怕货已发出大半。"
CATCHES = "I-25"
SCENARIO = "short_bulk"
REAL = ""


class AnyRefundIsTheEnd(Refunds):
    """The channel's notice says REFUND for a part as for the whole, and the code for the whole was there."""

    async def close_order(self, tx: Transaction, order: OrderRow, refund: RefundRow) -> None:
        if order["status"] in UNDELIVERED and refund["quantity"]:
            back = order["refunded_qty"] + refund["quantity"]
            await self.shop.orders.transition(tx, order, "refunded", "refund done", refunded_qty=back)
        else:
            await super().close_order(tx, order, refund)


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, refunds=AnyRefundIsTheEnd)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
