"""Planted: two buyers are handed the same card (X-29)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.stock import Stock
from reference_platform.tables import CARDS, ORDERS
from reference_platform.wiring import Config

NAME = "planted.card_picked_without_lock"
SUMMARY = "Holds nothing at order time and picks the first available cards at payment, without a lock."
SUMMARY_ZH = "下单不锁库存，付款时不加锁地挑第一张可用的卡。"
CATCHES = "I-09"
SCENARIO = "step_peak"
REAL = "vendure #3508"


class PicksAtPayment(Stock):
    """Reservations of people who never pay hold up the sale, so cards are picked when the money is there.

    Between looking and writing, another payment looks at the same row.
    """

    async def reserve(self, tx: Transaction, sku: str, order_id: str, quantity: int) -> bool:  # noqa: ARG002
        return await self.shown(tx, sku) >= quantity

    async def consume(self, tx: Transaction, order_id: str) -> int:
        order = await tx.get(ORDERS, order_id)
        if order is None or await tx.select(CARDS, {"order_id": order_id}):
            return 0
        wanted = {"sku": order["sku"], "status": "available"}
        cards = await tx.select(CARDS, wanted, order_by="card_id", limit=order["quantity"])
        for card in cards:
            await tx.update(CARDS, card["card_id"], {"status": "sold", "order_id": order_id})
        return len(cards)


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, stock=PicksAtPayment)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
