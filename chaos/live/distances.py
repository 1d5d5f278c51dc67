"""Distances of the live world: on loopback all parts stand on top of each other.

A rule that wants a moment between two messages, and every race between them, needs the time that messages take. So links
carry the same latencies as in the simulated world, where nothing else is said (`scenario.speeds`).

A rule that waits for a commit needs a moment more. In the simulated world it strikes before the node can go on. Here
the commit is seen in the database's log a little later, so until such rules have struck, the database's
answers travel long enough for that: a node can be killed between its commit and the news of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chaos.live.faults import Toxic, ms
from chaos.live.link_faults import LinkFaults
from chaos.live.links import Link, Links
from chaos.nemesis import Nemesis
from reference_platform.ports import SECOND
from scenarios.speeds import Speeds
from sim.counterparties.host import Timers

HESITATION_MS: Final = 60
"""Longer than it takes to see a commit in the database's log and to send a signal."""


def distance_us(link: Link, speeds: Speeds, parties: Sequence[str]) -> int:
    """One way, of a link that is not at fault."""
    if link.caller == "users":
        return speeds.users if link.callee == "edge" else 0
    if link.caller in parties or link.callee in parties:
        return speeds.counterparty
    return speeds.notice if link.callee == "users" else 0


def stretch(links: Links, faults: LinkFaults, speeds: Speeds, parties: Sequence[str]) -> None:
    """Put every part where it belongs."""
    for link in links:
        distance = distance_us(link, speeds, parties)
        if distance:
            for stream in ("upstream", "downstream"):
                faults.stretch(link.name, stream, ms(distance))


class Hesitation:
    """The database's answers take longer as long as a rule waits for a commit. Used by one thread."""

    def __init__(self, nemesis: Nemesis, links: Links, faults: LinkFaults, timers: Timers) -> None:
        self._timers = timers
        self._waiting = True
        self._rules = [
            armed for name, rules in nemesis.watched.items() if name.startswith("state.") for armed in rules
        ]
        self._toxics: list[Toxic] = []
        if self._rules:
            self._toxics = [
                faults.stretch(link.name, "downstream", HESITATION_MS)
                for link in links.hit(("platform-*", "database"))
            ]

    def look(self) -> None:
        """End it when every such rule has had its event, and what it does is done."""
        if self._toxics and self._waiting and all(armed.seen >= armed.rule.nth for armed in self._rules):
            self._waiting = False
            last_us = max(armed.start_us for armed in self._rules)
            self._timers.call_at(max(last_us, self._timers.now) + SECOND, self.end)

    def end(self) -> None:
        """Twice does no harm."""
        while self._toxics:
            self._toxics.pop().remove()
