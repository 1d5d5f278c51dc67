"""Planted: the make-good is paid a minute before it is owed."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.compensation import Engine
from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import MINUTE, Ports, Transaction
from reference_platform.tables import OrderRow
from reference_platform.wiring import Config

NAME = "planted.make_good_too_early"
SUMMARY = "Makes good after four minutes, so as never to be late."
SUMMARY_ZH = "四分钟就赔，提前一分钟，只求不迟到。"
CATCHES = "I-30"
SCENARIO = "make_good_then_original"
REAL = ""


class EarlyBird(Engine):
    """A minute of margin for the job line. It pays members whose goods were on their way and in time."""

    async def captured(self, tx: Transaction, order: OrderRow) -> None:
        await super().captured(tx, {**order, "paid_us": order["paid_us"] - MINUTE})


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, remedies=EarlyBird)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
