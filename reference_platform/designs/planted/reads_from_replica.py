"""Planted: members read their orders from a replica that lags (X-42)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.answers import ok
from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Request, Response
from reference_platform.views import Views
from reference_platform.wiring import Config

NAME = "planted.reads_from_replica"
SUMMARY = "Serves a member's own order from the replica."
SUMMARY_ZH = "会员查自己的订单读的是从库，主从一延迟就“倒退”。"
CATCHES = "I-17"
SCENARIO = "database_failover"
REAL = ""


class ReplicaViews(Views):
    """Reads are nine tenths of the load, and on a quiet day the replica is only a moment behind."""

    async def order(self, request: Request) -> Response:
        async with self.shop.ports.database.transaction(replica=True) as tx:
            return ok(await self.read_order(tx, request.user, request.body.get("order_id") or ""))


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, views=ReplicaViews)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
