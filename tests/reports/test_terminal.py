"""The table of a campaign, on terminals of any width."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from chaos.results import Campaign, CellSummary
from reports.terminal import show_campaign

CELLS = [
    CellSummary(
        "supplier_timeout_succeeded",
        "supplier_fence",
        "as expected",
        [],
        40,
        {"I-01": 40, "I-02": 3, "I-11": 40, "I-25": 16, "I-30": 21},
        ["supplier_timeout_succeeded:supplier_fence:1"],
        31,
    ),
    CellSummary("callback_late", "resilient", "holds", [], 12345, {}, [], 1234),
]


def shown(width: int, cells: list[CellSummary], path: str = "r") -> list[str]:
    stream = io.StringIO()
    campaign = Campaign(1, "0", {}, "", "", {}, [], [], 1, finished=True, wall_s=2.0, cells=cells)
    show_campaign(campaign, path, "en", Console(file=stream, width=width))
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_an_invariant_and_how_often_it_broke_stay_on_one_line(width: int) -> None:
    """`I-25 (16)` is one phrase; nothing is cut off, and no line is longer than the terminal is wide."""
    lines = shown(width, CELLS)
    table = lines[: next(number for number, line in enumerate(lines) if not line.strip())]
    phrases = re.findall(r"I-\d\d(?: \(\d+\))?", "\n".join(table))
    assert phrases == ["I-01", "I-02 (3)", "I-11", "I-25 (16)", "I-30 (21)"]
    assert "Behaviours" in table[0]
    assert any("12,345       1,234" in line for line in table)
    assert all(len(line) <= width for line in table)


def test_where_nothing_broke_the_column_is_empty() -> None:
    """A clean campaign has a table all the same."""
    assert shown(80, CELLS[1:])[1].split() == ["callback_late", "resilient", "holds", "12,345", "1,234"]


def test_the_command_that_reads_a_directory_can_be_typed_whatever_its_name() -> None:
    """A space is quoted, and square brackets are no style."""
    lines = shown(120, CELLS[1:], "my [red] storm")
    assert lines[-1] == "To read more: dingfeng report 'my [red] storm'"
    assert lines[-2].endswith("results in my [red] storm")
