"""A campaign: scenarios × designs × seeds, on an engine, streamed to a results directory.

Batches finish in any order and are written as they do; when the campaign ends, the lines are brought into
the order of scenarios, designs and seeds. So two campaigns of the same code differ only in their wall
times, and one that was killed and taken up again does not differ from one that never was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from chaos import corpus
from chaos.corpus import Saved
from chaos.engines import LOCAL, Engine, EngineBroke, engine
from chaos.interrupts import Interrupts
from chaos.record import Record
from chaos.results import SIM, Campaign, Results
from chaos.schedule import Schedule
from chaos.tally import Cell
from chaos.worker import Batch, Outcome, Runner, run_batch
from scenarios.model import Scenario

_BATCHES_AHEAD = 2
"""Batches in flight for each worker: enough to keep it busy, few enough to be fair."""


@dataclass(frozen=True)
class Order:
    """What to run. `seeds` are ascending; `runner` must be importable by worker processes.

    `max_failures` ends the campaign after so many failures that nobody expected, `seconds` after so long. Plans that failed before
    are in `corpus`; they are tried first. `resume` takes up a campaign that was left in the middle:
    see `chaos.resume`. `files` is in `chaos.results.Campaign`.
    """

    scenarios: Sequence[Scenario]
    designs: Sequence[str]
    seeds: Sequence[int]
    runner: Runner
    out: Path
    jobs: int = 1
    max_failures: int | None = None
    command: str = ""
    engine: str = LOCAL
    corpus: Path | None = None
    resume: Results | None = None
    seconds: float | None = None
    world: str = SIM
    files: Mapping[str, str] = field(default_factory=dict)


class Progress:
    """Where a campaign stands; handed to the watcher after each batch."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._before = record.done
        self._started_s = time.monotonic()
        self.total = record.total

    @property
    def done(self) -> int:
        """Runs made, in earlier sessions too."""
        return self._record.done

    @property
    def failing(self) -> int:
        """Runs with a violation, or broken."""
        return sum(cell.failing for cell in self._record.cells)

    @property
    def behaviours(self) -> int:
        """Distinct behaviours seen."""
        return len(self._record.behaviours)

    @property
    def wall_s(self) -> float:
        """Since this session began."""
        return time.monotonic() - self._started_s

    @property
    def rate_per_s(self) -> float:
        """Seeds a second in this session."""
        return (self.done - self._before) / max(self.wall_s, 1e-9)


Watcher = Callable[[Progress], None]
Answer = TypeVar("Answer")


def conduct(order: Order, watch: Watcher | None = None) -> Campaign:
    """Run it all; the finished campaign, also on disk. Raises ResultsError or EngineError before anything is run.

    An interrupt stops the workers, keeps what was written and returns with `interrupted` set.
    """
    saved = corpus.read(order.corpus, order.scenarios, order.designs)
    if order.resume is not None:
        saved = [entry for entry in saved if entry.name in order.resume.campaign.corpus_ids]
    interrupts = Interrupts()
    crash, stopped, interrupted = "", "", False
    with interrupts.watched(), engine(order.engine, order.jobs) as ready:
        record = Record(order, saved, ready.workers)
        progress = Progress(record)
        try:
            _try_again(record, saved, ready, interrupts)
            for cell, outcome in _outcomes(order, record, ready, progress):
                with interrupts.held():
                    record.add(cell, outcome)
                if watch is not None:
                    watch(progress)
            stopped = _spent(order, record, progress)
        except KeyboardInterrupt:
            interrupted = True
            ready.stop()
        except EngineBroke as error:
            crash = f"the engine broke: {error}"
            ready.stop()
        finally:
            with suppress(KeyboardInterrupt), interrupts.held():
                campaign = record.end(progress.wall_s, stopped, crash, interrupted=interrupted)
    return campaign


def _try_again(record: Record, saved: Sequence[Saved], ready: Engine, interrupts: Interrupts) -> None:
    """The saved plans that this campaign has not tried yet."""
    tried = record.tried_names()
    for future in [ready.submit(corpus.try_again, entry) for entry in saved if entry.name not in tried]:
        with interrupts.held():
            record.add_tried(_result(future))


def _outcomes(
    order: Order, record: Record, ready: Engine, progress: Progress
) -> Iterator[tuple[Cell, Outcome]]:
    """Outcomes as they come in, a bounded number of batches in flight, until a budget is spent."""
    schedule = Schedule(record.cells, order.seeds, record.done_seeds, ready.workers)
    ahead = 1 if ready.workers == 1 else ready.workers * _BATCHES_AHEAD
    running: dict[Future[Outcome], Cell] = {}
    while not _spent(order, record, progress):
        while len(running) < ahead and (given := schedule.next()) is not None:
            cell, seeds = given
            batch = _batch(cell, seeds, order.max_failures, record.failures)
            running[ready.submit(run_batch, order.runner, batch)] = cell
        if not running:
            return
        finished = wait(running, return_when=FIRST_COMPLETED).done
        for future in [future for future in running if future in finished]:
            yield running.pop(future), _result(future)
    if running:
        ready.stop()


def _batch(cell: Cell, seeds: Sequence[int], budget: int | None, spent: int) -> Batch:
    sample = cell.sample is None or cell.sample > seeds[0]
    left = None if budget is None or cell.expects_violations else budget - spent
    return Batch(
        cell.scenario, cell.design, seeds, dict(cell.first_seeds), sample, left, dict(cell.first_of_kind)
    )


def _spent(order: Order, record: Record, progress: Progress) -> str:
    """Why no more is run, or nothing."""
    if order.seconds is not None and progress.wall_s >= order.seconds and progress.done < progress.total:
        return f"stopped after {order.seconds:g} s"
    if order.max_failures is None or record.failures < order.max_failures:
        return ""
    return f"stopped after {record.failures} unexpected failures (--max-failures {order.max_failures})"


def _result(future: Future[Answer]) -> Answer:
    """What a worker sent. Runs that fail are answers too, so whatever is raised here is the engine's."""
    try:
        return future.result()
    except Exception as error:
        raise EngineBroke(f"{type(error).__name__}: {error}") from error
