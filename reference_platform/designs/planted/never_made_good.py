"""Planted: nobody is made good for waiting."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.compensation import Engine
from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import OrderRow
from reference_platform.wiring import Config

NAME = "planted.never_made_good"
SUMMARY = "Compensates what a supplier reports, and forgets the member who just waits."
SUMMARY_ZH = "只处理供应商报错，干等的会员没人赔。"
CATCHES = "I-30"
SCENARIO = "make_good_then_original"
REAL = ""


class WaitsForComplaints(Engine):
    """Switched off in an incident in which everybody would have been credited, and never on again."""

    async def captured(self, tx: Transaction, order: OrderRow) -> None:
        """Off, for the time being."""


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, remedies=WaitsForComplaints)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
