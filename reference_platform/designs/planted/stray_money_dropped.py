"""Planted: money that belongs to no order is not booked."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.payments import Capture, Payments
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import ChargeRow
from reference_platform.wiring import Config

NAME = "planted.stray_money_dropped"
SUMMARY = "Ignores captures that no order asked for."
SUMMARY_ZH = "收到没有对应订单的钱，直接忽略。"
CATCHES = "I-30"
SCENARIO = "orphan_capture"
REAL = ""


class OnlyOurOrders(Payments):
    """No order, no row to write to: the line was logged and the money stayed in the channel's account."""

    async def orphan(self, tx: Transaction, capture: Capture, charge: ChargeRow | None) -> None:
        pass


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, payments=OnlyOurOrders)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
