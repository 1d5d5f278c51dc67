"""Planted: the money goes back while a supplier may still deliver (X-21)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.refunds import Refunds
from reference_platform.wiring import Config

NAME = "planted.refund_while_unknown"
SUMMARY = "Grants a refund without asking whether a supplier is still at work."
SUMMARY_ZH = "不管供应商是否还在处理，会员一申请就退款。"
CATCHES = "I-14"
SCENARIO = "callback_reordered_refund"
REAL = ""


class RefundsAnyTime(Refunds):
    """Support wanted refunds at one click; an order that is not delivered looked safe enough."""

    async def check_supplier(self, tx: Transaction, order_id: str) -> None:
        """Not delivered is not delivered."""


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, refunds=RefundsAnyTime)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
