"""Searches for planted bugs by four strategies: what one try is, how it is made, and where tries are kept.

`fixed 0.05` and `fixed 0.2` blow the whole pool of `hunt` at once, every rule with this probability at each site
and every window with this probability in each storm, over the shop as written. `swarm` is `hunt`. `sweep` tries
every single fault on each journey, then every pair. The random ones are repeated from disjoint seeds.

A find must be the bug's own: if the same storm breaks the strongest design as well, it is passed over. Seconds are
CPU time of the search, without that second look.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from itertools import islice
from pathlib import Path
from time import process_time

from chaos.engines import LOCAL, engine
from chaos.planted import violated_in
from chaos.run import run
from chaos.shrink.nearest import STRONGEST
from chaos.swarm import pool, run_seed
from chaos.sweep import Ground, sweep, vocabulary
from chaos.sweep.ground import look
from chaos.versions import versions
from scenarios import loading
from scenarios.model import Scenario

SWEEP = "sweep"
FIXED = {"fixed 0.05": 0.05, "fixed 0.2": 0.2}
STRATEGIES = (*FIXED, "swarm", SWEEP)
APART = 1_000_000
"""Seeds between the first storms of two tries."""


@dataclass(frozen=True)
class Try:
    """One strategy against one bug. `violated` is empty for a miss; `passed_over` storms broke the strongest too.

    For a sweep `journey` and `faults` say where it was found; there `storms` is the number of runs.
    """

    strategy: str
    bug: str
    first: int
    violated: tuple[str, ...]
    storms: int
    seconds: float
    passed_over: int
    journey: str = ""
    faults: int = 0

    @property
    def key(self) -> tuple[str, str, int]:
        """No two tries are the same."""
        return self.strategy, self.bug, self.first


@dataclass(frozen=True)
class Budget:
    """Where a try ends. A sweep ends with the last set of so many faults; what it finds too late is a miss."""

    storms: int
    seconds: float
    journeys: tuple[str, ...]
    faults: int
    code: str = field(default_factory=lambda: versions()["code"])
    """Digest of what was measured: tries of different code are not mixed."""

    def within(self, one: Try) -> bool:
        """Whether the bug was found in time."""
        in_time = one.seconds <= self.seconds
        return bool(one.violated) and in_time and (one.strategy == SWEEP or one.storms <= self.storms)


@cache
def fixed(probability: float) -> Scenario:
    """The pool of `hunt` with every rule at one probability."""
    whole = pool()
    rules = tuple(rule.model_copy(update={"probability": probability}) for rule in whole.faults)
    return whole.model_copy(update={"faults": rules})


def broken(strategy: str, design: str, seed: int) -> tuple[str, ...]:
    """The invariants that this storm of a random strategy breaks on a design."""
    if strategy in FIXED:
        result = run(fixed(FIXED[strategy]), design, seed)
    else:
        result = run_seed(pool(), design, seed)
    return tuple(sorted(verdict.invariant for verdict in violated_in(result.verdicts)))


def storms(strategy: str, design: str, first: int, budget: Budget) -> Try:
    """Storm by storm until one breaks the design alone, or the budget is spent."""
    seconds, passed_over, done = 0.0, 0, 0
    while done < budget.storms and seconds <= budget.seconds:
        began = process_time()
        violated = broken(strategy, design, first + done)
        seconds += process_time() - began
        done += 1
        if violated and not broken(strategy, STRONGEST, first + done - 1):
            return Try(strategy, design, first, violated, done, seconds, passed_over)
        passed_over += bool(violated)
    return Try(strategy, design, first, (), done, seconds, passed_over)


def swept(design: str, first: int, budget: Budget) -> Try:
    """Every journey with one fault, then every journey with two, until one breaks the design alone."""
    seconds, runs, passed_over = 0.0, 0, 0
    for faults in range(1, budget.faults + 1):
        for journey in budget.journeys:
            began = process_time()
            ground = _ground(journey, design, first)
            done = sweep(ground, faults, stop_first=True)
            seconds += process_time() - began
            runs += done.runs
            if not done.violations:
                continue
            found = done.violations[0]
            alone = look(_ground(journey, STRONGEST, first), found.strikes, deeper=False).verdicts
            if "violated" not in alone.values():
                violated, size = tuple(sorted(found.violated)), len(found.strikes)
                return Try(SWEEP, design, first, violated, runs, seconds, passed_over, journey, size)
            passed_over += 1
    return Try(SWEEP, design, first, (), runs, seconds, passed_over)


def _ground(journey: str, design: str, seed: int) -> Ground:
    return Ground.of(loading.load(journey), design, seed, vocabulary.chosen(()))


Job = tuple[str, str, int]


def attempt(job: Job, budget: Budget) -> Try:
    """One try, in a worker."""
    strategy, design, first = job
    if strategy == SWEEP:
        return swept(design, first, budget)
    return storms(strategy, design, first, budget)


def jobs(names: Sequence[str], strategies: Sequence[str], tries: int) -> Iterator[Job]:
    """Round by round, so that what is there after an interruption is balanced. One sweep: it draws nothing."""
    for number in range(tries):
        for name in names:
            for strategy in strategies:
                if strategy != SWEEP or number == 0:
                    yield strategy, name, 1 + number * APART


# ---------------------------------------------------------------- the file of tries


class BadTries(Exception):
    """The file of tries is none, or of another budget or other code. The message names file and line."""


def read(path: Path, budget: Budget) -> list[Try]:
    """The tries in a file, none if there is none yet. Raises BadTries."""
    if not path.exists():
        return []
    tries = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            if number > 1:
                tries.append(Try(**{**row, "violated": tuple(row["violated"])}))
        except (ValueError, TypeError, KeyError) as error:
            raise BadTries(
                f"{path}, line {number}: not a try ({error!r}); without the line it is made again"
            ) from error
        if number == 1 and row != json.loads(json.dumps(asdict(budget))):
            raise BadTries(
                f"{path}: made with another budget or by other code, {line}; name a new file by --out"
            )
    return tries


def measure(todo: Sequence[Job], budget: Budget, workers: int, path: Path) -> Iterator[Try]:
    """Make these tries on so many processes; each is in the file before it is told."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(budget)) + "\n", "utf-8")
    left = iter(todo)
    with path.open("a", encoding="utf-8") as file, engine(LOCAL, workers) as ready:
        waiting = {ready.submit(attempt, job, budget) for job in islice(left, workers)}
        while waiting:
            done = next(iter(wait(waiting, return_when=FIRST_COMPLETED).done))
            one: Try = replace(done.result(), seconds=round(done.result().seconds, 4))
            file.write(json.dumps(asdict(one)) + "\n")
            file.flush()
            waiting.remove(done)
            waiting |= {ready.submit(attempt, job, budget) for job in islice(left, 1)}
            yield one
