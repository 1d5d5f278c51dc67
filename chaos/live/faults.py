"""How each window fault is done to real processes, links and a real database, and undone.

When, the nemesis decides; the same one as in sim. A fault does its part at once. Undoing one that starts
a process takes a while; that goes on in the background, and `unhealed` knows of it.

Every fault says what it really touched; a fault that touched nothing proves nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

from chaos.live.links import Link, Links
from chaos.nemesis import Blow
from chaos.sim_faults import ACTING, SLOW_SERVICE_US, Dial

Params = Mapping[str, Any]
Attributes = dict[str, int]
BOTH: Final = ("upstream", "downstream")
STREAMS: Final = {"up": ("upstream",), "down": ("downstream",), "both": BOTH}


class Touched(NamedTuple):
    """What a toxic, or a proxy that is down, has had its effect on."""

    connections: int
    bytes: int


class Toxic(Protocol):
    """A toxic in force on one link."""

    def remove(self) -> None: ...

    def touched(self) -> Touched: ...


class Proxies(Protocol):
    """The proxies in front of all real parts, by the names of links."""

    def add(self, link: str, kind: str, stream: str, attributes: Attributes) -> Toxic: ...

    def down(self, link: str) -> Toxic:
        """Close the proxy's door, and cut what is open; removing this opens it again."""
        ...

    def faulty(self) -> list[str]:
        """The links that have a toxic, or are down."""
        ...


class Machines(Protocol):
    """The platform's processes. Each verb says whether it did anything."""

    def names(self) -> Sequence[str]: ...

    def kill(self, name: str) -> Mapping[str, int]:
        """SIGKILL; its pid and the connections that it had, nothing when it was dead already."""
        ...

    def revive(self, name: str) -> None:
        """Start it again, if it is dead; in the background."""
        ...

    def freeze(self, name: str) -> bool:
        """SIGSTOP; False when it is dead, or frozen already."""
        ...

    def thaw(self, name: str) -> None:
        """SIGCONT, if it lives."""
        ...

    def skew(self, name: str, offset_us: int) -> None:
        """Set its clock wrong by so much; 0 puts it right."""
        ...

    def misread(self, name: str) -> int:
        """How often it has read its clock while that was wrong."""
        ...

    def unwell(self) -> list[str]:
        """What is not as it should be, in words: dead, frozen, not ready, clock wrong."""
        ...


class Store(Protocol):
    """The database's server. Numbers are of sessions cut off."""

    def drop_sessions(self) -> int: ...

    def crash(self, *, at_once: bool = True) -> Mapping[str, int]:
        """SIGKILL to the whole server, or else an immediate stop, which it does itself.

        Its pid and the sessions cut off, nothing when it was down already.
        """
        ...

    def revive(self) -> None:
        """Start it again, if it is down, with recovery; in the background."""
        ...

    def lag(self, lag_us: int) -> None:
        """Let the replica be behind by so much; 0 lets it catch up."""
        ...

    def unwell(self) -> list[str]:
        """What is not as it should be, in words: down, or its replica behind."""
        ...


def ms(us: int) -> int:
    """Toxiproxy counts in whole milliseconds; nothing that is there is rounded to nothing."""
    return -(-us // 1000)


TOXICS: Final[Mapping[str, tuple[str, Callable[[Params], Attributes]]]] = {
    "link.latency": ("latency", lambda p: {"latency": ms(p["latency_us"]), "jitter": ms(p["jitter_us"])}),
    "link.bandwidth": ("bandwidth", lambda p: {"rate": p["rate_kb_s"]}),
    "link.slow_close": ("slow_close", lambda p: {"delay": ms(p["delay_us"])}),
    "link.timeout": ("timeout", lambda p: {"timeout": ms(p["timeout_us"])}),
    "link.reset_peer": ("reset_peer", lambda p: {"timeout": ms(p["timeout_us"])}),
    "link.slicer": (
        "slicer",
        lambda p: {
            "average_size": p["average_size"],
            "size_variation": p["size_variation"],
            "delay": p["delay_us"],
        },
    ),
    "link.limit_data": ("limit_data", lambda p: {"bytes": p["bytes"]}),
}


class LiveFaults:
    """The live world under the hands of the nemesis. Implements `chaos.nemesis.Inflictor`."""

    def __init__(self, links: Links, proxies: Proxies, machines: Machines, store: Store) -> None:
        self._links = links
        self._proxies = proxies
        self._machines = machines
        self._store = store
        self._dials: dict[str, Dial] = {}
        self.timed = 0
        """Toxics in force that count real time: as long as there are any, it must not pass faster."""
        self._inflict: dict[str, Callable[[Params, str, str], Sequence[Blow]]] = {
            **dict.fromkeys(TOXICS, self._toxic),
            "link.down": self._down,
            "link.partition": self._partition,
            "node.crash": self._each_machine(self._crash),
            "node.pause": self._each_machine(self._pause),
            "node.clock_skew": self._each_node(self._skew),
            "node.slow": self._each_node(self._slow),
            "database.latency": self._slow_database,
            "database.drop_connections": self._drop_connections,
            "database.crash": self._crash_database,
            "database.replica_lag": self._replica_lag,
        }

    def inflict(self, fault: str, params: Params, where: str, acting: str) -> Sequence[Blow]:
        """Start a window fault."""
        return self._inflict[fault]({**params, "fault": fault}, where, acting)

    def unhealed(self) -> list[str]:
        """What is still broken after the heal; empty when the world is whole again."""
        faulty = [f"link {name} still has a fault" for name in self._proxies.faulty()]
        return [*faulty, *self._machines.unwell(), *self._store.unwell()]

    # -------------------------------------------------------- links

    def _toxic(self, params: Params, _where: str, _acting: str) -> Sequence[Blow]:
        kind, attributes_of = TOXICS[params["fault"]]
        return [self._poison(params["between"], kind, STREAMS[params["stream"]], attributes_of(params))]

    def _partition(self, params: Params, _where: str, _acting: str) -> Sequence[Blow]:
        streams = ("upstream",) if params["oneway"] else BOTH
        return [self._poison(params["between"], "timeout", streams, {"timeout": 0})]

    def _poison(
        self, between: Sequence[str], kind: str, streams: Sequence[str], attributes: Attributes
    ) -> Blow:
        add = self._proxies.add
        blow = _lift(
            [add(link.name, kind, stream, attributes) for link in self._hit(between) for stream in streams]
        )
        if kind == "limit_data" or not any(attributes.values()):
            return blow
        self.timed += 1

        def undo() -> None:
            self.timed -= 1
            blow.undo()

        return Blow(undo, blow.evidence)

    def _down(self, params: Params, _where: str, _acting: str) -> Sequence[Blow]:
        return [_lift([self._proxies.down(link.name) for link in self._hit(params["between"])])]

    def _hit(self, between: Sequence[str]) -> list[Link]:
        return self._links.hit(between)

    # -------------------------------------------------------- nodes

    def _each_machine(
        self, act: Callable[[str, Params], Blow], among: str = "*"
    ) -> Callable[[Params, str, str], Sequence[Blow]]:
        def on_machines(params: Params, where: str, acting: str) -> Sequence[Blow]:
            pattern = acting if where == ACTING else where
            names = [name for name in self._machines.names() if fnmatchcase(name, among)]
            return [act(name, params) for name in names if fnmatchcase(name, pattern)]

        return on_machines

    def _each_node(self, act: Callable[[str, Params], Blow]) -> Callable[[Params, str, str], Sequence[Blow]]:
        """Machines of the platform: the others have no clock to set wrong, and nothing in front of them."""
        return self._each_machine(act, among="platform-*")

    def _crash(self, name: str, _params: Params) -> Blow:
        cut = self._machines.kill(name)
        undo = partial(self._machines.revive, name) if cut else _nothing
        return _once(undo, touched=bool(cut), node=name, **cut)

    def _pause(self, name: str, _params: Params) -> Blow:
        frozen = self._machines.freeze(name)
        return _once(partial(self._machines.thaw, name) if frozen else _nothing, touched=frozen, node=name)

    def _skew(self, name: str, params: Params) -> Blow:
        def skew(offset_us: int) -> Callable[[], int]:
            before = self._machines.misread(name)
            self._machines.skew(name, offset_us)
            return lambda: self._machines.misread(name) - before

        return self._dial(f"clock of {name}", skew, 0).blow(params["offset_us"], node=name)

    def _slow(self, name: str, params: Params) -> Blow:
        """As in sim: each request takes so much longer."""
        delay = {"latency": ms(int(SLOW_SERVICE_US * (params["factor"] - 1))), "jitter": 0}
        return self._poison(("edge", name), "latency", ("downstream",), delay)

    def _dial(self, name: str, turn: Callable[[Any], Callable[[], int]], rest: Any) -> Dial:
        if name not in self._dials:
            self._dials[name] = Dial(turn, rest)
        return self._dials[name]

    # -------------------------------------------------------- database

    def _slow_database(self, params: Params, _where: str, _acting: str) -> Sequence[Blow]:
        delay = {"latency": ms(params["extra_us"]), "jitter": 0}
        return [self._poison(("platform-*", "database"), "latency", ("downstream",), delay)]

    def _drop_connections(self, _params: Params, _where: str, _acting: str) -> Sequence[Blow]:
        return [_once(_nothing, touched=self._store.drop_sessions())]

    def _crash_database(self, params: Params, _where: str, _acting: str) -> Sequence[Blow]:
        cut = self._store.crash(at_once=params["how"] == "killed")
        return [_once(self._store.revive if cut else _nothing, touched=cut.get("sessions", 0), **cut)]

    def _replica_lag(self, params: Params, _where: str, _acting: str) -> Sequence[Blow]:
        def lag(lag_us: int) -> Callable[[], int]:
            self._store.lag(lag_us)
            return lambda: 1

        return [self._dial("replica", lag, 0).blow(params["lag_us"])]


def _lift(toxics: Sequence[Toxic]) -> Blow:
    """One blow of several toxics; what they touched is read just before they go."""
    sums: Counter[str] = Counter(connections=0, bytes=0)

    def undo() -> None:
        for toxic in toxics:
            connections, passed = toxic.touched()
            sums["connections"] += connections
            sums["bytes"] += passed
            toxic.remove()

    return Blow(undo, lambda: {"touched": sums["connections"], **sums})


def _once(undo: Callable[[], None], touched: int, **evidence: Any) -> Blow:
    return Blow(undo, lambda: {"touched": int(touched), **evidence})


def _nothing() -> None:
    """What was not done need not be undone."""
