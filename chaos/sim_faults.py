"""How each window fault is done to the simulated world, and undone. When, the nemesis decides.

Every fault says what it really touched; a fault that touched nothing proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from chaos.messages import Messages
from chaos.nemesis import Blow, Nemesis
from sim.database.evidence import Evidence
from sim.database.faults import DatabaseFaults
from sim.database.server import DatabaseServer
from sim.network import (
    ActiveToxic,
    Bandwidth,
    Down,
    Latency,
    LimitData,
    Network,
    Partition,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
)
from sim.network.toxics import Fault
from sim.node import Node

Params = Mapping[str, Any]
Count = Callable[[], int]

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
ACTING = "acting"
SLOW_SERVICE_US = 5_000
"""What a node that is twice as slow adds to each request; three times as slow adds twice that, and so on."""


class Dial:
    """One setting that several faults may want at once: the last one in force has it, none of them: at rest.

    `turn(value)` sets it and gives a count of what this setting touches while it lasts.
    """

    def __init__(self, turn: Callable[[Any], Count], rest: Any) -> None:
        self._turn = turn
        self._rest = rest
        self._holders: list[dict[str, Any]] = []
        self._count: Count | None = None

    def blow(self, value: Any, **evidence: Any) -> Blow:
        """Turn it to `value` until undone; the evidence also says what is given here."""
        holder = {"value": value, "touched": 0}
        self._pause_count()
        self._holders.append(holder)
        self._count = self._turn(value)

        def undo() -> None:
            self._pause_count()
            self._holders[:] = [other for other in self._holders if other is not holder]
            holds = self._turn(self._holders[-1]["value"] if self._holders else self._rest)
            self._count = holds if self._holders else None

        return Blow(undo, lambda: {"touched": holder["touched"], **evidence})

    def _pause_count(self) -> None:
        if self._count is not None:
            self._holders[-1]["touched"] += self._count()


class SimFaults:
    """The simulated world under the hands of the nemesis."""

    def __init__(
        self,
        network: Network,
        nodes: Mapping[str, Node],
        database: DatabaseServer,
        outside: Mapping[str, Node] = MappingProxyType({}),
    ) -> None:
        """`nodes` are the platform's, `outside` the machines of the counterparties."""
        self._network = network
        self._nodes = nodes
        self._outside = outside
        self._database = database
        self._dials: dict[str, Dial] = {}
        dial = self._database_dial
        self._inflict: dict[str, Callable[[Params, str, str], Sequence[Blow]]] = {
            **dict.fromkeys(TOXICS, self._toxic),
            "link.partition": self._partition,
            "node.crash": self._each_machine(self._crash),
            "node.pause": self._each_machine(self._pause),
            "node.clock_skew": self._each_node(self._skew),
            "node.slow": self._each_node(self._slow),
            "database.latency": dial(DatabaseFaults.set_latency, itemgetter("extra_us"), 0),
            "database.drop_connections": self._drop_connections,
            "database.crash": self._database_crash,
            "database.failover": self._failover,
            "database.replica_lag": dial(
                DatabaseFaults.set_replica_lag, itemgetter("lag_us"), database.config.replica_lag_us
            ),
            "database.slow_disk": dial(DatabaseFaults.slow_disk, lambda params: int(params["factor"]), 1),
            "database.disk_full": dial(DatabaseFaults.disk_full, lambda _: True, False),
            "database.pool_exhausted": dial(
                DatabaseFaults.shrink_pool, itemgetter("size"), database.config.pool_size
            ),
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

    def _each_machine(
        self, act: Callable[[Node, Params], Blow]
    ) -> Callable[[Params, str, str], Sequence[Blow]]:
        on_nodes, hit = self._each_node(act), _hit_outside(act)

        def on_machines(params: Params, where: str, acting: str) -> Sequence[Blow]:
            outside = [hit(node, params) for name, node in self._outside.items() if fnmatchcase(name, where)]
            return [*on_nodes(params, where, acting), *outside]

        return on_machines

    @staticmethod
    def _crash(node: Node, _params: Params) -> Blow:
        died, life = node.alive, node.lives
        touched = node.crash()

        def boot() -> None:
            if died and not node.alive and node.lives == life:  # else somebody else's crash keeps it down
                node.start()

        return Blow(boot, lambda: {"touched": touched, "node": node.name})

    @staticmethod
    def _pause(node: Node, _params: Params) -> Blow:
        earlier = node.lot
        touched = node.pause()
        lot = node.lot

        def thaw() -> None:
            if lot is not earlier and node.lot is lot:  # else it died, or somebody else froze it
                node.resume()

        return Blow(thaw, lambda: {"touched": touched, "node": node.name})

    def _skew(self, node: Node, params: Params) -> Blow:
        def skew(offset_us: int) -> Count:
            start = node.clock.wrong_readings
            node.clock.skew(offset_us)
            return lambda: node.clock.wrong_readings - start

        return self._dial(f"clock of {node.name}", skew, 0).blow(params["offset_us"], node=node.name)

    def _slow(self, node: Node, params: Params) -> Blow:
        def slow(slow_us: int) -> Count:
            start = node.slowed
            node.slow_us = slow_us
            return lambda: node.slowed - start

        slow_us = int(SLOW_SERVICE_US * (params["factor"] - 1))
        return self._dial(f"speed of {node.name}", slow, 0).blow(slow_us, node=node.name)

    def _dial(self, name: str, turn: Callable[[Any], Count], rest: Any) -> Dial:
        if name not in self._dials:
            self._dials[name] = Dial(turn, rest)
        return self._dials[name]

    # -------------------------------------------------------- database

    def _database_dial(
        self, verb: Callable[[DatabaseFaults, Any], Evidence], of: Callable[[Params], Any], rest: Any
    ) -> Callable[[Params, str, str], Sequence[Blow]]:
        """A lasting setting of the server: the verb that sets it, its value, and its value in fair weather."""

        def turn(value: Any) -> Count:
            evidence = verb(self._database.faults, value)
            return lambda: evidence.touched

        dial = Dial(turn, rest)
        return lambda params, _where, _acting: [dial.blow(of(params))]

    def _drop_connections(self, _params: Params, _where: str, _acting: str) -> Sequence[Blow]:
        return [_until(self._database.faults.drop_connections())]

    def _database_crash(self, _params: Params, _where: str, _acting: str) -> Sequence[Blow]:
        faults = self._database.faults
        return [_until(faults.crash(), faults.restart)]

    def _failover(self, params: Params, _where: str, _acting: str) -> Sequence[Blow]:
        return [_until(self._database.faults.failover(lose_tail=params["lose_tail"]))]

    # -------------------------------------------------------- site faults of network and database

    def take_orders_from(self, nemesis: Nemesis) -> None:
        """Let the nemesis decide on single messages and commits, where a rule speaks of them."""
        messages = Messages(nemesis, self._network.streams)
        if messages.at_risk:
            self._network.plan_with(messages.effect)
        if nemesis.has("database.lost_commit_ack"):
            self._lose_commit_acks(nemesis)

    def _lose_commit_acks(self, nemesis: Nemesis) -> None:
        """A commit is known by its tables and its first row: some order's key, notice, job or wallet.

        Neither who else is there nor which node the edge picked moves it to another site, so orders can be left
        out of a recorded plan.
        """
        commits: dict[str, int] = {}

        def choose(_owner: str, tables: frozenset[str], first_row: str) -> bool:
            site = f"{'+'.join(sorted(tables))}@{first_row}"
            commits[site] = nth = commits.get(site, 0) + 1
            effect = nemesis.at("database.lost_commit_ack", "database", (site, str(nth)))
            fault = self._database.ack_fault
            if effect is None or fault is None:
                return False
            fault.outcome = "applied" if effect["applied"] else "not_applied"
            return True

        self._database.faults.lose_commit_acks("applied", choice=choose)

    # -------------------------------------------------------- healing

    def unhealed(self) -> list[str]:
        """What is still broken after the heal; empty when the world is whole again."""
        machines = {**self._nodes, **self._outside}
        wrong = [f"node {name} is down" for name, node in machines.items() if not node.alive]
        wrong += [f"node {name} is paused" for name, node in machines.items() if node.paused]
        wrong += [f"node {name} is slow" for name, node in self._nodes.items() if node.slow_us]
        wrong += [f"clock of {name} is off" for name, node in self._nodes.items() if node.clock.offset_us]
        database = self._database
        if not database.up or database.hindered or database.disk_full or database.slow_disk:
            wrong.append("the database is down, slow or full")
        if database.short_of_connections is not None or database.lagging is not None:
            wrong.append("the database is short of connections, or its replica lags")
        if self._network.faulty:
            wrong.append("the network still has toxics")
        return wrong


def _lift(fault: ActiveToxic | Partition) -> Blow:
    return Blow(fault.remove, lambda: {"touched": fault.touched["messages"], **fault.touched})


def _until(evidence: Evidence, undo: Callable[[], object] = lambda: None) -> Blow:
    return Blow(lambda: _discard(undo()), lambda: {"touched": evidence.touched})


def _discard(_: object) -> None:
    """Undoing returns nothing."""


def _hit_outside(act: Callable[[Node, Params], Blow]) -> Callable[[Node, Params], Blow]:
    """A counterparty has no tasks of its own to be cut off: what it misses counts as touched as well."""

    def hit(node: Node, params: Params) -> Blow:
        missed, blow = node.missed, act(node, params)

        def evidence() -> Mapping[str, Any]:
            seen = blow.evidence()
            return {**seen, "touched": seen["touched"] + node.missed - missed}

        return Blow(blow.undo, evidence)

    return hit
