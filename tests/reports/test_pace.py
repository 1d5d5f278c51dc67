"""How run time passed: real seconds by what the clock did, and how much of the run was leapt."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from chaos.words import Words
from reports import TEXTS, pace, real
from reports.leavings import Leavings, Pace
from reports.reading import read
from tests.reports import realparts

WORDS = Words("en", TEXTS)


def passed(**changes: object) -> Pace:
    return msgspec.convert({**realparts.clock(), **changes}, Pace)


def test_a_run_says_how_long_it_was_and_how_much_was_leapt() -> None:
    """Run time, real time, the share of leaps and their number."""
    assert pace.told(passed(), WORDS) == "26 h 4 min in 8.0 s: 99.98% leapt (89 leaps)"


def test_a_share_of_leaps_is_never_rounded_up_to_all() -> None:
    """What passed at the wall's pace is little, but not nothing."""
    assert "99.99% leapt" in pace.told(passed(leapt_s=93_840.8), WORDS)
    assert "0.00% leapt (1 leap)" in pace.told(passed(run_s=0.0, leapt_s=0.0, leaps=1), WORDS)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_each_run_has_a_bar_and_each_state_a_key(lang: str) -> None:
    """The same runs, the same bytes; a run whose clock nobody wrote has no bar."""
    words = Words(lang, TEXTS)
    runs = [Leavings("calm_trade", "naive", 1, (), passed()), Leavings("calm_trade", "naive", 2, (), None)]
    drawn = pace.draw(runs, words)
    assert all(f">{words(f'pace.{state}')}<" in drawn for state in pace.STATES)
    assert len(re.findall(r"<text[^>]*>calm_trade", drawn)) == 1
    assert drawn == pace.draw(runs, words)


def test_who_kept_the_clock_from_leaping_is_named(tmp_path: Path) -> None:
    """The longest first, added up over all runs."""
    section = real.pace_section(read(realparts.write(tmp_path / "results")), WORDS)
    assert section is not None
    assert section["held"].endswith("platform-1 (7.2 s), edge (2.4 s).")
