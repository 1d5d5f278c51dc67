"""Planted: the holder of a key dies, and the key is never free again (X-44)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.answers import Refused
from reference_platform.designs import resilient
from reference_platform.idempotency import Idempotency
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import IdempotencyRow
from reference_platform.wiring import Config

NAME = "planted.lease_never_ends"
SUMMARY = "Waits for ever for the request that claimed a key first."
SUMMARY_ZH = "持有幂等键的请求死了，会员永远只看到“处理中”。"
CATCHES = "I-26"
SCENARIO = "many_clicks"
REAL = ""


class ForEverInProgress(Idempotency):
    """`in_progress` was the whole specification of a running key; that its runner can die was not in it."""

    async def take_over(self, tx: Transaction, held: IdempotencyRow, now: int) -> None:  # noqa: ARG002
        raise Refused(503, "in_progress")


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, idempotency=ForEverInProgress)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
