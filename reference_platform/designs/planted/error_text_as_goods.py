"""Planted: an error text is handed out as a card secret (X-31)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.stock import Stock
from reference_platform.wiring import Config

NAME = "planted.error_text_as_goods"
SUMMARY = "Takes the stock service's answer line by line for cards, and an error is one line as well."
SUMMARY_ZH = "把库存服务的应答按行当作卡密，报错文字也算一行，于是当成货发了出去。"
CATCHES = "I-02"
SCENARIO = "late_without_stock"
REAL = "acg-faka #810, #913, #940"
SOLD_OUT = "Sold out. Please contact support."


class LinesAreCards(Stock):
    """Whoever moved the cards into a service parsed its answer by lines; in tests there was always stock."""

    async def consume(self, tx: Transaction, order_id: str) -> int:
        return await super().consume(tx, order_id) or len(SOLD_OUT.splitlines())

    async def secrets(self, tx: Transaction, order_id: str) -> list[str]:
        return await super().secrets(tx, order_id) or SOLD_OUT.splitlines()


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, stock=LinesAreCards)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
