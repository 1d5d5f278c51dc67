"""Double runs: two processes, two hash seeds, every digest compared; a difference or an early end is never missed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from chaos.determinism import DoubleRuns, double_runs
from chaos.doctor import Finding


@dataclass
class Digest:
    digest: str


def told_apart(_scenario: Any, design: str, seed: int) -> Digest:
    """A run that looks at what it must not, now and then."""
    return Digest(os.environ["PYTHONHASHSEED"] if design == "naive" and seed == 2 else "same")


def one_ends(_scenario: Any, _design: str, seed: int) -> Digest:
    """A run that takes one of the processes with it."""
    if seed == 3 and os.environ["PYTHONHASHSEED"] == "1":
        raise SystemExit("out of memory")
    return Digest("same")


def breaking(_scenario: Any, _design: str, seed: int) -> Digest:
    """A run that raises."""
    raise ValueError(f"seed {seed}")


def test_the_same_runs_in_two_processes_are_the_same() -> None:
    """A sample of the hundred thousand that were made; scenarios and designs take turns."""
    seen = []
    made = double_runs(
        ["calm_trade", "callback_late"], ["naive", "resilient"], 40, lambda now: seen.append(now.done)
    )
    assert made.findings() == [Finding("double runs", True, "40 of 40 made, 0 differences")]
    assert seen == [20, 40]


def test_a_difference_is_counted_and_named() -> None:
    """By the token that replays it, with both digests."""
    made = double_runs(["calm_trade"], ["naive", "resilient"], 8, runner=f"{__name__}:told_apart")
    assert (made.done, made.differences) == (8, 1)
    assert made.findings() == [
        Finding("double runs", False, "8 of 8 made, 1 differences"),
        Finding("double run", False, "calm_trade:naive:2 1 against 4242"),
    ]


def test_a_process_that_ends_early_is_told() -> None:
    """What was not compared is no agreement."""
    made = double_runs(["calm_trade"], ["naive"], 8, runner=f"{__name__}:one_ends")
    assert made.done < 8
    assert not made.findings()[0].good
    assert "ended early: a process ended early: out of memory" in made.findings()[0].seen


def test_runs_that_break_prove_nothing() -> None:
    """Breaking in both processes in the same way is no difference, but no proof either."""
    made = double_runs(["calm_trade"], ["naive"], 3, runner=f"{__name__}:breaking")
    assert made.findings() == [Finding("double runs", False, "3 of 3 made, 0 differences, 3 broke")]


def test_nothing_made_is_nothing_proved() -> None:
    """Ended before the first comparison."""
    assert not DoubleRuns(5).findings()[0].good
