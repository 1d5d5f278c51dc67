"""Site faults are drawn in the process that has the site, by draws keyed as everywhere.

Each such process has a nemesis of its own, made from the same rules and seed, and writes down what it struck. Window faults
are the orchestrator's. A site rule with `on:` strikes from the moment its event was seen: by the process itself where all
events of that name are its own, else by the orchestrator, which hears everything a little later and announces it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chaos.history import Event, Recording
from chaos.live.openings import Opening, Openings
from chaos.live.settings import Storm
from chaos.messages import Messages
from chaos.nemesis import Nemesis, Plan, hear
from chaos.opening import Opening as Start
from reference_platform import designs
from scenarios.workload import Workload
from sim.counterparties.host import Timers

OPERATIONS = ("invoke.", "ok.", "fail.", "unknown.")


def own_events(name: str, workload: Workload, loads: int = 1) -> tuple[str, ...]:
    """How the names of those events begin which nobody but the process of this name writes down."""
    if name in workload.channels():
        return ("book.CH.",) if len(workload.channels()) == 1 else ()
    if name in workload.suppliers():
        return ("book.SUP.",) if len(workload.suppliers()) == 1 else ()
    if name == "users":
        return ("notice.",)
    return OPERATIONS if name.startswith("load") and loads == 1 else ()


class SiteNemesis(Nemesis):
    """Draws at the sites of one process."""

    def __init__(
        self,
        start: Start,
        *,
        kernel: Timers,
        history: Recording,
        plan: Plan | None,
        own: Sequence[str] = (),
        announced: Callable[[], Sequence[Opening]] = tuple,
    ) -> None:
        """`own` is of `own_events`; `announced` gives the windows that have been opened since it was last asked."""
        super().__init__(
            start.scenario.faults,
            kernel=kernel,
            streams=start.streams,
            history=history,
            heal_us=start.heal_us,
            plan=plan,
        )
        self._announced = announced
        sites = {
            name: [rule for rule in rules if not rule.rule.window] for name, rules in self.watched.items()
        }
        self._waiting = {rule.index: rule for rules in sites.values() for rule in rules}
        self.watched = {name: rules for name, rules in sites.items() if rules and name.startswith(tuple(own))}
        if self.watched:
            history.listen(self._hear)

    def at(self, fault: str, where: str, key: tuple[str, ...]) -> Mapping[str, Any] | None:
        """As for any nemesis, and what has been announced counts."""
        if self._waiting:
            for opening in self._announced():
                self.open(opening)
        return super().at(fault, where, key)

    def waits(self) -> bool:
        """Whether any of its rules still waits for its event."""
        return bool(self._waiting)

    def open(self, opening: Opening) -> None:
        """The event was seen elsewhere. It counts unless it was seen here, too."""
        armed = self._waiting.pop(opening.index, None)
        if armed is not None:
            armed.start_us, armed.until_us = opening.start_us, opening.until_us

    def _hear(self, event: Event) -> None:
        hear(self, event)
        for rule in [rule for rule in self._waiting.values() if rule.seen >= rule.rule.nth]:
            del self._waiting[rule.index]


class Announcer:
    """The orchestrator's part: tells all processes of the site rules whose event its own nemesis has seen."""

    def __init__(self, nemesis: Nemesis, openings: Openings) -> None:
        self._openings = openings
        self._waiting = [
            armed for rules in nemesis.watched.values() for armed in rules if not armed.rule.window
        ]

    def look(self) -> None:
        """To be called after the nemesis was told of events."""
        for armed in [armed for armed in self._waiting if armed.seen >= armed.rule.nth]:
            self._waiting.remove(armed)
            self._openings.tell(Opening(armed.index, armed.start_us, armed.until_us))


def messages_of(settings: Storm, timers: Timers, history: Recording) -> Messages:
    """What becomes of messages that this process sends or takes."""
    start = Start(settings.model(), designs.load(settings.design), settings.seed)
    nemesis = SiteNemesis(
        start,
        kernel=timers,
        history=history,
        plan=settings.plan,
        own=own_events(settings.name, start.scenario.workload),
        announced=Openings(settings.openings).news,
    )
    return Messages(nemesis, start.streams)
