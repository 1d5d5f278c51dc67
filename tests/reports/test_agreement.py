"""The page on which two worlds stand side by side."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from chaos.agreement import Agreement, Count, Spread, Verdict
from chaos.words import Words
from reports import TEXTS, agreement, spreads

SPEEDS = {"statement": "75us", "commit": "63us"}


def found(*, live: int = 1, broken: int = 60) -> Agreement:
    return Agreement(
        "callback_late",
        [1, 2],
        [Verdict("naive", "I-01", broken, 60, 2, live, 2), Verdict("naive", "I-02", 0, 60, 0, 0, 2)],
        [Count("naive", "created → paid (callback)", 3, 0), Count("naive", "– → created (order)", 3, 3)],
        [Count("naive", "K-01", 1, 1)],
        [Spread("naive", "time to settle", [1.0, 20.0, 3_000.0], [], None, None)],
    )


def test_the_page_says_whether_the_worlds_agree() -> None:
    """In one sentence at the top, in either language."""
    same = agreement.page(found(), SPEEDS, calibrated=False, lang="en")
    differ = agreement.page(found(live=0), SPEEDS, calibrated=False, lang="en")
    chinese = agreement.page(found(live=0), SPEEDS, calibrated=True, lang="zh")
    assert "agree on every verdict" in same
    assert "disagree on one verdict" in differ
    assert "broken in 0 of 2" in differ
    assert "模拟与真实部件有一项判定不一致" in chinese


def test_what_few_real_runs_may_have_missed_is_told_with_its_chance() -> None:
    """Half of the simulated runs broke it: two real ones in which nothing broke are no difference."""
    page = agreement.page(found(live=0, broken=30), SPEEDS, calibrated=False, lang="en")
    assert "agree on every verdict" in page
    assert "broken in 30 of 60" in page
    assert "agrees: may be missed (26%)" in page
    assert "in at least one case of 20" in page


def test_a_status_change_of_one_world_only_is_named() -> None:
    """The others are only counted."""
    page = agreement.page(found(), SPEEDS, calibrated=False, lang="en")
    assert "created → paid (callback)" in page
    assert "– → created (order)" not in page
    assert "1 kind of status change was seen in both worlds" in page


def test_times_with_nothing_in_one_world_are_drawn_all_the_same() -> None:
    """An empty world is an empty half of the figure, not an error."""
    drawing = spreads.draw(found().spreads[0], Words("en", TEXTS))
    assert "from payment to settled" in drawing
    assert "3 / 0: too few to compare" in drawing


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_telephone_can_show_every_cell_and_every_drawing(lang: str) -> None:
    """Cells carry the name of their column, for there the head is gone; each kind of time is a drawing of its own."""
    page = agreement.page(found(), SPEEDS, calibrated=False, lang=lang)
    assert "<td>" not in page
    assert re.findall(r'<td data-label="">', page) == []
    assert page.count("<svg ") == len(found().spreads)


def test_data_and_page_are_written_and_the_terminal_says_where(tmp_path: Path) -> None:
    """What machines read is what people see."""
    agreement.write(found(), SPEEDS, calibrated=True, out=tmp_path, lang="en")
    told = msgspec.json.decode((tmp_path / agreement.JSON).read_bytes())
    assert msgspec.convert(told["agreement"], Agreement) == found()
    assert told["calibrated"] is True
    out = Console(width=60, record=True, file=(tmp_path / "screen").open("w"))
    agreement.show(found(), SPEEDS, str(tmp_path), "en", out, calibrated=True)
    assert "agreement.html" in out.export_text()
    out.file.close()
