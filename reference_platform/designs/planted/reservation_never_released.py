"""Planted: a closed order holds its cards for ever (X-37)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.expiry import ActiveExpiry
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import OrderRow
from reference_platform.wiring import Config

NAME = "planted.reservation_never_released"
SUMMARY = "Closes unpaid orders and leaves their cards reserved."
SUMMARY_ZH = "关闭未付款订单时不释放预占的卡密。"
CATCHES = "I-12"
SCENARIO = "callback_after_close"
REAL = ""


class HoldsOn(ActiveExpiry):
    """Kept for a late payment, which then finds its card; a clean-up job was planned for all the others."""

    async def release(self, tx: Transaction, order: OrderRow) -> None:
        """Later."""


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, expiry=HoldsOn)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
