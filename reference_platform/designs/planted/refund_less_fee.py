"""Planted: a full refund is short of the channel's fee."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.refunds import Refunds
from reference_platform.tables import ChargeRow
from reference_platform.wiring import Config

NAME = "planted.refund_less_fee"
SUMMARY = "Gives back what the channel paid out to us, which is the price less its fee."
SUMMARY_ZH = "全额退款只退到账金额，扣掉了渠道手续费。"
CATCHES = "I-11"
SCENARIO = "supplier_exhausted"
REAL = ""
FEE_PER_MILLE = 6


class NetRefunds(Refunds):
    """Nobody may lose money on a refund, said the manager, and thought of the shop."""

    async def request(
        self, tx: Transaction, charge: ChargeRow, intent: str, amount_fen: int, quantity: int, n: int
    ) -> str:
        kept_fen = amount_fen * FEE_PER_MILLE // 1000 if intent == "full" else 0
        return await super().request(tx, charge, intent, amount_fen - kept_fen, quantity, n)


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, refunds=NetRefunds)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
