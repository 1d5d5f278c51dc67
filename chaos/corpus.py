"""Plans that failed where they should not have, saved between campaigns and tried first by the next.

A saved run is tried by its plan on its scenario as it was then, so it strikes the same spot although a scenario's
text, or how faults are drawn, has changed. It was chosen because it failed, so it counts in no statistics: its
line goes to corpus.jsonl and it can only make a campaign worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.replay import Recorded
from chaos.results import ResultsError, Run
from chaos.results_writer import keep
from chaos.tally import Cell, Exit
from chaos.worker import run_id, run_one
from scenarios.model import Scenario


@dataclass(frozen=True)
class Saved:
    """A directory of the corpus, read."""

    recorded: Recorded

    @property
    def name(self) -> str:
        """As the run was called when it was kept."""
        return run_id(self.recorded.scenario.name, self.recorded.design, self.recorded.seed)


def read(directory: Path | None, scenarios: Sequence[Scenario], designs: Sequence[str]) -> list[Saved]:
    """What is saved for these scenarios and designs. Raises ResultsError."""
    if directory is None or not directory.exists():
        return []
    if not directory.is_dir():
        raise ResultsError(f"{directory}: is no directory; a corpus is one")
    names = [scenario.name for scenario in scenarios]
    entries = sorted(file.parent for file in directory.glob("*/plan.json"))
    saved = [Saved(Recorded.read(entry)) for entry in entries]
    return [
        entry for entry in saved if entry.recorded.scenario.name in names and entry.recorded.design in designs
    ]


def try_again(entry: Saved) -> Run:
    """In a worker: the saved run, today."""
    recorded = entry.recorded
    return run_one(lambda *_: recorded.run(), recorded.scenario, recorded.design, recorded.seed)[1]


def failed(run: Run) -> bool:
    """Whether it still fails. Only unexpected failures were ever saved, so this one is too."""
    return run.outcome in ("violated", "broken")


def worse(code: Exit, runs: Sequence[Run]) -> Exit:
    """The exit code of a campaign, given how the saved runs went."""
    if any(run.outcome == "broken" for run in runs):
        return Exit.BROKEN
    if any(run.outcome == "violated" for run in runs) and code != Exit.BROKEN:
        return Exit.VIOLATED
    return code


def save(directory: Path, out: Path, cells: Sequence[Cell]) -> None:
    """Save the plans of kept failures of every cell that should have held."""
    for cell in cells:
        if cell.expects_violations:
            continue
        for seed in cell.kept_seeds():
            name = run_id(cell.scenario.name, cell.design, seed)
            plan = out / "failures" / name / "plan.json"
            if not (directory / name).exists():
                keep(directory / name, {"plan.json": plan.read_bytes()})
