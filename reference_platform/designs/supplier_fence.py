"""Remedy: the supplier attempt fence. Unknown is neither yes nor no."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import active_query
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports
from reference_platform.topup import TopUps
from reference_platform.wiring import Config

NAME = "supplier_fence"
SUMMARY = (
    "An attempt whose outcome is unknown is asked about under its own number; nothing is rerouted meanwhile."
)
SUMMARY_ZH = "供应商结果未知时按原单号查询，绝不换号换渠道。"
CONFIG = active_query.CONFIG
PARTS = replace(active_query.PARTS, topups=TopUps)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
