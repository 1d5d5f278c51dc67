"""Planted: a supplier is called inside a transaction, which then fails (X-27)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, SupplierReply, Transaction
from reference_platform.tables import AttemptRow
from reference_platform.topup import Step, TopUps
from reference_platform.wiring import Config, Shop

NAME = "planted.bought_inside_transaction"
SUMMARY = (
    "Buys from a supplier and writes down the attempt in one transaction; a rollback forgets the purchase."
)
SUMMARY_ZH = "在数据库事务里向供应商下单，事务回滚，买过的事就没了记录。"
CATCHES = "I-13"
SCENARIO = "crash_while_buying"
REAL = ""


class BuysBeforeCommit(TopUps):
    """Order and purchase were to be one thing: both or neither. The supplier does not take part in rollbacks."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self.replies: dict[str, SupplierReply] = {}

    async def decide(self, tx: Transaction, order_id: str) -> Step | int | None:
        step = await super().decide(tx, order_id)
        if isinstance(step, Step) and step.submit:
            self.replies[step.attempt["attempt_no"]] = await super().submit(step)
        return step

    async def submit(self, step: Step) -> SupplierReply:
        return self.replies.pop(step.attempt["attempt_no"])

    def number(self, order_id: str, n: int, supplier: str, now: int) -> AttemptRow:
        return {**super().number(order_id, n, supplier, now), "attempt_no": f"{order_id}/s{n}-{now}"}


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, topups=BuysBeforeCommit)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
