"""A made-up platform for campaigns that are disturbed: slow enough to be caught in the middle, always the same.

It writes down what it ran, so that a test can tell what was run twice.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import msgspec

from chaos.campaign import Order
from chaos.checkers.verdict import Verdict, Witness
from chaos.history import SCHEMA, Header, History
from chaos.measures import Measures
from chaos.worker import Runner
from scenarios import loading
from scenarios.model import Expectation, Scenario

RUN_S = 0.003
STUCK_S = 600.0


@dataclass
class Audit:
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    matrix: list[Any] = field(default_factory=list)


@dataclass
class Result:
    """The shape of `chaos.run.RunResult`."""

    scenario: Scenario
    history: History
    verdicts: list[Verdict]
    met: list[str]
    touched: dict[str, int]
    digest: str
    audit: Audit = field(default_factory=Audit)
    plan: dict[str, dict[str, Any]] = field(default_factory=dict)
    keep: None = None
    measures: Measures = field(default_factory=Measures)
    orders: int = 2
    world: str = "sim"
    wall_s: float = RUN_S


def run_slowly(log: Path, scenario: Scenario, design: str, seed: int) -> Result:
    """naive breaks I-30 always and I-20 with every seventh seed; resilient breaks I-09 with every ninth."""
    with log.open("ab", buffering=0) as lines:
        lines.write(f"{design}:{seed}\n".encode())
    time.sleep(STUCK_S if len(ran(log)) > _free(log) else RUN_S)
    history = History(Header(SCHEMA, "0", scenario.name, design, seed, 1, 2, 3))
    history.book("CH", "captured", f"O{seed}/c1", {"channel": "wechat", "paid_fen": 9800})
    broken = ["I-30"] if design == "naive" else []
    broken += ["I-20"] if design == "naive" and seed % 7 == 0 else []
    broken += ["I-09"] if design == "resilient" and seed % 9 == 0 else []
    verdicts = [Verdict(name, "violated", 2, 1, (Witness("order", "O1", "lost"),), 9800) for name in broken]
    return Result(scenario, history, verdicts, [], {"0/fault": seed % 2}, f"{design}{seed % 5}")


def get_stuck(log: Path, after: int) -> None:
    """So many runs end; those that are begun after them do not, so that there is time to kill their campaign."""
    _limit(log).write_text(str(after), "ascii")


def _limit(log: Path) -> Path:
    return log.with_name(f"{log.name}.stuck")


def _free(log: Path) -> float:
    return int(_limit(log).read_text("ascii")) if _limit(log).exists() else float("inf")


def order(out: Path, log: Path, jobs: int = 1, seeds: int = 40, **more: Any) -> Order:
    """Two designs, of which naive is expected to fail."""
    expect = {
        "naive": Expectation(violated=("I-30",)),
        "resilient": Expectation.model_validate("holds"),
    }
    scenario = loading.load("callback_late").model_copy(update={"expect": expect, "sometimes": ()})
    runner = cast(Runner, partial(run_slowly, log))
    return Order([scenario], ["naive", "resilient"], range(1, seeds + 1), runner, out, jobs, **more)


def ran(log: Path) -> list[str]:
    """What was run, in order."""
    return log.read_text("utf-8").split() if log.exists() else []


def contents(out: Path) -> dict[str, Any]:
    """Every file of a results directory, without wall times and what depends on the session."""
    found: dict[str, Any] = {}
    for folder, _, names in os.walk(out):
        for name in names:
            file = Path(folder) / name
            found[file.relative_to(out).as_posix()] = _timeless(file)
    return found


def _timeless(file: Path) -> Any:
    if file.name.endswith(".jsonl"):
        lines = [msgspec.json.decode(line) for line in file.read_bytes().splitlines()]
        return [{name: value for name, value in line.items() if name != "wall_ms"} for line in lines]
    content = msgspec.json.decode(file.read_bytes())
    for name in ("started", "wall_s", "jobs", "engine", "command"):
        content.pop(name, None)
    if "run" in content:
        content["run"].pop("wall_ms")
    return content
