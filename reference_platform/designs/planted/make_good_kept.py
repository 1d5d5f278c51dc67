"""Planted: the goods arrive after the make-good, and the member keeps both (X-38)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports
from reference_platform.wiring import Config

NAME = "planted.make_good_kept"
SUMMARY = "Leaves the make-good with the member when the goods arrive after all."
SUMMARY_ZH = "补偿之后货又到了，补偿却没有收回。"
CATCHES = "I-31"
SCENARIO = "make_good_then_original"
REAL = ""

# Crediting members was this year's project and taking credits back next year's, so the rule for it is
# in the policy and off.
CONFIG = replace(resilient.CONFIG, policy="credits_by_hand")
PARTS = resilient.PARTS


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
