"""What becomes of single messages: lost, doubled, held back. One decision for both worlds.

Which message is struck the nemesis draws, keyed by link and message; how long it is held, the simulated
network does. The simulated network asks here for what it does to a call. Live, no proxy can tell one message from
another, so whichever end of a link is ours asks for the message's `Fate` and acts it out itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chaos.nemesis import Nemesis
from scenarios.faults.link import ARROW, DATABASES
from sim.network import Duplicate, Effect, Loss, Reorder, impose
from sim.network.toxics import Passage
from sim.randomness import Streams

Key = tuple[Any, ...]
"""Names a message among those of its link: what it is about, and which of its kind it is."""

MESSAGE_FAULTS: Final[Mapping[str, Callable[[Mapping[str, Any]], Effect]]] = {
    "link.loss_before": lambda _: Effect(request=(Loss(),)),
    "link.loss_after": lambda _: Effect(reply=(Loss(),)),
    "link.duplicate": lambda _: Effect(request=(Duplicate(),)),
    "link.reorder": lambda p: Effect(request=(Reorder(p["delay_us"]),)),
}


@dataclass(frozen=True, slots=True)
class Fate:
    """A struck message: how much later than it would it arrives, and again each of its copies, in µs.

    No time at all: it never arrives. `answered`: whether its sender gets to hear of an outcome.
    """

    arrivals_us: tuple[int, ...]
    answered: bool


class Messages:
    """Decides on single messages."""

    def __init__(self, nemesis: Nemesis, streams: Streams) -> None:
        self._nemesis = nemesis
        self._streams = streams
        self._faults: Sequence[str] = [fault for fault in MESSAGE_FAULTS if nemesis.has(fault)]

    @property
    def at_risk(self) -> bool:
        """Whether any rule of this run speaks of single messages."""
        return bool(self._faults)

    def effect(self, link: str, key: Key) -> Effect | None:
        """What the simulated network does to this call on `caller>callee`."""
        caller, _, callee = link.rpartition(">")
        if callee in DATABASES:
            return None
        site = tuple(map(str, key))
        for fault in self._faults:
            params = self._nemesis.at(fault, f"{caller}{ARROW}{callee}", site)
            if params is not None:
                return MESSAGE_FAULTS[fault](params)
        return None

    def strike(self, caller: str, callee: str, key: Key) -> Fate | None:
        """What becomes of this message, which sets out now; None: nothing. It is on record when it is struck."""
        link = f"{caller}>{callee}"
        effect = self.effect(link, key) if self._faults else None
        if effect is None:
            return None
        there, back = Passage(0, 0), Passage(0, 0)
        impose(effect.request, there, self._streams, link, "upstream", key)
        impose(effect.reply, back, self._streams, link, "downstream", key)
        if there.lost:
            return Fate((), answered=False)
        copies_us = (there.delay_us + after_us for after_us in there.copies_after_us)
        return Fate((there.delay_us, *copies_us), answered=not back.lost)
