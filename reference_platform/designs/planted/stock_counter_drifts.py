"""Planted: the stock counter goes down and never up again (X-30)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.stock import Stock
from reference_platform.tables import CARDS, PRODUCTS
from reference_platform.wiring import Config

NAME = "planted.stock_counter_drifts"
SUMMARY = "Keeps a stock counter that reservations lower and releases forget to raise."
SUMMARY_ZH = "库存计数下单就减，关单却忘了加回去，越卖越少。"
CATCHES = "I-10"
SCENARIO = "callback_after_close"
REAL = "dujiaoka #328"


class CountsDownOnly(Stock):
    """Counting rows was slow on a large stock. The way back, from closed orders, was written by another team."""

    async def hold(self, tx: Transaction, card_ids: tuple[str, ...], order_id: str) -> None:
        await super().hold(tx, card_ids, order_id)
        card = await tx.get(CARDS, card_ids[0])
        if card is not None:
            await tx.update(PRODUCTS, card["sku"], lambda row: {"shown": row["shown"] - len(card_ids)})

    async def shown(self, tx: Transaction, sku: str) -> int:
        product = await tx.get(PRODUCTS, sku)
        return 0 if product is None else product["shown"]


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, stock=CountsDownOnly)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
