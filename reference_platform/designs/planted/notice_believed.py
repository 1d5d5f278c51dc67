"""Planted: a signed notice is believed, although the channel knows nothing of it (X-13, X-14)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.callbacks import ConfirmedCallbacks
from reference_platform.designs import resilient
from reference_platform.payments import Capture
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import PaymentChannel, PaymentNotice, Ports
from reference_platform.wiring import Config

NAME = "planted.notice_believed"
SUMMARY = "Believes a signed notice without asking the channel."
SUMMARY_ZH = "验签通过就相信，不向渠道核实。"
CATCHES = "I-22"
SCENARIO = "forged_callback"
REAL = "dujiao-next #295, #340"


class SignedIsTrue(ConfirmedCallbacks):
    """That is what signatures are for. A leaked key or a replayed notice was not in the picture."""

    async def confirm(self, channel: PaymentChannel, notice: PaymentNotice) -> Capture:
        return Capture(channel.name, notice.charge_no, notice.paid_fen, notice.transaction_id, notice.paid_us)


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, callbacks=SignedIsTrue)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
