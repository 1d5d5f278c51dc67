"""Planted: a supplier's success is believed and never asked about again."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports
from reference_platform.topup import TopUps
from reference_platform.wiring import Config

NAME = "planted.success_never_checked"
SUMMARY = "Believes a supplier's success for good and never asks again."
SUMMARY_ZH = "供应商说成功就是成功，从不复核。"
CATCHES = "I-30"
SCENARIO = "false_success"
REAL = ""


class TakesTheirWord(TopUps):
    """Each check cost a query of a small quota. A supplier that lies is paid, and the phone stays empty."""

    async def confirm(self, attempt_no: str, tries: int) -> int | None:  # noqa: ARG002 - a handler's signature
        return None


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, topups=TakesTheirWord)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
