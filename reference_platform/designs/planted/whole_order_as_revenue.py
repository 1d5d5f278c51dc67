"""Planted: a part delivery is booked as if it were the whole order."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.ledger import Ledger
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import ORDERS
from reference_platform.wiring import Config

NAME = "planted.whole_order_as_revenue"
SUMMARY = "Books the whole order as revenue as soon as anything of it is delivered."
SUMMARY_ZH = "只要发了一部分货，就把整单记成收入。"
CATCHES = "I-01"
SCENARIO = "short_bulk"
REAL = ""


class RevenueAtOnce(Ledger):
    """Finance asked for one revenue entry an order; most orders are delivered whole, so the books agree.

    The refund of what is missing then finds nothing in suspense to be taken from.
    """

    async def delivery(self, tx: Transaction, order_id: str, amount_fen: int) -> None:
        order = await tx.get(ORDERS, order_id)
        await super().delivery(tx, order_id, amount_fen if order is None else order["captured_fen"])


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, ledger=RevenueAtOnce)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
