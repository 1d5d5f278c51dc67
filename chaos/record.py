"""What a campaign has come to so far, in memory and on disk: counted, kept, and in the end put in order.

It does not matter in which order outcomes come in: counts are sums, the failures kept whole are those of the
smallest seeds of each kind, and lines are sorted at the end. What arrived first but turns out not to be
among the first is dropped again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from chaos import corpus
from chaos.corpus import Saved
from chaos.results import SCHEMA, Campaign, Run
from chaos.results_writer import Writer
from chaos.tally import Cell, Exit, exit_code
from chaos.versions import versions
from chaos.worker import Outcome, dump, name_of, run_id

if TYPE_CHECKING:
    from chaos.campaign import Order


class Record:
    """Opens the results directory, fresh or to go on in it. Raises ResultsError."""

    def __init__(self, order: Order, saved: Sequence[Saved], workers: int) -> None:
        self.cells = [
            Cell(scenario, design, order.files.get(scenario.name, ""))
            for scenario in order.scenarios
            for design in order.designs
        ]
        self.done_seeds: list[set[int]] = [set() for _ in self.cells]
        self.behaviours: set[str] = set()
        self.total = len(self.cells) * len(order.seeds)
        self.done = 0
        self._order = order
        self._tried: list[Run] = []
        self._index = {(cell.scenario.name, cell.design): index for index, cell in enumerate(self.cells)}
        if order.resume is None:
            self._campaign = _begin(order, saved, workers)
            self._writer = Writer(order.out, self._campaign)
        else:
            self._campaign = order.resume.campaign
            self._writer = Writer(order.out)
            self._recall()

    def _recall(self) -> None:
        """Count what earlier sessions have run."""
        assert self._order.resume is not None
        for run in self._order.resume.runs():
            index = self._index[run.scenario, run.design]
            self.done_seeds[index].add(run.seed)
            self.cells[index].add(run)
            self.done += 1
        for cell in self.cells:
            self.behaviours |= cell.behaviours
        self._tried.extend(self._order.resume.tried())

    @property
    def failures(self) -> int:
        """Runs that failed unexpectedly, saved plans among them."""
        return sum(cell.failures for cell in self.cells) + sum(map(corpus.failed, self._tried))

    def add(self, cell: Cell, outcome: Outcome) -> None:
        """Write a batch's runs, after the artefacts of those that are, so far, among the first of their kind."""
        cell.merge(outcome.counts)
        kept = {("failures", _name(cell, seed)) for seed in cell.kept_seeds()}
        if cell.sample is not None:
            kept.add(("samples", _name(cell, cell.sample)))
        for (folder, name), files in outcome.files.items():
            if (folder, name) in kept:
                self._writer.keep(folder, name, files)
        self._writer.append(outcome.lines)
        self.behaviours |= outcome.counts.behaviours
        self.done += outcome.counts.runs

    def tried_names(self) -> list[str]:
        """The saved plans that were tried again."""
        return [run_id(run.scenario, run.design, run.seed) for run in self._tried]

    def add_tried(self, run: Run) -> None:
        """Write the run of a saved plan."""
        self._tried.append(run)
        self._writer.tried(run)

    def end(self, wall_s: float, stopped: str, crash: str, *, interrupted: bool) -> Campaign:
        """Bring the directory into its final order and say in campaign.json how it ended."""
        failures = {_name(cell, seed) for cell in self.cells for seed in cell.kept_seeds()}
        samples = {_name(cell, cell.sample) for cell in self.cells if cell.sample is not None}
        self._writer.arrange(self._place, failures)
        self._writer.drop_others("failures", failures)
        self._writer.drop_others("samples", samples)
        if self._order.corpus is not None:
            corpus.save(self._order.corpus, self._order.out, self.cells)
        summaries = [cell.summary() for cell in self.cells]
        code = corpus.worse(exit_code(summaries), self._tried)
        campaign = msgspec.structs.replace(
            self._campaign,
            max_failures=self._order.max_failures,
            finished=self.done == self.total,
            interrupted=interrupted,
            stopped=stopped,
            error=crash,
            wall_s=round(self._campaign.wall_s + wall_s, 3),
            exit_code=int(Exit.INTERRUPTED if interrupted else Exit.BROKEN if crash else code),
            cells=summaries,
            behaviours=len(self.behaviours),
            regressions=[
                run_id(run.scenario, run.design, run.seed) for run in self._tried if corpus.failed(run)
            ],
        )
        self._writer.save(campaign)
        self._writer.close()
        return campaign

    def _place(self, scenario: str, design: str, seed: int) -> tuple[int, int]:
        return self._index[scenario, design], seed


def _name(cell: Cell, seed: int) -> str:
    return run_id(cell.scenario.name, cell.design, seed)


def _begin(order: Order, saved: Sequence[Saved], workers: int) -> Campaign:
    return Campaign(
        SCHEMA,
        versions()["dingfeng"],
        versions(),
        order.command,
        datetime.now(UTC).isoformat(timespec="seconds"),
        {scenario.name: dump(scenario) for scenario in order.scenarios},
        list(order.designs),
        list(order.seeds),
        workers,
        engine=order.engine,
        runner=name_of(order.runner),
        world=order.world,
        max_failures=order.max_failures,
        corpus=str(order.corpus or ""),
        corpus_ids=[entry.name for entry in saved],
        files=dict(order.files),
    )
