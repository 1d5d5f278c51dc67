"""Planted: the second payment of an order is kept (X-15)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports
from reference_platform.wiring import Config

NAME = "planted.extra_capture_kept"
SUMMARY = "Leaves further payments of an order to finance, who never hear of them."
SUMMARY_ZH = "同一订单多收的钱留给财务手工处理，财务却从未收到通知。"
CATCHES = "I-03"
SCENARIO = "double_capture"
REAL = ""

# The rule was switched off in the policy when finance wanted to see each case first; the ticket that
# would have shown it to them was never written.
CONFIG = replace(resilient.CONFIG, policy="refunds_by_hand")
PARTS = resilient.PARTS


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
