"""Planted: a refund without an answer is tried again under a new number (X-19)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.refunds import Refunds
from reference_platform.tables import CHARGES, REFUNDS, RefundRow
from reference_platform.wiring import Config

NAME = "planted.refund_under_new_number"
SUMMARY = "Asks for a refund again under a new number when no answer came."
SUMMARY_ZH = "退款没有应答时，换一个退款单号再试。"
CATCHES = "I-05"
SCENARIO = "supplier_exhausted"
REAL = ""


class NewNumberEachTry(Refunds):
    """The developer met `REFUND_NO_USED` once and learned to take a fresh number for each try."""

    async def ask(self, refund: RefundRow) -> int | None:
        again_us = await super().ask(refund)
        row = await self.shop.transactions.run(self.find, refund["refund_no"])
        if row is None or row["status"] != "requested":
            return again_us
        await self.shop.transactions.run(self.ask_anew, row)
        return None

    async def ask_anew(self, tx: Transaction, refund: RefundRow) -> None:
        charge = await tx.get(CHARGES, refund["charge_no"])
        if charge is not None:
            n = len(await tx.select(REFUNDS, {"order_id": refund["order_id"]})) + 1
            intent = f"{refund['intent']}, try {n}"
            await self.request(tx, charge, intent, refund["amount_fen"], refund["quantity"], n)


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, refunds=NewNumberEachTry)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
