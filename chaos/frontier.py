"""Where a design stops holding: the smallest value of one number of a storm at which each invariant first breaks.

First a grid over the whole range, then bisection between the highest value that held and the lowest that
broke, then a grid twice as dense below what was found: a design may fail at three minutes and hold at five. Every value and
every design gets the same seeds, and fault draws are keyed by site, so values differ in nothing but the value.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from chaos.dials import Dial, DialError
from chaos.edges import SCHEMA, Edge, Frontier, Row, Trial
from chaos.engines import LOCAL, Engine, engine
from chaos.interrupts import hush
from chaos.replay import Case
from chaos.run import run
from chaos.shrink.tokens import encode
from chaos.versions import versions
from scenarios.model import Scenario

GRID = 9
"""Values tried over the whole range before any is sought more closely."""
FINE = 1.05
"""An edge is found when what held and what broke are closer than this ratio (shares: `FINE_SHARE`)."""
FINE_SHARE = 0.01
ROUNDS = 4
"""Looks below before an edge that keeps moving down is taken as it is."""


@dataclass(frozen=True)
class Standing:
    """Where the search stands."""

    design: str
    number: int
    designs: int
    runs: int
    rate_per_s: float


Watcher = Callable[[Standing], None]


def frontier(
    scenario: Scenario,
    dial: Dial,
    designs: Sequence[str],
    seeds: int,
    *,
    jobs: int = 1,
    watch: Watcher | None = None,
) -> Frontier:
    """The frontier of each design. Interrupted, it has the designs that were finished. Raises DialError."""
    checked(scenario, dial)
    began, rows, runs, interrupted = time.perf_counter(), [], 0, False
    with engine(LOCAL, jobs) as ready:
        try:
            for number, design in enumerate(designs, 1):
                search = _Search(scenario, dial, design, seeds, ready)
                if watch is not None:
                    search.told = partial(_tell, watch, design, number, len(designs), runs, began)
                rows.append(search.row())
                runs += search.runs
        except KeyboardInterrupt:
            hush()
            interrupted = True
            ready.stop()
    return Frontier(
        SCHEMA, scenario.name, dial.name, dial.fault, dial.field, dial.unit, dial.low, dial.high, seeds,
        1 - 0.05 ** (1 / seeds), rows, runs, interrupted, versions(), round(time.perf_counter() - began, 3),
    )  # fmt: skip


def checked(scenario: Scenario, dial: Dial) -> None:
    """Whether the dial can be turned from end to end. Raises DialError."""
    if not 0 < dial.low < dial.high:
        raise DialError(
            f"{dial.name}: from {dial.shown(dial.low)} to {dial.shown(dial.high)} is no range above 0"
        )
    for end in (dial.low, dial.high):
        dial.turned(scenario, end)


def _tell(
    watch: Watcher, design: str, number: int, designs: int, before: int, began: float, runs: int
) -> None:
    rate = (before + runs) / (time.perf_counter() - began)
    watch(Standing(design, number, designs, before + runs, rate))


class _Search:
    """One design. What was tried once is remembered, so edges of several invariants share their trials."""

    def __init__(self, scenario: Scenario, dial: Dial, design: str, seeds: int, ready: Engine) -> None:
        self._scenario = scenario
        self._dial = dial
        self._design = design
        self._seeds = range(1, seeds + 1)
        self._engine = ready
        self._tried: dict[float, Trial] = {}
        steps = [dial.between(dial.low, dial.high, step / (GRID - 1)) for step in range(1, GRID - 1)]
        self._grid = list(dict.fromkeys([dial.low, *steps, dial.high]))
        self.runs = 0
        self.told: Callable[[int], None] | None = None

    def row(self) -> Row:
        """Grid, bisection, and looks below until no edge moves."""
        self._try(self._grid)
        for _ in range(ROUNDS):
            edges = self._sought()
            if not self._try(self._below(edges)) or self._sought() == edges:
                break
        found = [self._edge(invariant, *ends) for invariant, ends in self._sought().items()]
        found.sort(key=lambda edge: (edge.breaks_at, edge.invariant))
        return Row(self._design, found, [self._tried[value] for value in sorted(self._tried)])

    def _sought(self) -> dict[str, tuple[float | None, float]]:
        """For each invariant that broke anywhere the values on both sides of its edge, close together."""
        edges: dict[str, tuple[float | None, float]] = {}
        while missing := [name for name in self._broken() if name not in edges]:
            for invariant in missing:
                edges[invariant] = self._closed_in(invariant)
        return {invariant: self._ends(invariant) for invariant in edges}

    def _broken(self) -> list[str]:
        return sorted({invariant for trial in self._tried.values() for invariant in trial.violated})

    def _ends(self, invariant: str) -> tuple[float | None, float]:
        breaks = min(value for value, trial in self._tried.items() if invariant in trial.violated)
        return max((value for value in self._tried if value < breaks), default=None), breaks

    def _closed_in(self, invariant: str) -> tuple[float | None, float]:
        while True:
            holds, breaks = self._ends(invariant)
            if holds is None or self._is_fine(holds, breaks):
                return holds, breaks
            if not self._try([self._dial.between(holds, breaks)]):
                return holds, breaks

    def _is_fine(self, holds: float, breaks: float) -> bool:
        return breaks / holds <= FINE if self._dial.logarithmic else breaks - holds <= FINE_SHARE

    def _below(self, edges: dict[str, tuple[float | None, float]]) -> list[float]:
        """Halfway between every two neighbours of the grid below an edge."""
        highest = max((holds for holds, _ in edges.values() if holds is not None), default=0)
        return [self._dial.between(one, other) for one, other in pairwise(self._grid) if other <= highest]

    def _try(self, values: Iterable[float]) -> int:
        """Run all seeds at these values; how many of them were new."""
        new = [value for value in dict.fromkeys(values) if value not in self._tried]
        size = max(1, -(-len(self._seeds) // self._engine.workers))
        parts = [self._seeds[start : start + size] for start in range(0, len(self._seeds), size)]
        under_way = [
            (value, [self._engine.submit(try_value, self._dial, self._scenario, self._design, value, list(part))
                     for part in parts])
            for value in new
        ]  # fmt: skip
        for value, futures in under_way:
            self._tried[value] = _joined([future.result() for future in futures])
            self.runs += len(self._seeds)
            if self.told is not None:
                self.told(self.runs)
        return len(new)

    def _edge(self, invariant: str, holds: float | None, breaks: float) -> Edge:
        broken = self._tried[breaks].violated[invariant]
        again = [
            value
            for value, trial in sorted(self._tried.items())
            if value > breaks and invariant not in trial.violated
        ]
        storm = self._dial.turned(self._scenario, breaks)
        return Edge(
            invariant, breaks, holds, len(broken), again, encode(Case(storm, self._design, broken[0]))
        )


def try_value(dial: Dial, scenario: Scenario, design: str, value: float, seeds: list[int]) -> Trial:
    """In a worker: the storm with this value, seed by seed."""
    storm = dial.turned(scenario, value)
    violated: dict[str, list[int]] = {}
    unknown: dict[str, int] = {}
    touched = 0
    for seed in seeds:
        result = run(storm, design, seed)
        touched += sum(count for rule, count in result.touched.items() if rule.split("/")[1] == dial.fault)
        for verdict in result.verdicts:
            if verdict.outcome == "violated":
                violated.setdefault(verdict.invariant, []).append(seed)
            elif verdict.outcome == "unknown":
                unknown[verdict.invariant] = unknown.get(verdict.invariant, 0) + 1
    return Trial(value, violated, unknown, touched)


def _joined(parts: Sequence[Trial]) -> Trial:
    """The same value on all seeds."""
    violated: dict[str, list[int]] = {}
    unknown: dict[str, int] = {}
    for part in parts:
        for invariant, seeds in part.violated.items():
            violated.setdefault(invariant, []).extend(seeds)
        for invariant, count in part.unknown.items():
            unknown[invariant] = unknown.get(invariant, 0) + count
    return Trial(parts[0].value, violated, unknown, sum(part.touched for part in parts))
