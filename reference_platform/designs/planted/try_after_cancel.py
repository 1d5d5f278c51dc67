"""Planted: the cancel comes first and finds nothing, then the try succeeds and stays (X-37)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from reference_platform.checkout import Checkout
from reference_platform.designs import resilient
from reference_platform.expiry import ActiveExpiry
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import HOUR, MINUTE, Ports, Transaction
from reference_platform.tables import CARDS, ORDERS, OrderRow
from reference_platform.wiring import Config

NAME = "planted.try_after_cancel"
SUMMARY = "Takes orders without stock and tries each minute to reserve for them, also when they are closed."
SUMMARY_ZH = "缺货也接单，每分钟补一次预占；订单关掉之后，补占才成功，再也没人释放。"
CATCHES = "I-12"
SCENARIO = "late_without_stock"
REAL = ""


AGAIN_US: Final = MINUTE


class TakesOrdersInHope(Checkout):
    """Cards come back all day from orders that nobody pays, so a sale need not be lost for want of one now."""

    async def reserve(self, tx: Transaction, order: OrderRow) -> None:
        if not await self.shop.stock.reserve(tx, order["sku"], order["order_id"], order["quantity"]):
            await self.shop.jobs.schedule(tx, "reserve", order["order_id"], self.clock.now_us() + AGAIN_US)


class TriesUntilItWorks(ActiveExpiry):
    """The close gives back what is reserved: nothing, as yet. That a try may come after it was not thought of."""

    def start(self) -> None:
        super().start()
        self.shop.jobs.handlers["reserve"] = self.try_again

    async def try_again(self, order_id: str, tries: int) -> int | None:  # noqa: ARG002 - a handler's signature
        """Reserve if there is anything now; when to try again."""
        done = await self.shop.transactions.run(self.attempt, order_id)
        return None if done else self.clock.now_us() + AGAIN_US

    async def attempt(self, tx: Transaction, order_id: str) -> bool:
        """Whether it worked, or there is no more point in trying: nobody waits for longer than an hour."""
        order = await tx.get(ORDERS, order_id, lock="wait")
        if order is None or self.clock.now_us() > order["created_us"] + HOUR:
            return True
        if await tx.select(CARDS, {"order_id": order_id}):
            return True
        return await self.shop.stock.reserve(tx, order["sku"], order_id, order["quantity"])


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, checkout=TakesOrdersInHope, expiry=TriesUntilItWorks)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
