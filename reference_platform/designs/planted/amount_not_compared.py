"""Planted: whatever amount was paid, the order is fulfilled (X-12)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.payments import Capture, Payments
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import OrderRow
from reference_platform.wiring import Config

NAME = "planted.amount_not_compared"
SUMMARY = "Does not compare the captured amount with the price."
SUMMARY_ZH = "不核对实收金额，付多少都发货。"
CATCHES = "I-04"
SCENARIO = "suspense_ticket"
REAL = ""


class AnyAmount(Payments):
    """A channel's discount made honest orders wait for finance, so the comparison was taken out."""

    async def suspend(self, tx: Transaction, order: OrderRow, capture: Capture) -> None:
        await self.pay(tx, order, capture, [])


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, payments=AnyAmount)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
