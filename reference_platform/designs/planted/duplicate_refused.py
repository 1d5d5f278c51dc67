"""Planted: a notice that was processed before is refused (X-07)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.answers import Refused
from reference_platform.designs import resilient
from reference_platform.payments import Capture, Payments
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import InboxRow
from reference_platform.wiring import Config

NAME = "planted.duplicate_refused"
SUMMARY = "Answers a repeated notice with an error, so that the channel keeps calling."
SUMMARY_ZH = "重复的回调一律报错，渠道于是不停重试。"
CATCHES = "I-23"
SCENARIO = "callback_reordered_refund"
REAL = ""


class OnceOnly(Payments):
    """Processing twice would be wrong, so the second is an error. The channel only hears: not received."""

    async def notified(self, tx: Transaction, capture: Capture, notice: InboxRow) -> None:
        if not await self.receive(tx, notice):
            raise Refused(409, "duplicate")
        await self.apply(tx, capture)


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, payments=OnceOnly)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
