"""Planted: what one supplier left out is bought from the next, for the same order line."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import PortError, Ports, SupplierReply, Transaction
from reference_platform.tables import ATTEMPTS, AttemptRow, OrderRow
from reference_platform.topup import Step, TopUps
from reference_platform.wiring import Config

NAME = "planted.rest_from_next_supplier"
SUMMARY = "Orders the rest of a short delivery from the next supplier instead of refunding it."
SUMMARY_ZH = "一家供应商少发，就向下一家补采购，同一订单行两次供货成功。"
CATCHES = "I-13"
SCENARIO = "short_bulk"
REAL = ""


class BuysTheRest(TopUps):
    """Eighty of a hundred is no success, thought the buyer; but the order line had had its one success.

    Nothing adds the two deliveries up: the order stays open, and the second one is nobody's.
    """

    async def succeeded(
        self, tx: Transaction, order: OrderRow, attempt: AttemptRow, reply: SupplierReply
    ) -> None:
        await super().succeeded(tx, order, attempt, reply)
        suppliers = (await self.shop.catalogue.product(tx, order["sku"]))["suppliers"]
        tried = len(await tx.select(ATTEMPTS, {"order_id": order["order_id"]}))
        missing = order["quantity"] - reply.delivered
        if missing > 0 and tried < len(suppliers):
            rest = self.number(order["order_id"], tried + 1, suppliers[tried], self.clock.now_us())
            await tx.insert(ATTEMPTS, rest)
            step = Step(submit=True, attempt=rest, order={**order, "quantity": missing})
            spawn = self.shop.ports.tasks.spawn
            self.shop.transactions.after_commit(tx, lambda: spawn(self.buy(step), "the rest"))

    async def buy(self, step: Step) -> None:
        reply = await self.submit(step)
        with suppress(PortError):  # the number stays undecided, and people will ask about it
            await self.shop.transactions.run(self.learn, step.attempt["attempt_no"], reply)


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, topups=BuysTheRest)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
