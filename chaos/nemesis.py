"""The nemesis turns fault rules and a seed into blows, and writes down each one that landed.

Two kinds of fault. A *site* fault strikes single messages, charges, attempts or users: the actors
ask at stable sites (`Storm.at`) and the nemesis draws, keyed by rule and site, so adding one fault
never moves another. A *window* fault holds for a while: the nemesis inflicts it on the world at a
time (or at the n-th occurrence of an event) and undoes it.

Everything that struck is kept in `plan`, plain data `{site: effect}`. Given such a plan, the
nemesis draws nothing and strikes exactly there with that effect, so any part of it can be deleted or
made milder and the rest replays. A window that waits for an event still waits for it, and nothing
strikes once the storm is over: a shortened plan moves time, and the heal must stay true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, Protocol

from chaos.history import Event, History, Invoke, State
from chaos.survey import Survey
from scenarios.faults.rule import Rule
from sim.counterparties.host import Timers
from sim.kernel import Kernel
from sim.randomness import Streams
from sim.recorder import Recorder

Plan = dict[str, dict[str, Any]]
AT = "at_us"
"""In the effect of a strike that repeats: when it comes."""


@dataclass
class Blow:
    """A window fault now in force: `undo` ends it, `evidence` says what it has touched so far."""

    undo: Callable[[], None]
    evidence: Callable[[], Mapping[str, Any]]


class Inflictor(Protocol):
    """The world's side: knows how to do a window fault, not when."""

    def inflict(self, fault: str, params: Mapping[str, Any], site: str, acting: str) -> Sequence[Blow]:
        """Start the fault; `acting` is the node of the event that set it off, or empty."""
        ...


@dataclass
class _Armed:
    """One rule, ready: its window in µs, and how often it touched something."""

    index: int
    rule: Rule
    fault: str
    stream: str
    params: Mapping[str, Any]
    where: str
    start_us: int
    until_us: int
    touched: int = 0
    seen: int = 0
    blows: list[tuple[str, Blow]] = field(default_factory=list)

    @property
    def window_site(self) -> str:
        """The one site of a window fault."""
        return f"{self.index}/{self.fault}/{self.where}/window"


class Nemesis:
    """Storm for the actors, clockwork for the windows. One for each run."""

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        kernel: Timers,
        streams: Streams,
        history: Recorder,
        heal_us: int,
        plan: Plan | None = None,
    ) -> None:
        self._kernel = kernel
        self._streams = streams
        self._history = history
        self._heal_us = heal_us
        self._given = plan
        if isinstance(plan, Survey) and isinstance(kernel, Kernel) and isinstance(history, History):
            plan.attach(kernel, history)
        self.plan: Plan = {}
        self._rules: list[_Armed] = []
        for rule in rules:
            self._rules.append(self._arm(rule))
        self._sites: dict[str, list[_Armed]] = {}
        for armed in self._rules:
            if not armed.rule.window:
                self._sites.setdefault(armed.fault, []).append(armed)
        self._places: dict[tuple[str, str], list[_Armed]] = {}
        self.watched: dict[str, list[_Armed]] = {}
        for armed in self._rules:
            if armed.rule.on is not None:
                self.watched.setdefault(armed.rule.on, []).append(armed)

    def _arm(self, rule: Rule) -> _Armed:
        # Draws are named by the number among rules of the same fault: rules of others move none of them.
        twins = sum(armed.fault == rule.fault for armed in self._rules)
        until = self._heal_us if rule.until is None else min(rule.until, self._heal_us)
        start = rule.start if rule.on is None else self._heal_us + 1  # closed until its event comes
        return _Armed(
            index=len(self._rules),
            rule=rule,
            fault=rule.fault,
            stream=f"fault.{rule.fault}.{twins}",
            params=rule.params(),
            where=rule.where(),
            start_us=start,
            until_us=until,
        )

    # -------------------------------------------------------- site faults

    def at(self, fault: str, where: str, key: tuple[str, ...]) -> Mapping[str, Any] | None:
        """Does `fault` strike `where` at this site, now? Its parameters, or None."""
        place = fault, where
        candidates = self._places.get(place)
        if candidates is None:
            rules = self._sites.get(fault, ())
            candidates = self._places[place] = [rule for rule in rules if fnmatchcase(where, rule.where)]
        for armed in candidates:
            effect = self._strike(armed, where, key)
            if effect is not None:
                return effect
        return None

    def has(self, fault: str) -> bool:
        """Whether any rule of this run speaks of `fault`; lets actors skip asking."""
        return fault in self._sites

    def _strike(self, armed: _Armed, where: str, key: tuple[str, ...]) -> Mapping[str, Any] | None:
        site = f"{armed.index}/{armed.fault}/{where}/{'/'.join(key)}"
        now_us = self._kernel.now
        if self._given is not None:
            effect = self._given.get(site) if now_us < self._heal_us else None
        else:
            open_now = armed.start_us <= now_us < armed.until_us
            effect = dict(armed.params) if open_now and self._drawn(armed, where, key) else None
        if effect is None:
            return None
        self.plan[site] = dict(effect)
        armed.touched += 1
        self._history.fault(armed.fault, "touch", site, {"where": where, "key": list(key), **effect})
        return effect

    def _drawn(self, armed: _Armed, where: str, key: tuple[str, ...]) -> bool:
        probability = armed.rule.probability
        return probability >= 1.0 or self._streams.uniform(armed.stream, where, *key) < probability

    # -------------------------------------------------------- window faults

    def schedule(self, world: Inflictor) -> None:
        """Put every window fault that has a fixed time into the kernel's queue."""
        self._world = world
        for armed in self._rules:
            if not armed.rule.window or armed.rule.on is not None:
                continue
            if armed.rule.repeat > 1:
                self._repeat(armed)
            elif self._wanted(armed):
                self._kernel.call_at(armed.start_us, self._begin, armed, armed.window_site, "")

    def _repeat(self, armed: _Armed) -> None:
        """Many strikes, each with a site of its own. When it comes is part of the effect, so no plan depends on draws."""
        part_us = (armed.until_us - armed.start_us) / armed.rule.repeat
        for number in range(armed.rule.repeat):
            key = ("window", str(number + 1))
            site = f"{armed.window_site}/{number + 1}"
            if self._given is not None:
                effect = self._given.get(site)
            elif self._drawn(armed, armed.where, key):
                into = self._streams.uniform(armed.stream, "moment", armed.where, *key)
                effect = {**armed.params, AT: armed.start_us + round((number + into) * part_us)}
            else:
                effect = None
            if effect is not None:
                self._kernel.call_at(effect[AT], self._begin, armed, site, "", effect)

    def _wanted(self, armed: _Armed) -> bool:
        if self._given is not None:
            return armed.window_site in self._given
        return self._drawn(armed, armed.where, ("window",))

    def see(self, name: str, event: Event) -> None:
        """An event that some rule waits for has been recorded."""
        for armed in self.watched[name]:
            armed.seen += 1
            if armed.seen != armed.rule.nth:
                continue
            acting = event.node if isinstance(event, State) else ""
            start = self._kernel.now + armed.rule.after
            armed.start_us = start
            if armed.rule.until is not None:
                armed.until_us = min(start + armed.rule.until - armed.rule.start, self._heal_us)
            if armed.rule.window and start < self._heal_us and self._wanted(armed):
                self._kernel.call_at(start, self._begin, armed, armed.window_site, acting)

    def _begin(self, armed: _Armed, site: str, acting: str, effect: Mapping[str, Any] | None = None) -> None:
        if self._kernel.now >= self._heal_us:
            return
        params = effect or (armed.params if self._given is None else self._given[site])
        self.plan[site] = dict(params)
        self._history.fault(armed.fault, "start", site, {"where": armed.where, **params})
        for blow in self._world.inflict(armed.fault, params, armed.where, acting):
            armed.blows.append((site, blow))
        lasts = params.get("restart_after_us", params.get("duration_us"))
        end = armed.until_us if lasts is None else min(self._kernel.now + lasts, self._heal_us)
        self._kernel.call_at(end, self._end, armed, site)

    def _end(self, armed: _Armed, site: str) -> None:
        ending = [blow for struck, blow in armed.blows if struck == site]
        armed.blows = [(struck, blow) for struck, blow in armed.blows if struck != site]
        for blow in ending:
            blow.undo()
            evidence = blow.evidence()
            armed.touched += int(evidence.get("touched", 0))
            self._history.fault(armed.fault, "end", site, evidence)

    def heal(self) -> None:
        """End of the storm: every window fault still in force is undone."""
        for armed in self._rules:
            for site in dict.fromkeys(site for site, _ in armed.blows):
                self._end(armed, site)

    def touched(self) -> dict[str, int]:
        """How often each rule really touched something, by `index/fault/where`."""
        return {f"{armed.index}/{armed.fault}/{armed.where}": armed.touched for armed in self._rules}


class WatchedHistory(History):
    """A history that tells the nemesis of the events its rules wait for."""

    def watch(self, nemesis: Nemesis) -> None:
        self.listen(partial(hear, nemesis))


def hear(nemesis: Nemesis, event: Event) -> None:
    """Tell the nemesis of an event, if some rule waits for it."""
    for name in names_of(event):
        if name in nemesis.watched:
            nemesis.see(name, event)


def names_of(event: Event) -> tuple[str, ...]:
    """The names under which a rule can wait for this event."""
    kind = type(event).__name__.lower()
    if isinstance(event, State):
        by_status = (event.row or {}).get("status")
        plain = f"state.{event.table}.{event.op}"
        return (plain,) if by_status is None else (plain, f"state.{event.table}.{by_status}")
    if isinstance(event, Invoke) or kind in ("ok", "fail", "unknown"):
        return (f"{kind}.{event.action}",)  # type: ignore[union-attr]
    if kind == "book":
        return (f"book.{event.party}.{event.entry}",)  # type: ignore[union-attr]
    if kind == "notice":
        return (f"notice.{event.topic}",)  # type: ignore[union-attr]
    return ()
