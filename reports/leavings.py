"""What live runs left beside their histories: figures of the load, and how run time passed.

They lie in `live/<run>/` of a results directory. A run that broke early has left neither, and a run in sim
never does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from chaos.live.load.figures import Row
from chaos.results import LIVE, Results, ResultsError

LOAD, PACE = "load.json", "clock.json"
_T = TypeVar("_T")


class Pace(msgspec.Struct, frozen=True):
    """How run time passed: `run_s` of it in `real_s` real seconds, `leapt_s` of it in leaps.

    `spent_s` are real seconds by what the clock did (moving, waiting, hastening, quiet), `held_s` those of moving by
    who kept it from leaping.
    """

    real_s: float
    run_s: float
    leaps: int
    leapt_s: float
    spent_s: dict[str, float] = {}
    held_s: dict[str, float] = {}


@dataclass(frozen=True)
class Leavings:
    """Of one live run. `load` has a row an action, the most frequent first; `pace` is None if nobody wrote it."""

    scenario: str
    design: str
    seed: int
    load: tuple[Row, ...]
    pace: Pace | None

    @property
    def id(self) -> str:
        """Its directory's name, wherever something of it was kept."""
        return _id(self.scenario, self.design, self.seed)

    @property
    def run(self) -> str:
        """As a page names it."""
        return f"{self.scenario} · {self.design}\u00a0·\u00a0{self.seed}"


def of(results: Results) -> list[Leavings]:
    """Of all runs that left something, in the order of runs.jsonl. Raises ResultsError for damaged files."""
    if results.campaign.world != LIVE:
        return []
    found = []
    for run in results.runs():
        directory = results.path / "live" / _id(run.scenario, run.design, run.seed)
        load = _read(directory / LOAD, tuple[Row, ...])
        pace = _read(directory / PACE, Pace)
        if load is not None or pace is not None:
            found.append(Leavings(run.scenario, run.design, run.seed, load or (), pace))
    return found


def _id(scenario: str, design: str, seed: int) -> str:
    return f"{scenario}-{design}-{seed}"


def _read(file: Path, kind: type[_T]) -> _T | None:
    if not file.exists():
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except OSError as error:
        raise ResultsError(f"{file}: cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise ResultsError(f"{file}: damaged: {error}") from error


def as_data(left: Leavings) -> dict[str, Any]:
    """Plain data, for `summary.json`."""
    return {
        "scenario": left.scenario,
        "design": left.design,
        "seed": left.seed,
        "load": msgspec.to_builtins(left.load),
        "pace": msgspec.to_builtins(left.pace),
    }
