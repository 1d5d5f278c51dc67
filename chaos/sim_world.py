"""The simulated world of one run: every part made, named, and wired together.

The layout is always the same: `users` → `edge` → `platform-1` …, which call `database`, each channel
and each supplier; channels and suppliers call back through `edge`. Latencies are constants here,
because jitter is a fault's business.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from chaos.history import History
from chaos.nemesis import Nemesis, Plan, WatchedHistory
from chaos.opening import APP_ID, Opening
from chaos.sim_faults import SimFaults
from reference_platform.designs import Design
from reference_platform.ports import HOUR, MINUTE, PortError, Ports
from reference_platform.tables import ORDERS, TABLES, TICKETS
from scenarios.faults.link import LinkRule
from scenarios.model import Scenario
from sim.clock import EPOCH_US
from sim.counterparties.adapters import (
    ChannelPort,
    HostedTill,
    NoticePort,
    SupplierPort,
    channel_node,
    post_by,
    supplier_node,
    users_node,
)
from sim.counterparties.channel import Channel
from sim.counterparties.contracts import CONTRACTS
from sim.counterparties.supplier import Supplier
from sim.database.config import DatabaseConfig
from sim.database.server import DatabaseServer
from sim.edge import Edge
from sim.ids import StableIds
from sim.kernel import HarnessError, Kernel
from sim.network import Network
from sim.node import Handler, Incarnation, Node
from sim.people import Members, Phone, Staff

# A quiet order takes about 150 steps of the kernel; storms with retries take some times that.
STEPS_MAX = 2_000_000
STEPS_PER_ORDER_MAX = 50_000


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
        self.opening = opening = Opening(scenario, design, seed)
        self.kernel = kernel = Kernel()
        kernel.steps_max = STEPS_MAX + STEPS_PER_ORDER_MAX * scenario.workload.orders
        self.streams = streams = opening.streams
        self.ids = StableIds()
        self.heal_us = opening.heal_us
        self.end_us = opening.end_us
        self.history = WatchedHistory(opening.header(), partial(getattr, kernel, "now"))
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
        self.nodes = {name: self._node(name) for name in opening.node_names()}
        for node in self.nodes.values():
            self.network.attach(node)
        self.network.attach(Edge(kernel, self.network, list(self.nodes.values())))
        self.faults = SimFaults(self.network, self.nodes, self.database, self.outside)
        self.faults.take_orders_from(self.nemesis)
        self.nemesis.schedule(self.faults)
        self._load()
        for node in self.nodes.values():
            node.start()
        self.orders: dict[str, str] = {}  # order id -> its member, as committed
        line = self.network.link("users", "edge")
        tills = {name: HostedTill(channel, self.network) for name, channel in self.channels.items()}
        self.phone = Phone(kernel, line, self.history, tills)
        self.staff = Staff(kernel, line, streams, epoch_us=EPOCH_US)
        self._people(keep)

    def reading_us(self) -> int:
        """Long enough for all final reads, one after the other."""
        return HOUR + MINUTE * (len(self.orders) + 2 * self.scenario.workload.members)

    # -------------------------------------------------------- parts

    def _database(self) -> DatabaseServer:
        machines = self.opening.machines
        return DatabaseServer(
            self.kernel,
            TABLES,
            DatabaseConfig(
                statement_us=self.scenario.speeds.statement,
                commit_us=self.scenario.speeds.commit,
                pool_size=machines.pool_size,
                replication=machines.replication,
                replica_lag_us=self.opening.replica_lag_us(),
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
        members = Members(self.kernel, self.phone, self.streams, self.opening.shop(), self.nemesis)
        members.start(self.opening.wishes(keep))

    def _connect(self) -> None:
        network, workload, speeds = self.network, self.scenario.workload, self.scenario.speeds
        network.connect("users", "edge", speeds.users)
        network.connect("edge", "platform-*", 0)
        network.connect("platform-*", "database", 0)
        network.connect("platform-*", "replica", 0)
        network.connect("platform-*", "users", speeds.notice)
        for party in (*workload.channels(), *workload.suppliers()):
            network.connect(party, "edge", speeds.counterparty)
            network.connect("platform-*", party, speeds.counterparty)
            network.connect("users", party, speeds.users)

    def _counterparties(self) -> None:
        workload = self.scenario.workload
        self.seals = self.opening.seals()
        self.outside: dict[str, Node] = {}
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
            self.outside[name] = self._host(name, channel_node(self.kernel, channel))
        self.suppliers: dict[str, Supplier] = {}
        for name in workload.suppliers():
            post = post_by(self.kernel, self.network, name)
            supplier = Supplier(name, post=post, seal=self.seals[name], **shared)
            self.suppliers[name] = supplier
            self.outside[name] = self._host(name, supplier_node(self.kernel, supplier))
        self._host("users", users_node(self.history))

    def _host(self, name: str, boot: Callable[[Incarnation], Handler]) -> Node:
        node = Node(self.kernel, name, boot)
        self.network.attach(node)
        node.start()
        return node

    def _node(self, name: str) -> Node:
        workers, service_us = self.opening.machines.workers, self.scenario.speeds.service
        service = (lambda _: service_us) if service_us else None
        return Node(self.kernel, name, self._boot, workers=workers, service_us=service, on_error=_task_died)

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
        platform = self.design.build(ports, self.opening.config)
        platform.start()
        return platform.handle

    def _load(self) -> None:
        """What is in the database before the run: products, stock, wallets, memberships."""
        for table, rows in self.opening.rows():
            self.database.load(table, rows)


def _hits_database(rule: LinkRule) -> bool:
    """Whether the rule can hit the way to the database or its replica."""
    return any(fnmatchcase(store, end) for end in rule.between for store in ("database", "replica"))


def _task_died(task: str, error: BaseException) -> None:
    """Background work that trips over the world dies alone, as on a real server; a bug stops the run."""
    if not isinstance(error, PortError):
        raise HarnessError(f"task {task} failed and nobody awaits it: {error!r}") from error
