"""How fast the simulated parts are: part of a scenario, and measured for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.run import run
from scenarios import loading
from scenarios.loading import ScenarioError

SLOW = "statement: 5ms\ncommit: 20ms\nservice: 30ms\nusers: 100ms\ncounterparty: 200ms\nnotice: 1s\n"


def test_a_calibration_makes_another_world_of_the_same_storm(tmp_path: Path) -> None:
    """The same wishes, at other speeds; the same file, the same history."""
    path = tmp_path / "slow.yaml"
    path.write_text(SLOW)
    storm = loading.load(f"calm_trade@{path}")
    plain, slow, again = (run(one, "resilient", 1) for one in (loading.load("calm_trade"), storm, storm))
    assert slow.digest == again.digest != plain.digest
    assert slow.orders == plain.orders
    assert min(slow.measures.click_to_card) > min(plain.measures.click_to_card)
    assert slow.violated == []


def test_the_speeds_that_are_written_out_are_those_that_are_built_in(tmp_path: Path) -> None:
    """A file that says nothing new changes nothing."""
    path = tmp_path / "same.yaml"
    path.write_text("users: 15ms\n")
    assert loading.load(f"calm_trade@{path}") == loading.load("calm_trade")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("comit: 1ms", r"bad\.yaml:1: comit: unknown field; did you mean 'commit'\?"),
        ("statement: 5ms\ncommit: soon", r"bad\.yaml:2: commit: 'soon' is no duration"),
        ("", r"bad\.yaml:1: the file is empty"),
    ],
)
def test_a_mistake_in_a_calibration_names_file_line_and_field(
    tmp_path: Path, text: str, message: str
) -> None:
    """As in a scenario."""
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=message):
        loading.load(f"calm_trade@{path}")


def test_a_calibrated_storm_is_named_with_its_calibration(tmp_path: Path) -> None:
    """So that a line to replay it means the same storm."""
    assert loading.reference(f"calm_trade@{tmp_path / 'mine.yaml'}") == f"calm_trade@{tmp_path / 'mine.yaml'}"
