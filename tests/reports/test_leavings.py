"""What live runs left is read as it stands; damage is told with the file's name."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from chaos.live.conductor import Figures
from chaos.results import SIM, Results, ResultsError
from reports import leavings
from reports.leavings import Pace
from tests.reports import realparts


def test_every_run_that_left_something_is_there(tmp_path: Path) -> None:
    """Two scenarios, two designs, two seeds; the second seeds made no load."""
    found = leavings.of(Results(realparts.write(tmp_path / "results")))
    assert len(found) == 8
    assert [len(left.load) for left in found if left.seed == 2] == [0] * 4
    first = next(left for left in found if (left.design, left.seed) == ("naive", 1))
    assert [row.action for row in first.load] == ["view_order", "place_order", "view_wallet"]
    assert first.pace is not None
    assert first.pace.leaps == 89


def test_a_run_that_broke_early_left_nothing(tmp_path: Path) -> None:
    """It is no error: its outcome is told elsewhere."""
    directory = realparts.write(tmp_path / "results")
    for file in ("load.json", "clock.json"):
        (directory / "live" / "calm_trade-naive-1" / file).unlink()
    assert len(leavings.of(Results(directory))) == 7


def test_a_simulated_campaign_left_nothing(tmp_path: Path) -> None:
    """Nobody looks for it, whatever lies there."""
    results = Results(realparts.write(tmp_path / "results", seeds=1))
    results.campaign = msgspec.structs.replace(results.campaign, world=SIM)
    assert leavings.of(results) == []


@pytest.mark.parametrize(("file", "text"), [("load.json", "{}"), ("clock.json", '{"real_s": "x"}')])
def test_damage_names_its_file(tmp_path: Path, file: str, text: str) -> None:
    """A page must not leave out quietly what it could not read."""
    directory = realparts.write(tmp_path / "results", seeds=1)
    damaged = directory / "live" / "calm_trade-naive-1" / file
    damaged.write_text(text)
    with pytest.raises(ResultsError, match=f"{damaged}: damaged"):
        leavings.of(Results(directory))


def test_the_clock_is_read_by_the_names_under_which_it_is_written() -> None:
    """Both sides of the file must change together."""
    assert set(Pace.__struct_fields__) <= set(Figures.__dataclass_fields__)
