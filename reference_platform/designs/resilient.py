"""Remedy: three-way reconciliation, a second node and a synchronous replica."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import compensated
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports
from reference_platform.reconciliation import BillReconciliation
from reference_platform.wiring import Config

NAME = "resilient"
SUMMARY = (
    "Everything before, on two nodes with a synchronous replica, and every bill compared with the books."
)
SUMMARY_ZH = "以上全部，加双节点、同步复制与三方对账。"
CONFIG = replace(compensated.CONFIG, nodes=2, replication="sync")
PARTS = replace(compensated.PARTS, reconciliation=BillReconciliation)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
