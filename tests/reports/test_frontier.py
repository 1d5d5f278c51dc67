"""A frontier as people see it: a table whose remarks cannot be missed, a figure whose letters are letters."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from chaos.dials import Dial
from chaos.edges import SCHEMA, Edge, Frontier, Row, Trial
from reports import frontier as told

DIAL = Dial("callback_delay", "channel.callback_delay", "delay", "time", 1_000_000, 1_800_000_000)
NAIVE = Row(
    "naive",
    [
        Edge("I-30", 359_000_000, 349_000_000, 4, [], "df1.a"),
        Edge("I-01", 893_000_000, 867_000_000, 5, [1_500_000_000], "df1.b"),
        Edge("I-20", 893_000_000, 867_000_000, 5, [], "df1.c"),
    ],
    [Trial(349_000_000, {}, {}, 5), Trial(359_000_000, {"I-30": [1, 2, 3, 4]}, {}, 5)],
)
RESILIENT = Row("resilient", [], [Trial(1_800_000_000, {}, {}, 9)])
UNTOUCHED = Row("outbox", [], [Trial(1_800_000_000, {}, {}, 0)])


def _found(*rows: Row) -> Frontier:
    return Frontier(
        SCHEMA, "calm_trade", DIAL.name, DIAL.fault, DIAL.field, DIAL.unit, DIAL.low, DIAL.high, 5, 0.451,
        list(rows), 100, False, {}, 1.0,
    )  # fmt: skip


def _shown(found: Frontier, lang: str = "en") -> str:
    out = io.StringIO()
    told.show_frontier(found, DIAL, "out/x", lang, Console(file=out, width=130))
    return out.getvalue()


def test_the_table_has_a_line_for_each_edge_and_says_what_it_rests_on() -> None:
    """Design, invariant, first broken value, highest that held, seeds; then how sure that is."""
    lines = _shown(_found(NAIVE, RESILIENT)).splitlines()
    assert any("naive I-30 5min 59s 5min 49s 4/5" in " ".join(line.split()) for line in lines)
    assert any("resilient" in line and "holds over the whole range" in line for line in lines)
    assert any("5 seeds" in line and "45.1% is excluded" in line for line in lines)


def test_what_held_again_further_up_is_said() -> None:
    """An edge alone would read as "above it everything breaks"."""
    assert "naive: I-01 held again above, at 25min" in _shown(_found(NAIVE))
    assert "held again" not in _shown(_found(RESILIENT))


def test_a_fault_that_struck_nothing_is_no_success() -> None:
    """It says so in the table and in the exit code."""
    assert "struck nothing" in _shown(_found(UNTOUCHED))
    codes = [
        told.exit_code(_found(*rows)) for rows in ((RESILIENT,), (NAIVE, UNTOUCHED), (RESILIENT, UNTOUCHED))
    ]
    assert codes == [0, 1, 3]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_figure_is_a_valid_drawing_with_a_row_for_each_design(lang: str) -> None:
    """Designs, invariants and times can be searched; invariants of one value share a mark."""
    drawn = told.figure(_found(NAIVE, RESILIENT), DIAL, lang)
    root = ET.fromstring(drawn)
    texts = ["".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"naive", "resilient", "I-30", "I-01 I-20", "5min"} <= set(texts)
    assert drawn == told.figure(_found(NAIVE, RESILIENT), DIAL, lang)


def test_labels_of_near_marks_stand_on_different_lines() -> None:
    """Neighbouring edges do not print over each other; far ones share a line."""
    scale = told._Scale(_found(NAIVE))
    near = [(100e6, NAIVE.edges[:1]), (101e6, NAIVE.edges[1:2]), (1e6, NAIVE.edges[2:])]
    assert scale.levels(sorted(near)) == [0, 0, 1]


def test_the_data_can_be_read_back(tmp_path: Path) -> None:
    """The file is the whole frontier."""
    told.write(_found(NAIVE), DIAL, tmp_path, "en")
    document = json.loads((tmp_path / told.JSON).read_text("utf-8"))
    assert document["rows"][0]["edges"][0]["breaks_at"] == 359_000_000
    assert (tmp_path / told.FIGURE).read_text("utf-8").startswith("<svg ")


def test_an_interrupt_before_the_first_design_leaves_data_and_no_empty_figure(tmp_path: Path) -> None:
    """Nothing was finished, so there is nothing to draw; the file says that it was interrupted."""
    told.write(msgspec.structs.replace(_found(), interrupted=True), DIAL, tmp_path, "en")
    assert [path.name for path in tmp_path.iterdir()] == [told.JSON]
    assert json.loads((tmp_path / told.JSON).read_text("utf-8"))["interrupted"] is True
