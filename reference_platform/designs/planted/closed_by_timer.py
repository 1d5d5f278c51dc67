"""Planted: an order is closed by the clock, and nobody asks the channel (X-02)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.expiry import Expiry
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports
from reference_platform.tables import OrderRow
from reference_platform.wiring import Config

NAME = "planted.closed_by_timer"
SUMMARY = "Closes an order when its time is over, without asking whether it was paid."
SUMMARY_ZH = "到点就关单，不问渠道付没付。"
CATCHES = "I-20"
SCENARIO = "partition_to_channel"
REAL = "dujiaoka #194"


class ByTheClock(Expiry):
    """Fifteen minutes are fifteen minutes; who has paid by then has surely been heard of.

    It derives from the timer that the ladder starts with: no query, no close at the channel.
    """

    def next_look_us(self, order: OrderRow) -> int:
        return order["expires_us"]


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, expiry=ByTheClock)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
