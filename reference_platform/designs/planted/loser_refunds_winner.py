"""Planted: the saga that came second undoes what the first one did (X-36)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.payments import Capture, Payments
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import CHARGES, ORDERS
from reference_platform.wiring import Config

NAME = "planted.loser_refunds_winner"
SUMMARY = "Begins at each piece of news, and a run that finds the charge paid meanwhile gives the money back."
SUMMARY_ZH = "回调和查单各起一个流程，慢的那个发现“付款失败”，就把快的那个收的钱退了。"
CATCHES = "I-06"
SCENARIO = "notice_races_query"
REAL = "medusa #15527"


class UndoesOnConflict(Payments):
    """A run that fails half-way must not keep the money. That another run did not fail is not its concern."""

    async def apply(self, tx: Transaction, capture: Capture) -> None:
        begun = await tx.get(CHARGES, capture.charge_no)
        await tx.get(ORDERS, capture.order_id, lock="wait")
        charge = await tx.get(CHARGES, capture.charge_no)
        if begun and charge and begun["status"] != "paid" and charge["status"] == "paid":
            await self.shop.refunds.charge(tx, charge, "undone")
        else:
            await super().apply(tx, capture)


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, payments=UndoesOnConflict)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
