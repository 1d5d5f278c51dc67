"""Where everything of one live run is: its directory, its ports, its links, its keys.

Decided before anything is started, so that every process can be told of all others in one file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos.live import keys
from chaos.live.journal import OPS_EACH
from chaos.live.keys import Keys
from chaos.live.links import HOST, Links
from chaos.live.load.order import LoadOrder
from chaos.live.ports import Ports
from chaos.live.settings import CounterpartySettings, EdgeSettings, PlatformSettings, Upstream
from chaos.nemesis import Plan
from chaos.opening import Opening
from chaos.worker import dump

USERS = "users"
EDGE = "edge"


@dataclass(frozen=True)
class Layout:
    """One run laid out. `ports` are those of the real parts by name, `links` the proxies in front of them.

    `doors` are the ports, by caller and callee, of the parts of ours that nodes call.
    """

    opening: Opening
    directory: Path
    ports: dict[str, int]
    doors: dict[tuple[str, str], int]
    links: Links
    keys: Keys
    loads: tuple[str, ...]
    plan: Plan | None = None

    @classmethod
    def draw(
        cls, opening: Opening, directory: Path, ports: Ports, stores: Mapping[str, str], workers: int
    ) -> Layout:
        """`stores` are the addresses of the database and, if there is one, of its replica."""
        workload = opening.scenario.workload
        parties = (*workload.channels(), *workload.suppliers())
        names = (EDGE, USERS, *parties, *opening.node_names())
        real = {name: ports.free() for name in names}
        addresses = {name: f"{HOST}:{port}" for name, port in real.items()}
        doors = {(node, part): ports.free() for node in opening.node_names() for part in (*parties, USERS)}
        behind = {ends: f"{HOST}:{port}" for ends, port in doors.items()}
        links = Links(opening, {**stores, **addresses}, ports.free, behind)
        loads = tuple(f"load-{number}" for number in range(workers))
        return cls(opening, directory, real, doors, links, keys.make(parties), loads)

    @property
    def clock(self) -> Path:
        """The file of the shared clock."""
        return self.directory / "clock"

    @property
    def parties(self) -> tuple[str, ...]:
        """Channels and suppliers."""
        workload = self.opening.scenario.workload
        return (*workload.channels(), *workload.suppliers())

    def journal(self, name: str) -> Path:
        """Where a process writes down what it sees."""
        return self.directory / f"{name}.journal"

    def journals(self) -> list[Path]:
        """Of every process that has one, the orchestrator's left out."""
        return [self.journal(name) for name in (*self.parties, USERS, EDGE, *self.loads)]

    def health(self, name: str) -> str:
        """`host:port` of the real part itself, for us who look after it."""
        return f"{HOST}:{self.ports[name]}"

    def front(self) -> str:
        """`host:port` where people find the platform: the proxy in front of the edge."""
        return f"{HOST}:{self.links.port(USERS, EDGE)}"

    # ------------------------------------------------------------ what each process is told

    def counterparty(self, name: str) -> CounterpartySettings:
        """A channel, a supplier, or the users to whom notices go."""
        calls_back = name in self.parties
        return CounterpartySettings(
            **self._storm(name),
            journal=self.journal(name),
            inputs=self.directory / f"{name}.inputs",
            ops_from=0,
            edge=self.links.url(name, EDGE) if calls_back else "",
            key=self.keys.sealing[name] if calls_back else "",
            doors={caller: port for (caller, callee), port in self.doors.items() if callee == name},
        )

    def node(self, name: str, database: str, replica: str, schema: str) -> PlatformSettings:
        """A node of the platform; it reaches the database and its replica by connection strings."""
        return PlatformSettings(
            **self._storm(name),
            links={callee: self.links.url(name, callee) for callee in (*self.parties, USERS)},
            keys=self.keys.opening,
            database=database,
            replica=replica,
            schema=schema,
            ids=self.directory / "ids",
            machine_clock=self.machine_clock(name),
            token_key=self.keys.tokens,
            log=self.directory / "logs" / f"{name}.refusals",
        )

    @property
    def openings(self) -> Path:
        """Where the orchestrator announces what has opened, see `chaos.live.drawing`."""
        return self.directory / "openings"

    def gate(self, name: str) -> Path:
        """Where the successor of a killed node waits."""
        return self.directory / f"{name}.gate"

    def machine_clock(self, name: str) -> Path:
        """The file of a node's own clock."""
        return self.directory / f"{name}.clock"

    def edge(self) -> EdgeSettings:
        """The balancer."""
        nodes = [
            Upstream(name, self.links.url(EDGE, name), self.health(name))
            for name in self.opening.node_names()
        ]
        return EdgeSettings(**self._storm(EDGE), journal=self.journal(EDGE), nodes=nodes)

    def load(self, keep: list[int] | None) -> LoadOrder:
        """The people."""
        opening = self.opening
        channels = opening.scenario.workload.channels()
        return LoadOrder(
            scenario=dump(opening.scenario),
            design=opening.design.name,
            seed=opening.streams.seed,
            clock=str(self.clock),
            slots=list(self.loads),
            journals=[str(self.journal(name)) for name in self.loads],
            edge=self.front(),
            channels={name: f"{HOST}:{self.links.port(USERS, name)}" for name in channels},
            key=self.keys.tokens,
            end_us=opening.end_us,
            openings=str(self.openings),
            ops_from=[number * OPS_EACH for number in range(len(self.loads))],
            figures=[str(self.directory / f"{name}.figures") for name in self.loads],
            plan=self.plan,
            keep=keep,
        )

    def _storm(self, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "clock": self.clock,
            "port": self.ports[name],
            "scenario": dump(self.opening.scenario),
            "design": self.opening.design.name,
            "seed": self.opening.streams.seed,
            "plan": self.plan,
            "gate": self.gate(name),
            "openings": self.openings,
        }
