"""Planted: the channel refuses to close a paid charge, and the order is closed all the same."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.expiry import ActiveExpiry
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Rejected
from reference_platform.tables import ChargeRow
from reference_platform.wiring import Config

NAME = "planted.already_paid_is_closed"
SUMMARY = "Takes every answer to a close for closed, ORDERPAID too."
SUMMARY_ZH = "渠道答复“已支付，不能关单”，平台也当成关单成功。"
CATCHES = "I-20"
SCENARIO = "callback_after_close"
REAL = ""


class AnyAnswerWillDo(ActiveExpiry):
    """The close failed now and then with codes nobody had read up on; the charge was over in any case."""

    async def settle(self, charge: ChargeRow) -> bool:
        try:
            await self.shop.channels[charge["channel"]].close(charge["charge_no"])
        except Rejected:
            return True
        return True


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, expiry=AnyAnswerWillDo)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
