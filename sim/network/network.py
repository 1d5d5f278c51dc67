"""The network as a whole: who is attached, which links exist, and which faults are in force where."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sim.network.link import ActiveToxic, Link
from sim.network.toxics import Cut, Down, Duplicate, Effect, Fault, Stream

if TYPE_CHECKING:
    from sim.kernel import Kernel
    from sim.node import Host
    from sim.randomness import Streams

DEFAULT_BYTES: Final = 512

Decide = Callable[[str, tuple[Any, ...]], Effect | None]


class UnknownLinkError(ValueError):
    """No declared link goes from here to there. The message lists those that exist."""


class _Declared(NamedTuple):
    """Links that exist: any node matching one pattern may call any node matching the other."""

    src: str
    dst: str
    latency_us: int
    jitter_us: int


@dataclass(frozen=True, slots=True)
class _Rule:
    """A toxic in force on the links that match."""

    src: str
    dst: str
    stream: Stream
    toxic: ActiveToxic


class Partition:
    """Two groups of nodes that cannot reach each other."""

    __slots__ = ("_cut",)

    def __init__(self, cut: ActiveToxic) -> None:
        self._cut = cut

    @property
    def touched(self) -> dict[str, int]:
        """The evidence: how many messages it swallowed."""
        return self._cut.touched

    def heal(self) -> None:
        """End the partition. What it swallowed stays lost."""
        self._cut.remove()

    remove = heal


class Network:
    """Named nodes joined by links.

    `decide(link name, key)`, when set by `plan_with`, may impose an effect on each single call.
    `size_of(message)` is the size in bytes that toxics reckon with.
    """

    __slots__ = ("_declared", "_links", "_rules", "decide", "kernel", "nodes", "size_of", "streams")

    def __init__(self, kernel: Kernel, streams: Streams, size_of: Callable[[Any], int] | None = None) -> None:
        self.kernel = kernel
        self.streams = streams
        self.size_of = size_of if size_of is not None else _size_of
        self.nodes: dict[str, Host] = {}
        self.decide: Decide | None = None
        self._declared: list[_Declared] = []
        self._links: dict[tuple[str, str], Link] = {}
        self._rules: list[_Rule] = []

    # ------------------------------------------------------------ layout

    def attach(self, node: Host) -> None:
        """Plug in a node under its name."""
        self.nodes[node.name] = node
        for (_, dst), link in self._links.items():
            if dst == node.name:
                link.node = node

    def connect(self, src: str, dst: str, latency_us: int = 0, jitter_us: int = 0) -> None:
        """Declare links from `src` to `dst`, which may be patterns such as `platform-*`.

        A message takes `latency_us`, plus up to `jitter_us` drawn per message. The first declaration
        that matches a pair of nodes counts.
        """
        self._declared.append(_Declared(src, dst, latency_us, jitter_us))

    def link(self, src: str, dst: str) -> Link:
        """The link between two nodes; `UnknownLinkError` when none was declared."""
        link = self._links.get((src, dst))
        if link is None:
            for declared in self._declared:
                if _is_like(src, declared.src) and _is_like(dst, declared.dst):
                    break
            else:
                raise self._unknown(src, dst)
            link = Link(self, src, dst, declared.latency_us, declared.jitter_us)
            self._links[src, dst] = link
        return link

    @property
    def declared(self) -> list[tuple[str, str]]:
        """The links that exist, as pairs of names or patterns."""
        return [(declared.src, declared.dst) for declared in self._declared]

    # ------------------------------------------------------------ use

    def call(
        self, src: str, dst: str, request: Any, timeout_us: int, key: tuple[Any, ...] = (), size: int = -1
    ) -> Awaitable[Any]:
        """Send a request and wait for the outcome: a response, `Refused` or `Unknown`. See `Link.call`."""
        link = self._links.get((src, dst))
        if link is None:
            link = self.link(src, dst)
        return link.call(request, timeout_us, key, size)

    def link_delay(self, src: str, dst: str) -> Callable[[], int | None]:
        """For a client that models its calls itself: asked at each statement, it gives the delay there
        and back in microseconds, or None when the link is cut.
        """
        return self.link(src, dst).round_trip_us

    # ------------------------------------------------------------ faults

    def add(
        self,
        fault: Fault,
        src: str = "*",
        dst: str = "*",
        *,
        stream: Stream = "downstream",
        toxicity: float = 1.0,
        name: str = "",
    ) -> ActiveToxic:
        """Put a fault in force on all links that match, also on those first used later.

        `toxicity` is the share of calls that it hits. `name` names its draws, so two faults of one
        name hit the same calls; by default it is made of the kind and the stream, as Toxiproxy does.
        """
        self._known(src, dst)
        if isinstance(fault, Duplicate) and stream != "upstream":
            raise ValueError("only requests can be duplicated: stream must be upstream")
        toxic = ActiveToxic(self, fault, toxicity, name or f"{type(fault).__name__.lower()}_{stream}")
        streams: tuple[Stream, ...] = ("upstream", "downstream") if isinstance(fault, Down) else (stream,)
        self._rules.extend(_Rule(src, dst, each, toxic) for each in streams)
        self._refresh()
        return toxic

    def partition(self, a: str, b: str, *, oneway: bool = False) -> Partition:
        """Let nothing pass from `a` to `b` (names or patterns), nor back unless `oneway`.

        A reply to a call from `b` travels from `a` to `b` too: it is lost after the call had its effect.
        """
        if not self._exists(a, b) and not self._exists(b, a):
            raise self._unknown(a, b)
        cut = ActiveToxic(self, Cut(), 1.0, f"partition {a} {b}")
        self._rules += [_Rule(a, b, "upstream", cut), _Rule(b, a, "downstream", cut)]
        if not oneway:
            self._rules += [_Rule(b, a, "upstream", cut), _Rule(a, b, "downstream", cut)]
        self._refresh()
        return Partition(cut)

    def remove(self, toxic: ActiveToxic) -> None:
        """End a fault everywhere; `ActiveToxic.remove` is the usual way to say it."""
        self._rules = [rule for rule in self._rules if rule.toxic is not toxic]
        self._refresh()

    def plan_with(self, decide: Decide | None) -> None:
        """Ask `decide(link name, key)` about every call from now on; None stops asking."""
        self.decide = decide
        self._refresh()

    def toxics_of(self, link: Link, stream: Stream) -> tuple[ActiveToxic, ...]:
        """The toxics in force on one direction of a link, oldest first."""
        if not self._rules:
            return ()
        return tuple(
            rule.toxic
            for rule in self._rules
            if rule.stream == stream and fnmatchcase(link.src, rule.src) and fnmatchcase(link.dst, rule.dst)
        )

    @property
    def faulty(self) -> bool:
        """Whether any toxic or partition is in force."""
        return bool(self._rules)

    def _refresh(self) -> None:
        for link in self._links.values():
            link.refresh()

    def _exists(self, src: str, dst: str) -> bool:
        return any(_meet(src, d.src) and _meet(dst, d.dst) for d in self._declared)

    def _known(self, src: str, dst: str) -> None:
        if not self._exists(src, dst):
            raise self._unknown(src, dst)

    def _unknown(self, src: str, dst: str) -> UnknownLinkError:
        known = ", ".join(f"{d.src} > {d.dst}" for d in self._declared)
        return UnknownLinkError(f"there is no link {src} > {dst}; the links are: {known or 'none'}")


@lru_cache(maxsize=4096)  # every world has the same few names, and asks for each of its links
def _is_like(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern)


def _meet(pattern: str, declared: str) -> bool:
    """Whether a name or pattern can mean something that was declared. Patterns end in `*`."""
    return fnmatchcase(declared, pattern) or fnmatchcase(pattern, declared)


def _size_of(message: Any) -> int:
    """The size of a message in bytes: its own when it is bytes or carries `raw`, else a usual one."""
    raw = message if isinstance(message, bytes) else getattr(message, "raw", b"")
    return len(raw) or DEFAULT_BYTES
