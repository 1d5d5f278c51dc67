"""How many runs differed in kind is said wherever the number of runs is."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from chaos.campaign import Order, conduct
from chaos.results import Results
from chaos.run import RunResult
from chaos.swarm import run_seed
from chaos.words import Words
from reports import TEXTS, reading, summary
from reports.sentences import extent
from reports.terminal import show_campaign
from scenarios.loading import load
from scenarios.model import Scenario


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seeds of a calm day on two designs."""
    path = tmp_path_factory.mktemp("campaign") / "r"
    conduct(Order([load("calm_trade")], ["naive", "resilient"], range(1, 7), run_seed, path))
    return path


def test_each_cell_and_the_whole_say_how_many_behaviours_there_were(results: Path) -> None:
    """In campaign.json, in summary.json, in the page's first lines and in the terminal, the same numbers."""
    told = Results(results)
    lines = list(told.runs())
    of = {
        design: len({run.behaviour for run in lines if run.design == design})
        for design in told.campaign.designs
    }
    whole = len({run.behaviour for run in lines})
    assert {cell.design: cell.behaviours for cell in told.campaign.cells} == of
    assert told.campaign.behaviours == whole > 1
    read = reading.read(results)
    summed = summary.of(read, "en")
    assert summed["behaviours"] == whole
    assert {pair["design"]: pair["behaviours"] for pair in summed["pairs"]} == of
    assert f"They behaved in {whole} distinct ways." in extent(read, Words("en", TEXTS))
    assert f"共有 {whole} 种不同的行为" in extent(read, Words("zh", TEXTS))
    stream = io.StringIO()
    show_campaign(told.campaign, "r", "en", Console(file=stream, width=110))
    shown = stream.getvalue().splitlines()
    for design, count in of.items():
        assert any(line.split()[1:2] == [design] and line.split()[-1] == str(count) for line in shown)
    assert any(f"12 runs, {whole} distinct behaviours, " in line for line in shown)


def test_runs_that_broke_behaved_in_no_way(tmp_path: Path) -> None:
    """A run without a history is not one more behaviour, and a report of nothing else does not speak of any."""
    conduct(Order([load("calm_trade")], ["resilient"], [1, 2], _breaks, tmp_path / "r"))
    assert Results(tmp_path / "r").campaign.behaviours == 0
    read = reading.read(tmp_path / "r")
    assert summary.of(read, "en")["behaviours"] == 0
    assert "behaved" not in extent(read, Words("en", TEXTS))


def _breaks(_scenario: Scenario, _design: str, _seed: int) -> RunResult:
    raise RuntimeError("no")
