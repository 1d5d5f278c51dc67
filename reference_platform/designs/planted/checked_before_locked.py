"""Planted: a notice and a query bring the same news at once, and both book it (X-01, X-06)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.payments import Capture, Payments
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import CHARGES, ORDERS
from reference_platform.wiring import Config

NAME = "planted.checked_before_locked"
SUMMARY = "Looks whether a charge is booked before it locks the order, and not again after."
SUMMARY_ZH = "先查支付单状态再锁订单，回调和查单同时到就记两次账。"
CATCHES = "I-23"
SCENARIO = "notice_races_query"
REAL = ""


class LooksThenLocks(Payments):
    """Most news is old news, and a look without the lock is cheaper. The inbox stops copies of a notice only."""

    async def apply(self, tx: Transaction, capture: Capture) -> None:
        charge = await tx.get(CHARGES, capture.charge_no)
        order = await tx.get(ORDERS, capture.order_id, lock="wait")
        if order is None or charge is None or capture.paid_fen != charge["amount_fen"]:
            await super().apply(tx, capture)
        elif charge["status"] != "paid":
            await self.book(tx, capture)
            await self.pay(tx, order, capture, await tx.select(CHARGES, {"order_id": capture.order_id}))


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, payments=LooksThenLocks)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
