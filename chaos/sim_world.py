"""The simulated world of one run: every part made, named, and wired together.

The layout is always the same: `users` → `edge` → `platform-1` …, which call `database`, each channel
and each supplier; channels and suppliers call back through `edge`. Latencies are constants here,
because jitter is a fault's business.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from chaos.history import SCHEMA, Header, History
from chaos.nemesis import Nemesis, Plan, WatchedHistory
from chaos.sim_faults import SimFaults
from reference_platform.designs import Design
from reference_platform.ports import DAY, HOUR, MINUTE, PortError, Ports
from reference_platform.tables import CARDS, MEMBERSHIPS, ORDERS, PRODUCTS, TABLES, TICKETS, WALLETS
from scenarios.faults.link import LinkRule
from scenarios.model import Scenario
from scenarios.workload import Burst, Constant, Product, StepPeak, Workload
from sim import traffic
from sim.clock import EPOCH_US
from sim.counterparties.adapters import (
    ChannelPort,
    NoticePort,
    SupplierPort,
    channel_node,
    post_by,
    supplier_node,
    users_node,
)
from sim.counterparties.channel import Channel
from sim.counterparties.contracts import CONTRACTS
from sim.counterparties.signatures import MacSeal, Seal
from sim.counterparties.supplier import Supplier
from sim.database.config import DatabaseConfig
from sim.database.server import DatabaseServer
from sim.edge import Edge
from sim.ids import StableIds
from sim.kernel import HarnessError, Kernel
from sim.network import Network
from sim.node import Handler, Incarnation, Node
from sim.people import Members, Phone, Shop, Staff
from sim.randomness import Streams, Weighted
from sim.traffic import Arrival, Demand, arrivals

APP_ID = "app-shop"
QUIET_US = 24 * HOUR + 24 * MINUTE
"""How long after the heal a run goes on: past the last retry of every counterparty."""

# A quiet order takes about 150 steps of the kernel; storms with retries take some times that.
STEPS_MAX = 2_000_000
STEPS_PER_ORDER_MAX = 50_000

LATENCY_US = {"users": 15_000, "counterparty": 20_000, "database": 0, "notice": 40_000}
VERSION = "0.1.0"


class SimWorld:
    """Scenario, design and seed made into a world, ready to run."""

    def __init__(
        self,
        scenario: Scenario,
        design: Design,
        seed: int,
        plan: Plan | None = None,
        sink: Callable[[History], None] | None = None,
        keep: Container[int] | None = None,
    ) -> None:
        self.scenario = scenario
        self.design = design
        self.config = replace(design.config, expiry_us=scenario.timing.expiry)
        self.kernel = kernel = Kernel()
        kernel.steps_max = STEPS_MAX + STEPS_PER_ORDER_MAX * scenario.workload.orders
        self.streams = streams = Streams(seed)
        timing = scenario.timing
        self.ids = StableIds()
        self.heal_us = timing.safety
        self.settle_by_us = timing.safety + timing.deadline
        self.end_us = self.settle_by_us + QUIET_US
        self.history = WatchedHistory(self._header(seed), partial(getattr, kernel, "now"))
        if sink is not None:
            sink(self.history)
        self.nemesis = Nemesis(
            scenario.faults,
            kernel=kernel,
            streams=streams,
            history=self.history,
            heal_us=self.heal_us,
            plan=plan,
        )
        if self.nemesis.watched:
            self.history.watch(self.nemesis)
        self.network = Network(kernel, streams)
        self.links_at_risk = any(
            isinstance(rule, LinkRule) and _hits_database(rule) for rule in scenario.faults
        )
        self.database = self._database()
        self._connect()
        self._counterparties()
        self.nodes = {name: self._node(name) for name in self.node_names()}
        for node in self.nodes.values():
            self.network.attach(node)
        self.network.attach(Edge(kernel, self.network, list(self.nodes.values())))
        self.faults = SimFaults(self.network, self.nodes, self.database)
        self.faults.take_orders_from(self.nemesis)
        self.nemesis.schedule(self.faults)
        self._load()
        for node in self.nodes.values():
            node.start()
        self.orders: dict[str, str] = {}  # order id -> its member, as committed
        self.phone = Phone(kernel, self.network, self.history, self.channels)
        self.staff = Staff(kernel, self.network, streams, epoch_us=EPOCH_US)
        self._people(keep)

    def node_names(self) -> tuple[str, ...]:
        """The platform's nodes in this design."""
        count = self.scenario.knobs.nodes or self.design.config.nodes
        return tuple(f"platform-{number}" for number in range(1, count + 1))

    def reading_us(self) -> int:
        """Long enough for all final reads, one after the other."""
        return HOUR + MINUTE * (len(self.orders) + 2 * self.scenario.workload.members)

    # -------------------------------------------------------- parts

    def _header(self, seed: int) -> Header:
        scenario, workload = self.scenario, self.scenario.workload
        return Header(
            schema=SCHEMA,
            version=VERSION,
            scenario=scenario.name,
            design=self.design.name,
            seed=seed,
            heal_us=self.heal_us,
            settle_by_us=self.settle_by_us,
            end_us=self.end_us,
            policy=self.design.policy_summary(),
            facts={
                "epoch_us": EPOCH_US,
                "expiry_us": scenario.timing.expiry,
                "products": {product.sku: _product_facts(product) for product in workload.products},
                "wallets": self._opening_wallets(),
                "members": self._members(),
                "state_deadlines_us": STATE_DEADLINES_US | {"created": scenario.timing.expiry + 10 * MINUTE},
            },
        )

    def _opening_wallets(self) -> dict[str, int]:
        opening = self.scenario.workload.wallet_fen
        return dict.fromkeys(self.users(), opening) if opening else {}

    def _members(self) -> dict[str, int]:
        """Who is a member when the run begins, and until when by the platform's clock."""
        share = self.scenario.workload.members_with_membership
        chance = self.streams.chance
        return {user: EPOCH_US + 20 * DAY for user in self.users() if chance("members", share, user)}

    def users(self) -> list[str]:
        """Every member's name."""
        return [f"u{number}" for number in range(self.scenario.workload.members)]

    def _database(self) -> DatabaseServer:
        config, knobs = self.design.config, self.scenario.knobs
        replication = knobs.replication or config.replication
        lag_us = knobs.replica_lag
        if lag_us is None:
            lag_us = REPLICA_LAG_US if replication == "async" else 0
        return DatabaseServer(
            self.kernel,
            TABLES,
            DatabaseConfig(
                pool_size=knobs.pool_size or config.pool_size,
                replication=replication,
                replica_lag_us=lag_us,
            ),
            on_commit=self._committed,
            on_revert=self._reverted,
        )

    def _committed(self, tx: int, node: str, changes: list[Any]) -> None:
        state = self.history.state
        for table, op, key, row in changes:
            state(tx, node, table.book, table.name, op, key, row)
            if op == "insert":
                if table is ORDERS:
                    self.orders[key] = row["user"]
                elif table is TICKETS:
                    self.staff.on_ticket()

    def _reverted(self, tx: int, changes: list[Any]) -> None:
        for table, op, key, row in changes:
            self.history.state(tx, "database", table.book, table.name, op, key, row)
            if table is ORDERS and row is None:
                self.orders.pop(key, None)

    def _people(self, keep: Container[int] | None) -> None:
        """Members, and the traffic that brings them."""
        workload = self.scenario.workload
        shop = Shop(
            kinds={product.sku: product.kind for product in workload.products},
            prices_fen={product.sku: product.price_fen for product in workload.products},
        )
        members = Members(self.kernel, self.phone, self.streams, shop, self.nemesis)
        members.start(wishes(workload, self.streams, keep))

    def _connect(self) -> None:
        network, workload = self.network, self.scenario.workload
        network.connect("users", "edge", LATENCY_US["users"])
        network.connect("edge", "platform-*", 0)
        network.connect("platform-*", "database", LATENCY_US["database"])
        network.connect("platform-*", "replica", LATENCY_US["database"])
        network.connect("platform-*", "users", LATENCY_US["notice"])
        for party in (*workload.channels(), *workload.suppliers()):
            network.connect(party, "edge", LATENCY_US["counterparty"])
            network.connect("platform-*", party, LATENCY_US["counterparty"])
            network.connect("users", party, LATENCY_US["users"])

    def _counterparties(self) -> None:
        workload = self.scenario.workload
        self.seals: dict[str, Seal] = {
            name: MacSeal(f"key of {name}".encode()) for name in (*workload.channels(), *workload.suppliers())
        }
        shared: dict[str, Any] = {
            "timers": self.kernel,
            "recorder": self.history,
            "streams": self.streams,
            "epoch_us": EPOCH_US,
            "storm": self.nemesis,
        }
        self.channels: dict[str, Channel] = {}
        for name in workload.channels():
            post = post_by(self.kernel, self.network, name)
            channel = Channel(
                name, CONTRACTS[name], app_id=APP_ID, post=post, seal=self.seals[name], **shared
            )
            self.channels[name] = channel
            self._host(name, channel_node(self.kernel, channel))
        self.suppliers: dict[str, Supplier] = {}
        for name in workload.suppliers():
            post = post_by(self.kernel, self.network, name)
            supplier = Supplier(name, post=post, seal=self.seals[name], **shared)
            self.suppliers[name] = supplier
            self._host(name, supplier_node(self.kernel, supplier))
        self._host("users", users_node(self.history))

    def _host(self, name: str, boot: Callable[[Incarnation], Handler]) -> None:
        node = Node(self.kernel, name, boot)
        self.network.attach(node)
        node.start()

    def _node(self, name: str) -> Node:
        workers = self.scenario.knobs.workers or self.design.config.workers
        return Node(self.kernel, name, self._boot, workers=workers, on_error=_task_died)

    def _boot(self, incarnation: Incarnation) -> Handler:
        """What a platform node runs, from the first start and again after each crash."""
        name = incarnation.name
        ways = [
            self.network.link_delay(name, end) if self.links_at_risk else None
            for end in ("database", "replica")
        ]
        client = self.database.connect(name, *ways)
        incarnation.on_crash.append(lambda: self.database.abandon(name))
        ports = Ports(
            node=name,
            clock=incarnation.clock,
            database=client,
            channels={
                key: ChannelPort(channel, self.seals[key], incarnation, self.network)
                for key, channel in self.channels.items()
            },
            suppliers={
                key: SupplierPort(key, self.seals[key], incarnation, self.network) for key in self.suppliers
            },
            notifier=NoticePort(incarnation, self.network),
            ids=self.ids,
            tasks=incarnation,
        )
        platform = self.design.build(ports, self.config)
        platform.start()
        return platform.handle

    def _load(self) -> None:
        """What is in the database before the run: products, stock, wallets, memberships."""
        load = self.database.load
        for product in self.scenario.workload.products:
            load(PRODUCTS, [_product_row(product)])
            load(CARDS, [_card_row(product.sku, n) for n in range(1, product.stock + 1)])
        load(
            WALLETS,
            [{"user": u, "balance_fen": f, "provisional_fen": 0} for u, f in self._opening_wallets().items()],
        )
        load(MEMBERSHIPS, [{"user": user, "until_us": until} for user, until in self._members().items()])


STATE_DEADLINES_US = {
    "closing": 20 * MINUTE,
    "paid": 40 * MINUTE,
    "paid_late": 40 * MINUTE,
    "fulfilling": 60 * MINUTE,
    "held": 40 * MINUTE,
    "refunding": 60 * MINUTE,
}
REPLICA_LAG_US = 100_000


def _hits_database(rule: LinkRule) -> bool:
    """Whether the rule can hit the way to the database or its replica."""
    return any(fnmatchcase(store, end) for end in rule.between for store in ("database", "replica"))


def _task_died(task: str, error: BaseException) -> None:
    """Background work that trips over the world dies alone, as on a real server; a bug stops the run."""
    if not isinstance(error, PortError):
        raise HarnessError(f"task {task} failed and nobody awaits it: {error!r}") from error


def wishes(workload: Workload, streams: Streams, keep: Container[int] | None = None) -> Iterator[Arrival]:
    """Who orders what, and when; with `keep`, only the arrivals of these numbers."""
    ranks = range(1, len(workload.products) + 1)
    weights = [
        rank**-workload.zipf if workload.zipf else product.weight
        for rank, product in zip(ranks, workload.products, strict=True)
    ]
    demand = Demand(
        people=workload.members,
        products=Weighted([product.sku for product in workload.products], weights),
        pay_with=Weighted(workload.pay_with.keys(), workload.pay_with.values()),
        quantity_min=workload.quantity.min,
        quantity_max=workload.quantity.max,
    )
    return arrivals(streams, _shape(workload.arrivals), demand, workload.orders, keep)


def _shape(wanted: Constant | StepPeak | Burst) -> traffic.Shape:
    if isinstance(wanted, Constant):
        return traffic.Constant(wanted.rate_per_s)
    if isinstance(wanted, StepPeak):
        return traffic.StepPeak(wanted.base_per_s, wanted.factor, wanted.at, wanted.ramp, wanted.half_life)
    return traffic.Burst(wanted.within)


def _product_facts(product: Product) -> dict[str, Any]:
    return {
        "kind": product.kind,
        "unit_fen": product.price_fen,
        "member_fen": product.member_price_fen or product.price_fen,
        "days": product.days,
        "suppliers": list(product.suppliers),
        "disclosed_wait_us": product.disclosed_wait,
        "loaded": product.stock,
    }


def _product_row(product: Product) -> dict[str, Any]:
    facts = _product_facts(product)
    shown = facts.pop("loaded")
    return {"sku": product.sku, **facts, "suppliers": product.suppliers, "shown": shown}


def _card_row(sku: str, number: int) -> dict[str, Any]:
    card_id = f"{sku}#{number:07d}"
    return {
        "card_id": card_id,
        "sku": sku,
        "secret": f"secret of {card_id}",
        "status": "available",
        "order_id": "",
    }
