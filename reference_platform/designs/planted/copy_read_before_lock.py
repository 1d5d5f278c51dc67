"""Planted: what is locked is not what was looked at (X-29)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import OneOf, Ports, Transaction
from reference_platform.stock import Stock
from reference_platform.tables import CARDS
from reference_platform.wiring import Config

NAME = "planted.copy_read_before_lock"
SUMMARY = "Finds free cards, waits for their locks and takes them as it saw them before."
SUMMARY_ZH = "先读出空闲卡密，再等锁，拿到锁后不重新看就占用。"
CATCHES = "I-09"
SCENARIO = "wallet_rush"
REAL = "Paymenter #965"


class HoldsWhatItSaw(Stock):
    """The lock was added after two buyers got one card. It guards the rows, and the answer is from before it."""

    async def reserve(self, tx: Transaction, sku: str, order_id: str, quantity: int) -> bool:
        free = {"sku": sku, "status": "available"}
        seen = await tx.select(CARDS, free, order_by="card_id", limit=quantity)
        if len(seen) < quantity:
            return False
        card_ids = tuple(row["card_id"] for row in seen)
        await tx.select(CARDS, {"card_id": OneOf(card_ids)}, order_by="card_id", lock="wait")
        await self.hold(tx, card_ids, order_id)
        return True


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, stock=HoldsWhatItSaw)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
