"""Planted: a payment that falls a little short counts as the whole."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.payments import Capture, Payments
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import OrderRow
from reference_platform.wiring import Config

NAME = "planted.small_shortfall_forgiven"
SUMMARY = "Takes a payment that is up to a tenth short for the whole price."
SUMMARY_ZH = "少付不到一成也当作付清。"
CATCHES = "I-04"
SCENARIO = "suspense_ticket"
REAL = ""


class NearEnough(Payments):
    """Channels once rounded, and a tolerance made the tickets go away. Whoever knows it pays nine tenths."""

    async def suspend(self, tx: Transaction, order: OrderRow, capture: Capture) -> None:
        if 10 * capture.paid_fen >= 9 * order["payable_fen"]:
            await self.pay(tx, order, capture, [])
        else:
            await super().suspend(tx, order, capture)


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, payments=NearEnough)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
