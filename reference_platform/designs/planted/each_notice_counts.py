"""Planted: every copy of a notice books the money once more (X-06)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.payments import Capture, Payments
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import InboxRow
from reference_platform.wiring import Config

NAME = "planted.each_notice_counts"
SUMMARY = "Books the capture at each copy of a notice."
SUMMARY_ZH = "每收到一次回调就记一次账。"
CATCHES = "I-23"
SCENARIO = "callback_doubled"
REAL = "dujiaoka #97"


class BooksEachNotice(Payments):
    """The inbox row says that a notice was here; the booking was added later, and above that check."""

    async def notified(self, tx: Transaction, capture: Capture, notice: InboxRow) -> None:
        if await self.receive(tx, notice):
            await self.apply(tx, capture)
        else:
            await self.shop.ledger.capture(tx, capture.order_id, capture.channel, capture.paid_fen)


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, payments=BooksEachNotice)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
