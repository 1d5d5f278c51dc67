"""Planted: unpaid orders stay open for ever."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.expiry import ActiveExpiry
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import OrderRow
from reference_platform.wiring import Config

NAME = "planted.nobody_watches"
SUMMARY = "Places orders without the job that closes them."
SUMMARY_ZH = "下单时忘了登记到期任务，未付款的订单永远开着。"
CATCHES = "I-19"
SCENARIO = "forged_callback"
REAL = ""


class WatchesNothing(ActiveExpiry):
    """Lost when order placing was moved into one transaction; paid orders never needed it, so no test failed."""

    async def watch(self, tx: Transaction, order: OrderRow) -> None:
        """Somebody will."""


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, expiry=WatchesNothing)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
