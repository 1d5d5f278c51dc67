"""Remedy: active query and close. The channel is asked, not waited for."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.callbacks import ConfirmedCallbacks
from reference_platform.designs import outbox
from reference_platform.expiry import ActiveExpiry
from reference_platform.payments import Payments
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports
from reference_platform.wiring import Config

NAME = "active_query"
SUMMARY = (
    "Asks the channel early and often, believes no notice unasked, and closes only with the channel's word."
)
SUMMARY_ZH = "主动查单、回调必核实、关单以渠道为准，迟到的付款也认。"
CONFIG = outbox.CONFIG
PARTS = replace(outbox.PARTS, callbacks=ConfirmedCallbacks, payments=Payments, expiry=ActiveExpiry)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
