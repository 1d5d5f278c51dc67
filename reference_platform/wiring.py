"""The parts of one node and how they find each other.

A design names one class for each part (`Parts`) and a few parameters (`Config`). `Shop` makes one
of each. A part reaches its siblings through the shop, so replacing a single part, by a weaker one
in an earlier design or by a broken one in a test of the checkers, needs no other change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from reference_platform.ports import MINUTE, Ports

if TYPE_CHECKING:
    from reference_platform.callbacks import Callbacks
    from reference_platform.catalogue import Catalogue
    from reference_platform.checkout import Checkout
    from reference_platform.expiry import Expiry
    from reference_platform.fulfilment import Fulfilment
    from reference_platform.idempotency import Idempotency
    from reference_platform.jobs import Jobs
    from reference_platform.ledger import Ledger
    from reference_platform.membership import Memberships
    from reference_platform.orders import Orders
    from reference_platform.outbox import Outbox
    from reference_platform.payments import Payments
    from reference_platform.reconciliation import Reconciliation
    from reference_platform.refunds import Refunds
    from reference_platform.remedies import Remedies
    from reference_platform.stock import Stock
    from reference_platform.tickets import Tickets
    from reference_platform.topup import TopUps
    from reference_platform.transactions import Transactions
    from reference_platform.views import Views


@dataclass(frozen=True, slots=True)
class Config:
    """What a design runs on. `policy` names a file of `reference_platform/policies`, or None."""

    nodes: int = 1
    replication: Literal["sync", "async"] = "async"
    pool_size: int = 20
    workers: int = 16
    policy: str | None = None
    expiry_us: int = 15 * MINUTE


@dataclass(frozen=True, slots=True)
class Parts:
    """One class for each part of the platform."""

    transactions: type[Transactions]
    orders: type[Orders]
    ledger: type[Ledger]
    catalogue: type[Catalogue]
    stock: type[Stock]
    memberships: type[Memberships]
    idempotency: type[Idempotency]
    checkout: type[Checkout]
    callbacks: type[Callbacks]
    payments: type[Payments]
    expiry: type[Expiry]
    fulfilment: type[Fulfilment]
    topups: type[TopUps]
    refunds: type[Refunds]
    remedies: type[Remedies]
    outbox: type[Outbox]
    jobs: type[Jobs]
    tickets: type[Tickets]
    reconciliation: type[Reconciliation]
    views: type[Views]


class Part:
    """A part of the platform on one node. It keeps nothing that a crash may not take."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.clock = shop.ports.clock
        self.ids = shop.ports.ids

    def start(self) -> None:
        """Spawn what this part runs in the background and register its jobs. Most parts do neither."""


class Shop:
    """One node's platform, assembled."""

    def __init__(self, parts: Parts, config: Config, ports: Ports) -> None:
        self.ports = ports
        self.config = config
        self.node = ports.node
        self.channels = ports.channels
        self.suppliers = ports.suppliers
        self.transactions = parts.transactions(self)
        self.orders = parts.orders(self)
        self.ledger = parts.ledger(self)
        self.catalogue = parts.catalogue(self)
        self.stock = parts.stock(self)
        self.memberships = parts.memberships(self)
        self.idempotency = parts.idempotency(self)
        self.checkout = parts.checkout(self)
        self.callbacks = parts.callbacks(self)
        self.payments = parts.payments(self)
        self.expiry = parts.expiry(self)
        self.fulfilment = parts.fulfilment(self)
        self.topups = parts.topups(self)
        self.refunds = parts.refunds(self)
        self.remedies = parts.remedies(self)
        self.outbox = parts.outbox(self)
        self.jobs = parts.jobs(self)
        self.tickets = parts.tickets(self)
        self.reconciliation = parts.reconciliation(self)
        self.views = parts.views(self)

    def start(self) -> None:
        """Jobs are registered by the other parts first, and only then taken."""
        for part in (self.expiry, self.topups, self.refunds, self.remedies, self.outbox, self.reconciliation):
            part.start()
        self.jobs.start()
