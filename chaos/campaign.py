"""A campaign: scenarios × designs × seeds, on all cores, streamed to a results directory.

Batches may finish in any order; they are written in the order of scenarios, designs and seeds, so two
campaigns of the same code differ only in their wall times. What was written stays readable
whatever stops the campaign.
"""

from __future__ import annotations

import platform
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from chaos.engines import local
from chaos.interrupts import Interrupts
from chaos.results import SCHEMA, Campaign, Run, Writer
from chaos.tally import Cell, Exit, exit_code
from chaos.worker import KEPT_FAILURES, Batch, Outcome, Runner, dump, run_batch
from scenarios.model import Scenario

_BATCHES_AHEAD = 3
"""Batches in flight for each worker: enough to keep it busy, few enough to stop soon."""


@dataclass(frozen=True)
class Order:
    """What to run. `seeds` are ascending; `runner` must be importable by worker processes."""

    scenarios: Sequence[Scenario]
    designs: Sequence[str]
    seeds: Sequence[int]
    runner: Runner
    out: Path
    jobs: int = 1
    stop_first: bool = False
    command: str = ""


@dataclass
class Progress:
    """Where a campaign stands; handed to the watcher after each batch."""

    total: int
    cells: list[Cell]
    done: int = 0
    failing: int = 0
    started_s: float = field(default_factory=time.monotonic)

    @property
    def rate_per_s(self) -> float:
        """Seeds a second so far."""
        return self.done / max(time.monotonic() - self.started_s, 1e-9)


Watcher = Callable[[Progress], None]


def conduct(order: Order, watch: Watcher | None = None) -> Campaign:
    """Run it all; the finished campaign, also on disk. Raises ResultsError before anything is run.

    An interrupt stops the workers, keeps what was written and returns with `interrupted` set.
    """
    cells = [Cell(scenario, design) for scenario in order.scenarios for design in order.designs]
    progress = Progress(len(cells) * len(order.seeds), cells)
    campaign = _begin(order)
    writer = Writer(order.out, campaign)
    crash = ""
    interrupted = False
    interrupts = Interrupts()
    with interrupts.watched():
        try:
            with local(order.jobs) as engine:
                for cell, outcome in _outcomes(order, cells, engine):
                    with interrupts.held():
                        _record(cell, outcome, writer, progress)
                    if watch is not None:
                        watch(progress)
                    if order.stop_first and _failed(cell, outcome):
                        break
        except KeyboardInterrupt:
            interrupted = True
        except BrokenProcessPool as error:
            crash = f"a worker process died: {error}"
        finally:
            with suppress(KeyboardInterrupt), interrupts.held():
                campaign = _ended(campaign, progress, interrupted=interrupted, crash=crash)
                writer.close()
                writer.save(campaign)
    return campaign


def _failed(cell: Cell, outcome: Outcome) -> bool:
    failing = ("broken",) if cell.expects_violations else ("broken", "violated")
    return any(run.outcome in failing for run in outcome.runs)


def _begin(order: Order) -> Campaign:
    packages = ("dingfeng", "simpy", "msgspec", "pydantic")
    versions = {"python": platform.python_version(), **{name: _version(name) for name in packages}}
    return Campaign(
        SCHEMA,
        versions["dingfeng"],
        versions,
        order.command,
        datetime.now(UTC).isoformat(timespec="seconds"),
        {scenario.name: dump(scenario) for scenario in order.scenarios},
        list(order.designs),
        list(order.seeds),
        order.jobs,
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _ended(campaign: Campaign, progress: Progress, *, interrupted: bool, crash: str) -> Campaign:
    cells = [cell.summary() for cell in progress.cells]
    code = Exit.INTERRUPTED if interrupted else Exit.BROKEN if crash else exit_code(cells)
    return msgspec.structs.replace(
        campaign,
        finished=progress.done == progress.total,
        interrupted=interrupted,
        error=crash,
        wall_s=round(time.monotonic() - progress.started_s, 3),
        exit_code=int(code),
        cells=cells,
    )


def _outcomes(order: Order, cells: Sequence[Cell], engine: Executor) -> Iterator[tuple[Cell, Outcome]]:
    """Outcomes in order, a bounded number of batches ahead of the one that is waited for."""
    ahead = 1 if order.jobs == 1 else order.jobs * _BATCHES_AHEAD
    waiting: deque[tuple[Cell, Future[Outcome]]] = deque()
    for cell, seeds in _slices(order, cells):
        batch = Batch(
            cell.scenario,
            cell.design,
            seeds,
            frozenset(name for name, count in cell.kept.items() if count >= KEPT_FAILURES),
            not cell.sampled,
            order.stop_first and not cell.expects_violations,
        )
        waiting.append((cell, engine.submit(run_batch, order.runner, batch)))
        if len(waiting) >= ahead:
            first, future = waiting.popleft()
            yield first, future.result()
    for cell, future in waiting:
        yield cell, future.result()


def _slices(order: Order, cells: Sequence[Cell]) -> Iterator[tuple[Cell, Sequence[int]]]:
    """Batches of some 500 orders: large enough to outweigh the way to a worker, small enough to lose to Ctrl-C."""
    for cell in cells:
        by_orders = max(1, 500 // cell.scenario.workload.orders)
        size = max(1, min(by_orders, -(-len(order.seeds) // (2 * order.jobs))))
        for start in range(0, len(order.seeds), size):
            yield cell, order.seeds[start : start + size]


def _record(cell: Cell, outcome: Outcome, writer: Writer, progress: Progress) -> None:
    """Write a batch's runs, and keep those failures that are still among the first of their kind."""
    for run in outcome.runs:
        kept = run
        files = outcome.files.get(("failures", run.failure)) if run.failure else None
        if files is not None:
            if _wanted(cell.kept, run):
                cell.kept.update(run.violated)
                writer.keep("failures", run.failure, files)
            else:
                kept = msgspec.structs.replace(run, failure="")
        cell.add(kept)
        writer.add(kept)
        progress.done += 1
        progress.failing += run.outcome in ("violated", "broken")
    for (folder, run_id), files in outcome.files.items():
        if folder == "samples" and not cell.sampled:
            cell.sampled = True
            writer.keep(folder, run_id, files)
    writer.flush()


def _wanted(kept: Counter[str], run: Run) -> bool:
    return any(kept[invariant] < KEPT_FAILURES for invariant in run.violated)
