"""Remedy: the idempotent inbox. A notice counts once, however often it comes."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.callbacks import Callbacks
from reference_platform.designs import naive
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports
from reference_platform.wiring import Config

NAME = "callback_idempotent"
SUMMARY = "Each callback is remembered and applied once, with the order's row locked and its amount compared."
SUMMARY_ZH = "每个回调只生效一次：先入收件箱、锁住订单并核对金额。"
CONFIG = naive.CONFIG
PARTS = replace(naive.PARTS, callbacks=Callbacks)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
