"""Planted: two workers pay the same make-good (X-39)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reference_platform.compensation import Deed, Engine
from reference_platform.designs import resilient
from reference_platform.facts import Case
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.policy import Rule
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import COMPENSATIONS, OrderRow
from reference_platform.wiring import Config

NAME = "planted.two_workers_compensate"
SUMMARY = "Has the job line and a timer in memory make good, and trusts a unique row to stop the second."
SUMMARY_ZH = "任务队列和内存定时器各补偿一次，只靠唯一键挡住第二条记录，钱却发了两遍。"
CATCHES = "I-29"
SCENARIO = "make_good_then_original"
REAL = ""


class BeltAndBraces(Engine):
    """The job line once lagged, so each node got a timer as well. The unique key stops the second row.

    It does not stop the second credit, which is written before it.
    """

    async def captured(self, tx: Transaction, order: OrderRow) -> None:
        await super().captured(tx, order)
        spawn = self.shop.ports.tasks.spawn
        self.shop.transactions.after_commit(tx, lambda: spawn(self.backstop(order), "backstop"))

    async def backstop(self, order: OrderRow) -> None:
        """At the same moment as the job, whether or not that runs."""
        for rule in self.by_moment.get("captured", ()):
            await self.clock.sleep(order["paid_us"] + rule.after - self.clock.now_us())
            await self.run_rule(f"{rule.id}|{order['order_id']}|{order['order_id']}", 1)

    def compensated(self, rule: Rule, case: Case) -> bool:
        return rule.moment != "captured" and super().compensated(rule, case)

    async def record(
        self, tx: Transaction, rule: Rule, case: Case, amount_fen: int, evidence: dict[str, Any], deed: Deed
    ) -> None:
        if not await tx.select(COMPENSATIONS, {"order_id": case.order_id}) or rule.moment != "captured":
            await super().record(tx, rule, case, amount_fen, evidence, deed)


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, remedies=BeltAndBraces)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
