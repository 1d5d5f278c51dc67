"""The walk over all sets of strikes: breadth first, each set once, what can come to nothing new left out.

The children of a set are the sites reached in its run after its last strike. Before a strike nothing of a run
is changed by it, so every set of strikes that all land is met exactly once, in the order in which they land.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from chaos.certificate import Level, Violation
from chaos.engines import LOCAL, Engine, engine
from chaos.interrupts import hush
from chaos.sweep.ground import Ground, Reached, Seen, Strikes, look
from sim.kernel import HarnessError

BATCH = 24
KEPT_EACH = 5
"""Violating sets kept for each invariant; all of them are counted."""
SAMPLED_EACH = 40
"""Runs of each deeper level that a certificate names, for those who check it."""


@dataclass(frozen=True)
class Standing:
    """Where a sweep stands. `known`: runs that are certain to be made."""

    done: int
    known: int
    faults: int
    violated: int
    rate_per_s: float


Watcher = Callable[[Standing], None]


@dataclass
class Sweep:
    """What a sweep has come to."""

    ground: Ground
    k: int
    levels: list[Level] = field(default_factory=list)
    violated: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    interrupted: bool = False
    stopped: bool = False
    wall_s: float = 0.0

    @property
    def cut_short(self) -> bool:
        """Whether something is left to try: then it certifies nothing."""
        return self.interrupted or self.stopped

    @property
    def runs(self) -> int:
        return sum(level.runs for level in self.levels)

    def add(self, strikes: Strikes, seen: Seen) -> None:
        """Count a run's verdicts, and keep its set of strikes if it is among the first of its kind."""
        for invariant, outcome in seen.verdicts.items():
            counts = self.violated if outcome == "violated" else self.unknown
            counts[invariant] = counts.get(invariant, 0) + 1
        broken = [name for name, outcome in seen.verdicts.items() if outcome == "violated"]
        if any(self.violated[name] <= KEPT_EACH for name in broken):
            self.violations.append(Violation(strikes, seen.plan, broken, seen.digest))


def sweep(
    ground: Ground,
    k: int,
    jobs: int = 1,
    watch: Watcher | None = None,
    *,
    pruned: bool = True,
    stop_first: bool = False,
) -> Sweep:
    """Run every set of up to `k` strikes. Interrupted, it returns what it has, which certifies nothing."""
    result = Sweep(ground, k)
    began = time.perf_counter()
    with engine(LOCAL, jobs) as ready:
        walk = _Walk(result, ready, watch, pruned=pruned, stop_first=stop_first)
        try:
            walk.go()
        except KeyboardInterrupt:
            hush()
            result.interrupted = True
            ready.stop()
    result.wall_s = time.perf_counter() - began
    return result


class _Walk:
    """One sweep under way."""

    def __init__(
        self, result: Sweep, ready: Engine, watch: Watcher | None, *, pruned: bool, stop_first: bool
    ) -> None:
        self._result = result
        self._engine = ready
        self._watch = watch
        self._pruned = pruned
        self._stop_first = stop_first
        self._began = time.perf_counter()
        self._done = 0
        self._known = 1
        self._twins: dict[str, list[list[Reached]]] = {}

    def go(self) -> None:
        """Level after level: all sets of one size before the next."""
        level: list[tuple[Strikes, list[str]]] = [((), [""])]
        for faults in range(self._result.k + 1):
            plans = (
                (*strikes, strike) if strike else strikes for strikes, reached in level for strike in reached
            )
            self._known = self._done + sum(len(reached) for _, reached in level)
            level = self._level(faults, plans)
            if self._result.stopped:
                self._engine.stop()
                return

    def _level(self, faults: int, plans: Iterable[Strikes]) -> list[tuple[Strikes, list[str]]]:
        """Run these; gives those that are worth going on from, with the strikes to add."""
        digest = hashlib.blake2b(digest_size=16)
        runs = twins = 0
        sample: list[tuple[Strikes, str]] = []
        onward: list[tuple[Strikes, list[str]]] = []
        for strikes, seen in self._run(plans, deeper=faults < self._result.k):
            runs += 1
            self._result.add(strikes, seen)
            digest.update(line(strikes, seen))
            _draw(sample, runs, (strikes, seen.digest))
            if self._pruned and faults < self._result.k and self._has_twin(seen):
                twins += 1
            elif seen.reached:
                onward.append((strikes, [strike for _, strike in seen.reached]))
            if self._stop_first and self._result.violated:
                self._result.stopped = True
                break
        self._result.levels.append(Level(faults, runs, twins, digest.hexdigest(), sample))
        return onward

    def _has_twin(self, seen: Seen) -> bool:
        """Whether an earlier run, of no more strikes, saw the same events and can be struck at the same sites."""
        twins = self._twins.setdefault(seen.events, [])
        reached = seen.reached
        if any(
            len(other) >= len(reached) and other[len(other) - len(reached) :] == reached for other in twins
        ):
            return True
        twins.append(reached)
        return False

    def _run(self, plans: Iterable[Strikes], *, deeper: bool) -> Iterator[tuple[Strikes, Seen]]:
        """Every plan and what was seen, in the order of the plans; a few batches at a time are under way."""
        todo = iter(plans)
        waiting: deque[tuple[list[Strikes], Future[list[Seen]]]] = deque()
        while True:
            while len(waiting) < 4 * self._engine.workers and (batch := list(islice(todo, BATCH))):
                future = self._engine.submit(run_batch, self._result.ground, batch, deeper, self._pruned)
                waiting.append((batch, future))
            if not waiting:
                return
            batch, future = waiting.popleft()
            yield from zip(batch, future.result(), strict=True)
            self._done += len(batch)
            self._show(len(batch[0]))

    def _show(self, faults: int) -> None:
        if self._watch is not None:
            rate = self._done / (time.perf_counter() - self._began)
            violated = sum(self._result.violated.values())
            self._watch(Standing(self._done, max(self._known, self._done), faults, violated, rate))


def run_batch(ground: Ground, plans: list[Strikes], deeper: bool, pruned: bool) -> list[Seen]:  # noqa: FBT001 - crosses a process border by position
    """In a worker. A run that breaks is named by its strikes: the search cannot go on without it."""
    found = []
    for strikes in plans:
        try:
            found.append(look(ground, strikes, deeper=deeper, pruned=pruned))
        except Exception as error:
            raise HarnessError(f"the run with strikes {list(strikes)} broke: {error!r}") from error
    return found


def line(strikes: Strikes, seen: Seen) -> bytes:
    """What goes into a level's digest for one run: the strikes, the history, the verdicts."""
    return msgspec.json.encode((strikes, seen.digest, sorted(seen.verdicts.items()))) + b"\n"


def _draw(sample: list[tuple[Strikes, str]], count: int, run: tuple[Strikes, str]) -> None:
    """Keep a spread of runs whatever their number: when full, every other one goes and the stride doubles."""
    stride = 1
    while count > SAMPLED_EACH * stride:
        stride *= 2
    if stride > 1 and count == SAMPLED_EACH * stride // 2 + 1:
        del sample[1::2]
    if (count - 1) % stride == 0:
        sample.append(run)
