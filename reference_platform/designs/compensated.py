"""Remedy: saga and compensation. What cannot be delivered is made good, by rules and on time."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.compensation import Engine
from reference_platform.designs import supplier_fence
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports
from reference_platform.wiring import Config

NAME = "compensated"
SUMMARY = "A policy decides what members are owed when something fails, and an engine pays it exactly once."
SUMMARY_ZH = "按赔付策略自动补偿，每次事故只赔一次。"
CONFIG = replace(supplier_fence.CONFIG, policy="standard")
PARTS = replace(supplier_fence.PARTS, remedies=Engine)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
