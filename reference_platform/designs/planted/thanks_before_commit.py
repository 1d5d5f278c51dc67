"""Planted: the channel is thanked before anything is written down (X-11)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from reference_platform.answers import Refused
from reference_platform.callbacks import ConfirmedCallbacks
from reference_platform.designs import resilient
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import PaymentChannel, PaymentNotice, PortError, Ports
from reference_platform.wiring import Config

NAME = "planted.thanks_before_commit"
SUMMARY = "Acknowledges a notice at once and processes it in the background."
SUMMARY_ZH = "先应答成功，再在后台处理回调。"
CATCHES = "I-24"
SCENARIO = "node_crash_around_commit"
REAL = ""


class AnswersFirst(ConfirmedCallbacks):
    """The channel wants its answer within five seconds, and the queue in memory never lost one in tests."""

    async def paid(self, channel: PaymentChannel, notice: PaymentNotice) -> None:
        self.shop.ports.tasks.spawn(self.process(channel, notice), "callback")

    async def process(self, channel: PaymentChannel, notice: PaymentNotice) -> None:
        with suppress(Refused, PortError):  # there is nobody left to tell
            await super().paid(channel, notice)


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, callbacks=AnswersFirst)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
