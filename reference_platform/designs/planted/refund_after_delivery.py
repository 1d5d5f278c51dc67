"""Planted: the money goes back although the card was handed over (X-41)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.refunds import Refunds
from reference_platform.tables import ORDERS, OrderRow
from reference_platform.wiring import Config

NAME = "planted.refund_after_delivery"
SUMMARY = "Refunds a card on request without looking whether it was delivered meanwhile."
SUMMARY_ZH = "会员申请退款就退，不看卡密是否已经发出。"
CATCHES = "I-06"
SCENARIO = "callback_reordered_refund"
REAL = ""


class RefundsOnRequest(Refunds):
    """The button shows only on pending orders, so the check was left to the page, which was loaded long ago."""

    async def request_by_user(self, tx: Transaction, user: str, order_id: str) -> OrderRow:
        order = await tx.get(ORDERS, order_id, lock="wait")
        if order is not None and order["status"] == "completed" and order["kind"] == "card":
            await self.undelivered(tx, order, order["captured_fen"], 0, "requested")
            return order
        return await super().request_by_user(tx, user, order_id)


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, refunds=RefundsOnRequest)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
