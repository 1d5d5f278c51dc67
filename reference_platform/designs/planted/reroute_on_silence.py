"""Planted: an attempt without an answer counts as failed, and the next supplier gets the order (X-20)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports
from reference_platform.tables import AttemptRow
from reference_platform.topup import TopUps
from reference_platform.wiring import Config

NAME = "planted.reroute_on_silence"
SUMMARY = "Waits three minutes for a supplier that does not answer, and then goes to the next one."
SUMMARY_ZH = "供应商三分钟没有应答就当失败，换下一家再充。"
CATCHES = "I-14"
SCENARIO = "supplier_timeout_succeeded"
REAL = ""


class SilenceIsNo(TopUps):
    """Members wait, and three minutes without an answer look like a no; most of the time they are."""

    def undecided(self, attempt: AttemptRow) -> bool:
        return attempt["status"] in ("sending", "processing")


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, topups=SilenceIsNo)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
