"""Remedy: the transactional outbox and durable jobs. What is intended is committed before it is done."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.checkout import Checkout
from reference_platform.designs import callback_idempotent
from reference_platform.expiry import Expiry
from reference_platform.fulfilment import Fulfilment
from reference_platform.jobs import Jobs
from reference_platform.membership import Memberships
from reference_platform.orders import Orders
from reference_platform.outbox import Outbox
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports
from reference_platform.refunds import Refunds
from reference_platform.stock import Stock
from reference_platform.topup import HastyTopUps
from reference_platform.transactions import Transactions
from reference_platform.wiring import Config

NAME = "outbox"
SUMMARY = "Order, stock, intents and events are one transaction; durable jobs do the rest, so a crash loses nothing."
SUMMARY_ZH = "订单、库存、意图与事件同一事务提交，持久任务接力，宕机不丢单。"
CONFIG = callback_idempotent.CONFIG
PARTS = replace(
    callback_idempotent.PARTS,
    transactions=Transactions,
    orders=Orders,
    stock=Stock,
    memberships=Memberships,
    checkout=Checkout,
    expiry=Expiry,
    fulfilment=Fulfilment,
    topups=HastyTopUps,
    refunds=Refunds,
    outbox=Outbox,
    jobs=Jobs,
)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
