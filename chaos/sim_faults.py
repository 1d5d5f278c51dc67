"""How each window fault is done to the simulated world, and undone. When, the nemesis decides.

Every fault says what it really touched; a fault that touched nothing proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from chaos.nemesis import Blow, Nemesis
from sim.database.evidence import Evidence
from sim.database.server import DatabaseServer
from sim.network import (
    ActiveToxic,
    Bandwidth,
    Down,
    Duplicate,
    Effect,
    Latency,
    LimitData,
    Loss,
    Network,
    Partition,
    Reorder,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
)
from sim.network.toxics import Fault
from sim.node import Node

Params = Mapping[str, Any]

TOXICS: dict[str, Callable[[Params], Fault]] = {
    "link.latency": lambda p: Latency(p["latency_us"], p["jitter_us"]),
    "link.bandwidth": lambda p: Bandwidth(p["rate_kb_s"]),
    "link.slow_close": lambda p: SlowClose(p["delay_us"]),
    "link.timeout": lambda p: Timeout(p["timeout_us"]),
    "link.reset_peer": lambda p: ResetPeer(p["timeout_us"]),
    "link.slicer": lambda p: Slicer(p["average_size"], p["size_variation"], p["delay_us"]),
    "link.limit_data": lambda p: LimitData(p["bytes"]),
    "link.down": lambda _: Down(),
}
MESSAGE_FAULTS: dict[str, Callable[[Params], Effect]] = {
    "link.loss_before": lambda _: Effect(request=(Loss(),)),
    "link.loss_after": lambda _: Effect(reply=(Loss(),)),
    "link.duplicate": lambda _: Effect(request=(Duplicate(),)),
    "link.reorder": lambda p: Effect(request=(Reorder(p["delay_us"]),)),
}
ACTING = "acting"
SLOW_SERVICE_US = 5_000
"""What a node that is twice as slow adds to each request; three times as slow adds twice that, and so on."""


class SimFaults:
    """The simulated world under the hands of the nemesis."""

    def __init__(self, network: Network, nodes: Mapping[str, Node], database: DatabaseServer) -> None:
        self._network = network
        self._nodes = nodes
        self._database = database
        self._inflict: dict[str, Callable[[Params, str, str], Sequence[Blow]]] = {
            **dict.fromkeys(TOXICS, self._toxic),
            "link.partition": self._partition,
            "node.crash": self._each_node(self._crash),
            "node.pause": self._each_node(self._pause),
            "node.clock_skew": self._each_node(self._skew),
            "node.slow": self._each_node(self._slow),
            "database.latency": self._database_latency,
            "database.drop_connections": self._drop_connections,
            "database.crash": self._database_crash,
            "database.failover": self._failover,
            "database.replica_lag": self._replica_lag,
            "database.slow_disk": self._slow_disk,
            "database.disk_full": self._disk_full,
            "database.pool_exhausted": self._pool_exhausted,
        }

    def inflict(self, fault: str, params: Params, where: str, acting: str) -> Sequence[Blow]:
        """Start a window fault."""
        return self._inflict[fault]({**params, "fault": fault}, where, acting)

    # -------------------------------------------------------- links

    def _toxic(self, params: Params, _where: str, _acting: str) -> Sequence[Blow]:
        src, dst = params["between"]
        fault = TOXICS[params["fault"]](params)
        streams = {"up": ("upstream",), "down": ("downstream",), "both": ("upstream", "downstream")}
        chosen: Sequence[Any] = ("upstream",) if isinstance(fault, Down) else streams[params["stream"]]
        return [_lift(self._network.add(fault, src, dst, stream=stream)) for stream in chosen]

    def _partition(self, params: Params, _where: str, _acting: str) -> Sequence[Blow]:
        src, dst = params["between"]
        return [_lift(self._network.partition(src, dst, oneway=params["oneway"]))]

    # -------------------------------------------------------- nodes

    def _each_node(self, act: Callable[[Node, Params], Blow]) -> Callable[[Params, str, str], Sequence[Blow]]:
        def on_nodes(params: Params, where: str, acting: str) -> Sequence[Blow]:
            pattern = acting if where == ACTING else where
            return [act(node, params) for name, node in self._nodes.items() if fnmatchcase(name, pattern)]

        return on_nodes

    @staticmethod
    def _crash(node: Node, _params: Params) -> Blow:
        touched = node.crash()

        def boot() -> None:
            if not node.alive:
                node.start()

        return Blow(boot, lambda: {"touched": touched, "node": node.name})

    @staticmethod
    def _pause(node: Node, _params: Params) -> Blow:
        touched = node.pause()
        return Blow(lambda: _discard(node.resume()), lambda: {"touched": touched, "node": node.name})

    @staticmethod
    def _skew(node: Node, params: Params) -> Blow:
        node.clock.skew(params["offset_us"])
        return Blow(lambda: node.clock.skew(0), lambda: {"touched": 1, "node": node.name})

    @staticmethod
    def _slow(node: Node, params: Params) -> Blow:
        node.slow_us = int(SLOW_SERVICE_US * (params["factor"] - 1))

        def undo() -> None:
            node.slow_us = 0

        return Blow(undo, lambda: {"touched": 1, "node": node.name})

    # -------------------------------------------------------- database

    def _database_latency(self, params: Params, _where: str, _acting: str) -> Sequence[Blow]:
        faults = self._database.faults
        return [_until(faults.set_latency(params["extra_us"]), partial(faults.set_latency, 0))]

    def _drop_connections(self, _params: Params, _where: str, _acting: str) -> Sequence[Blow]:
        return [_until(self._database.faults.drop_connections())]

    def _database_crash(self, _params: Params, _where: str, _acting: str) -> Sequence[Blow]:
        faults = self._database.faults
        return [_until(faults.crash(), faults.restart)]

    def _failover(self, params: Params, _where: str, _acting: str) -> Sequence[Blow]:
        return [_until(self._database.faults.failover(lose_tail=params["lose_tail"]))]

    def _replica_lag(self, params: Params, _where: str, _acting: str) -> Sequence[Blow]:
        faults = self._database.faults
        back_us = self._database.config.replica_lag_us
        return [_until(faults.set_replica_lag(params["lag_us"]), partial(faults.set_replica_lag, back_us))]

    def _slow_disk(self, params: Params, _where: str, _acting: str) -> Sequence[Blow]:
        faults = self._database.faults
        return [_until(faults.slow_disk(int(params["factor"])), partial(faults.slow_disk, 1))]

    def _disk_full(self, _params: Params, _where: str, _acting: str) -> Sequence[Blow]:
        faults = self._database.faults
        return [_until(faults.disk_full(True), partial(faults.disk_full, False))]

    def _pool_exhausted(self, params: Params, _where: str, _acting: str) -> Sequence[Blow]:
        faults = self._database.faults
        back = self._database.config.pool_size
        return [_until(faults.shrink_pool(params["size"]), partial(faults.shrink_pool, back))]

    # -------------------------------------------------------- site faults of network and database

    def take_orders_from(self, nemesis: Nemesis) -> None:
        """Let the nemesis decide on single messages and commits, where a rule speaks of them."""
        asked = [fault for fault in MESSAGE_FAULTS if nemesis.has(fault)]
        if asked:
            self._network.plan_with(partial(_message_effect, nemesis, asked))
        if nemesis.has("database.lost_commit_ack"):
            self._lose_commit_acks(nemesis)

    def _lose_commit_acks(self, nemesis: Nemesis) -> None:
        commits: dict[str, int] = {}

        def choose(owner: str, tables: frozenset[str]) -> bool:
            site = f"{owner}:{'+'.join(sorted(tables))}"
            commits[site] = nth = commits.get(site, 0) + 1
            return nemesis.at("database.lost_commit_ack", "database", (site, str(nth))) is not None

        applied = nemesis.params_of("database.lost_commit_ack")["applied"]
        self._database.faults.lose_commit_acks("applied" if applied else "not_applied", choice=choose)

    # -------------------------------------------------------- healing

    def unhealed(self) -> list[str]:
        """What is still broken after the heal; empty when the world is whole again."""
        wrong = [f"node {name} is down" for name, node in self._nodes.items() if not node.alive]
        wrong += [f"node {name} is paused" for name, node in self._nodes.items() if node.paused]
        wrong += [f"node {name} is slow" for name, node in self._nodes.items() if node.slow_us]
        wrong += [f"clock of {name} is off" for name, node in self._nodes.items() if node.clock.offset_us]
        database = self._database
        if not database.up or database.hindered or database.disk_full or database.slow_disk:
            wrong.append("the database is down, slow or full")
        if self._network.faulty:
            wrong.append("the network still has toxics")
        return wrong


def _message_effect(
    nemesis: Nemesis, faults: Sequence[str], link: str, key: tuple[Any, ...]
) -> Effect | None:
    where = link.replace(">", "->")
    site = tuple(map(str, key))
    for fault in faults:
        params = nemesis.at(fault, where, site)
        if params is not None:
            return MESSAGE_FAULTS[fault](params)
    return None


def _lift(fault: ActiveToxic | Partition) -> Blow:
    return Blow(fault.remove, lambda: {"touched": fault.touched["messages"], **fault.touched})


def _until(evidence: Evidence, undo: Callable[[], object] = lambda: None) -> Blow:
    return Blow(lambda: _discard(undo()), lambda: {"touched": evidence.touched})


def _discard(_: object) -> None:
    """Undoing returns nothing."""
