"""Planted: members are made good while a wait that they were told of is still running (X-40)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.compensation import Engine
from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import OrderRow
from reference_platform.wiring import Config

NAME = "planted.disclosed_wait_ignored"
SUMMARY = "Makes good after five minutes whatever wait was announced with the goods."
SUMMARY_ZH = "不管商品明示要等多久，满五分钟就赔。"
CATCHES = "I-29"
SCENARIO = "disclosed_wait"
REAL = ""


class FiveMinutesForAll(Engine):
    """The promise of five minutes is on every page, and the wait is a line in the product's description."""

    async def disclosed_wait_us(self, tx: Transaction, order: OrderRow) -> int:  # noqa: ARG002
        return 0


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, remedies=FiveMinutesForAll)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
