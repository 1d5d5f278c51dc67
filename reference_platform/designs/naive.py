"""The platform of the complaints: one server, and trust in callbacks, timers and suppliers."""

from __future__ import annotations

from reference_platform.careless import (
    AnyOrder,
    ChargeFirst,
    CountedStock,
    EveryGrant,
    InlineFulfilment,
    InMemoryTimer,
    TrustingCallbacks,
)
from reference_platform.careless_supply import InlineTopUps, UnlockedRefunds
from reference_platform.catalogue import Catalogue
from reference_platform.idempotency import Idempotency
from reference_platform.jobs import NoJobs
from reference_platform.ledger import Ledger
from reference_platform.outbox import TellDirectly
from reference_platform.payments import KnownOrders
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports
from reference_platform.reconciliation import Reconciliation
from reference_platform.remedies import Remedies
from reference_platform.tickets import Tickets
from reference_platform.transactions import OneTry
from reference_platform.views import Views
from reference_platform.wiring import Config, Parts

NAME = "naive"
SUMMARY = "Fulfils on every callback, closes by timer, reroutes on silence; nothing is locked or remembered."
SUMMARY_ZH = "收到回调就发货、到点就关单、超时就换渠道；不加锁，也不留底。"
CONFIG = Config(nodes=1, replication="async")
PARTS = Parts(
    transactions=OneTry,
    orders=AnyOrder,
    ledger=Ledger,
    catalogue=Catalogue,
    stock=CountedStock,
    memberships=EveryGrant,
    idempotency=Idempotency,
    checkout=ChargeFirst,
    callbacks=TrustingCallbacks,
    payments=KnownOrders,
    expiry=InMemoryTimer,
    fulfilment=InlineFulfilment,
    topups=InlineTopUps,
    refunds=UnlockedRefunds,
    remedies=Remedies,
    outbox=TellDirectly,
    jobs=NoJobs,
    tickets=Tickets,
    reconciliation=Reconciliation,
    views=Views,
)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
