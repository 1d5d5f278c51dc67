"""Planted: a circuit breaker opens, and what was under way behind it is given up (X-28)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, SupplierReply
from reference_platform.tables import AttemptRow
from reference_platform.topup import Step, TopUps
from reference_platform.wiring import Config, Shop

NAME = "planted.breaker_drops_attempts"
SUMMARY = (
    "Stops using a supplier after two silences in a row, and sends its undecided attempts to the next one."
)
SUMMARY_ZH = "供应商连续两次没应答就熔断，在途未决的充值也一并转给下一家。"
CATCHES = "I-14"
SCENARIO = "supplier_timeout_succeeded"
REAL = ""


TRIPS_AT: Final = 2


class OpensOnSilence(TopUps):
    """A breaker is for what comes next. This one was also asked about what had been sent already."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self.silences: dict[str, int] = {}  # in a row, by supplier

    async def submit(self, step: Step) -> SupplierReply:
        return self.heard(step.attempt, await super().submit(step))

    async def ask(self, attempt: AttemptRow) -> SupplierReply:
        return self.heard(attempt, await super().ask(attempt))

    def heard(self, attempt: AttemptRow, reply: SupplierReply) -> SupplierReply:
        """Any answer closes the breaker again."""
        supplier = attempt["supplier"]
        self.silences[supplier] = self.silences.get(supplier, 0) + 1 if reply.status == "unknown" else 0
        return reply

    def undecided(self, attempt: AttemptRow) -> bool:
        return super().undecided(attempt) and self.silences.get(attempt["supplier"], 0) < TRIPS_AT


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, topups=OpensOnSilence)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
