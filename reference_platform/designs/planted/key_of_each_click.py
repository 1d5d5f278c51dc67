"""Planted: the idempotency key is made unique for each request (X-16)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.idempotency import Idempotency
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import IdempotencyRow
from reference_platform.wiring import Config

NAME = "planted.key_of_each_click"
SUMMARY = "Remembers a client's key together with the request's own number, so no repeat is ever found."
SUMMARY_ZH = "幂等键拼上了请求自己的编号，重复提交永远认不出来。"
CATCHES = "I-26"
SCENARIO = "many_clicks"
REAL = "SSPanel-UIM #2472"


class KeyedByRequest(Idempotency):
    """Two requests under one key once hung on each other's row; with the number added they no longer did."""

    async def claim(
        self, tx: Transaction, key: str, order_id: str, fingerprint: str, status: str
    ) -> IdempotencyRow | None:
        return await super().claim(tx, f"{key}:{order_id}", order_id, fingerprint, status)


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, idempotency=KeyedByRequest)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
