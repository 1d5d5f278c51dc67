"""Which process calls which, and the proxy that every such call goes through.

The layout is that of the simulated world, and each link has the name by which fault rules know it:
`users->edge`, `platform-1->wechat`. A process is told the addresses of the proxies in front of what it
calls, never those of the real parts, so no fault can be gone round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType

from chaos.opening import Opening
from scenarios.faults.link import ARROW

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Link:
    """Calls from `caller` to `callee`, which go to `port` and are passed on to `upstream`, a `host:port`."""

    caller: str
    callee: str
    port: int
    upstream: str

    @property
    def name(self) -> str:
        """As rules and histories write it; the proxy has this name too."""
        return f"{self.caller}{ARROW}{self.callee}"


class Links:
    """Every link of a run. `addresses` are `host:port` of the real parts by name; `free` gives unused ports.

    `doors` are the addresses, by caller and callee, of parts that have one for each caller.
    """

    def __init__(
        self,
        opening: Opening,
        addresses: Mapping[str, str],
        free: Callable[[], int],
        doors: Mapping[tuple[str, str], str] = MappingProxyType({}),
    ) -> None:
        self._links = {
            (caller, callee): Link(caller, callee, free(), doors.get((caller, callee)) or addresses[callee])
            for caller, callee in ends(opening, replica="replica" in addresses)
        }

    def __iter__(self) -> Iterator[Link]:
        return iter(self._links.values())

    def port(self, caller: str, callee: str) -> int:
        """Where `caller` finds `callee`."""
        return self._links[caller, callee].port

    def url(self, caller: str, callee: str) -> str:
        """The same as an HTTP address."""
        return f"http://{HOST}:{self.port(caller, callee)}"

    def hit(self, between: Sequence[str]) -> list[Link]:
        """The links that a rule means by its two patterns."""
        caller, callee = between
        return [
            link for link in self if fnmatchcase(link.caller, caller) and fnmatchcase(link.callee, callee)
        ]


def ends(opening: Opening, *, replica: bool) -> Iterator[tuple[str, str]]:
    """Caller and callee of each link of a run."""
    workload, nodes = opening.scenario.workload, opening.node_names()
    parties = (*workload.channels(), *workload.suppliers())
    stores = ("database", "replica") if replica else ("database",)
    yield "users", "edge"
    for channel in workload.channels():
        yield "users", channel
    for party in parties:
        yield party, "edge"
    for node in nodes:
        yield "edge", node
        for callee in (*stores, *parties, "users"):
            yield node, callee
