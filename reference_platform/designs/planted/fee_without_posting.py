"""Planted: the channel's fee is taken off one side of the entry only."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.ledger import Ledger
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import POSTINGS, PostingRow
from reference_platform.wiring import Config

NAME = "planted.fee_without_posting"
SUMMARY = "Books captures net of the channel's fee and forgets the line for the fee."
SUMMARY_ZH = "入账时扣掉渠道手续费，却漏记手续费这一行，借贷不平。"
CATCHES = "I-07"
SCENARIO = "calm_trade"
REAL = ""
FEE_PER_MILLE = 6


class NetOfFee(Ledger):
    """Written to agree with the bank statement, which is net; straight into the table, as `post` refused it."""

    async def capture(self, tx: Transaction, order_id: str, channel: str, amount_fen: int) -> None:
        net_fen = amount_fen - amount_fen * FEE_PER_MILLE // 1000
        entry: PostingRow = {
            "posting_id": self.ids.new("posting", order_id),
            "posting": "capture",
            "order_id": order_id,
            "lines": ((f"channel:{channel}", net_fen), ("suspense", -amount_fen)),
            "at_us": self.clock.now_us(),
        }
        await tx.insert(POSTINGS, entry)


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, ledger=NetOfFee)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
