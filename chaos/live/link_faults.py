"""Toxics on links by the links' names, and links that are closed: what a run's faults are done with.

Proxies are named like the links whose calls go through them. Faults may overlap: each toxic has a name of
its own, and a link that several faults have closed opens with the last of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from chaos.live.faults import Attributes, Touched
from chaos.live.toxic_evidence import Evidence, Glimpses, Ledgers
from chaos.live.toxics import Toxiproxy


class LinkFaults:
    """Implements `chaos.live.faults.Proxies` on whichever server there is."""

    def __init__(self, server: Toxiproxy) -> None:
        self.server = server
        ledgers = Ledgers(server.text)
        self.evidence: Evidence = ledgers if ledgers.there() else Glimpses(server.text)
        self._added = 0
        self._standing: set[str] = set()  # names of toxics that are no faults
        self._closed: Counter[str] = Counter()  # how many faults hold a link closed

    def add(
        self, link: str, kind: str, stream: str, attributes: Attributes, toxicity: float = 1.0
    ) -> LinkToxic:
        """A toxic on a link, in force when this returns."""
        self._added += 1
        name = f"{kind}_{stream}_{self._added}"
        before = self._before(link, stream)
        toxic = {"name": name, "type": kind, "stream": stream, "toxicity": toxicity, "attributes": attributes}
        self.server.add(link, toxic)
        return LinkToxic(self, link, stream, name, before)

    def down(self, link: str) -> LinkDown:
        """Closes a link and cuts its connections. It opens when the last fault that closed it is removed."""
        before = self._before(link, "upstream")
        self._closed[link] += 1
        if self._closed[link] == 1:
            self.server.enable(link, enabled=False)
        return LinkDown(self, link, before)

    def up(self, link: str) -> None:
        """One fault less that closes the link."""
        self._closed[link] -= 1
        if self._closed[link] == 0:
            self.server.enable(link)

    def stretch(self, link: str, stream: str, latency_ms: int) -> LinkToxic:
        """Let everything on a link take so much longer; it belongs to the world, and is no fault."""
        toxic = self.add(link, "latency", stream, {"latency": latency_ms, "jitter": 0})
        self._standing.add(toxic.name)
        return toxic

    def faulty(self) -> list[str]:
        """The links that have a toxic which is a fault, or are closed."""
        return sorted(
            name
            for name, proxy in self.server.proxies().items()
            if not proxy["enabled"] or {toxic["name"] for toxic in proxy["toxics"]} - self._standing
        )

    def _before(self, link: str, stream: str) -> Any:
        return self.evidence.before(self.server.proxies()[link]["listen"], link, stream)


@dataclass(frozen=True, slots=True)
class LinkToxic:
    """A toxic in force. Implements `chaos.live.faults.Toxic`."""

    faults: LinkFaults
    link: str
    stream: str
    name: str
    before: Any

    def remove(self) -> None:
        self.faults.server.remove(self.link, self.name)

    def touched(self) -> Touched:
        """Since it was added; ask before it is removed."""
        return self.faults.evidence.of_toxic(self.link, self.stream, self.name, self.before)


@dataclass(frozen=True, slots=True)
class LinkDown:
    """A link that is closed. Implements `chaos.live.faults.Toxic`."""

    faults: LinkFaults
    link: str
    before: Any

    def remove(self) -> None:
        self.faults.up(self.link)

    def touched(self) -> Touched:
        """The connections that were cut; those refused since are seen by their callers alone."""
        return self.faults.evidence.of_down(self.link, self.before)
