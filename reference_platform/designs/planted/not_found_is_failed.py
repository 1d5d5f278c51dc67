"""Planted: the supplier has not found an attempt yet, and that counts as failed (X-21)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, SupplierReply
from reference_platform.tables import AttemptRow
from reference_platform.topup import TopUps
from reference_platform.wiring import Config

NAME = "planted.not_found_is_failed"
SUMMARY = "Takes a supplier's first word that it knows no such attempt for a failure, and goes to the next supplier."
SUMMARY_ZH = "供应商查单一说“查无此单”就当失败，马上换一家再充。"
CATCHES = "I-14"
SCENARIO = "supplier_not_found_yet"
REAL = ""


class AbsentIsNo(TopUps):
    """What is not there did not happen; that the supplier's query lags by ten minutes is on page 40."""

    def verdict(self, attempt: AttemptRow, reply: SupplierReply) -> str:
        return "fail" if reply.status == "not_found" else super().verdict(attempt, reply)


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, topups=AbsentIsNo)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
