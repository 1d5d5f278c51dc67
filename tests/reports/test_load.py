"""Waiting by the open loop beside the closed one: in a figure, a table, a line; losses never only in a latency."""

from __future__ import annotations

import io
import re
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from chaos.live.load.figures import Row
from chaos.words import Words
from reports import TEXTS, load, real, waits
from reports.leavings import Leavings
from reports.live import show_load
from reports.reading import read
from tests.reports import realparts

WORDS = Words("en", TEXTS)


def rows(*told: dict[str, object]) -> tuple[Row, ...]:
    return msgspec.convert(told, tuple[Row, ...])


def run(*told: dict[str, object], seed: int = 1) -> Leavings:
    return Leavings("calm_trade", "naive", seed, rows(*told), None)


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_both_loops_stand_below_each_other_with_their_figures(lang: str) -> None:
    """An action has its name, its number of requests and the 99% of either loop."""
    words = Words(lang, TEXTS)
    shown = rows(realparts.row("place_order", slow=9.0))
    drawn = load.draw(shown, words, "x", load.span([shown]))
    found = texts(drawn)
    assert {waits.named("place_order", words), words.count("load.requests", 24)} <= set(found)
    assert {words("unit.s", n="1.08"), words("unit.ms", n="120")} <= set(found)
    assert drawn == load.draw(shown, words, "x", load.span([shown]))


def test_what_was_dropped_or_failed_stands_beside_the_action() -> None:
    """A latency cannot tell it."""
    shown = rows(realparts.row("place_order", failed=3, dropped=1_002), realparts.row("pay"))
    found = texts(load.draw(shown, WORDS, "x", load.span([shown])))
    assert "3 failed, 1,002 dropped" in found
    assert sum("failed" in text or "dropped" in text for text in found) == 1


def test_who_cannot_see_the_figure_is_told_the_same() -> None:
    """Each action's requests, losses and 99% by either loop are in the drawing's description."""
    [row] = rows(realparts.row("place_order", slow=9.0, failed=3))
    told = "order: 24 requests, 3 failed, 0 dropped; 99% within 1.08 s, by a closed loop 120 ms."
    assert waits.spoken(row, WORDS) == told
    assert f"<desc>{told}</desc>" in load.draw([row], WORDS, "x", load.span([[row]]))


def test_load_of_which_nothing_was_answered_is_drawn_and_told() -> None:
    """No times at all are no error and no nought."""
    shown = rows(realparts.row("pay", requests=0, dropped=7))
    assert texts(load.draw(shown, WORDS, "x", load.span([shown]))).count("none was answered") == 2
    assert (
        waits.line([run(realparts.row("pay", requests=0, dropped=7))], WORDS)
        == "Load: 0 requests, 0 failed, 7 dropped"
    )


def test_the_line_names_the_longest_wait_of_all_runs_and_what_a_closed_loop_would_say() -> None:
    """Requests, failed and dropped are added up."""
    told = waits.line(
        [
            run(realparts.row("pay", slow=2.0)),
            run(realparts.row("place_order", slow=9.0, failed=3, dropped=2), seed=7),
        ],
        WORDS,
    )
    assert told.startswith("Load: 48 requests, 3 failed, 2 dropped; slowest: order, 99% within 1.08 s")
    assert "(a closed loop would say 120 ms)" in told
    assert told.endswith("calm_trade · naive\u00a0·\u00a07")
    assert waits.line([], WORDS) == ""


def test_the_terminal_says_it_in_one_line_and_nothing_of_a_simulated_campaign(
    tmp_path: Path, campaign_directory: Path
) -> None:
    """Nobody waits for answers where nothing is sent."""
    out = io.StringIO()
    show_load(realparts.write(tmp_path / "results"), "en", Console(file=out, width=40))
    show_load(campaign_directory, "en", Console(file=out, width=40))
    assert len(out.getvalue().splitlines()) == 1
    assert "8 dropped" in out.getvalue()


def test_designs_side_by_side_share_axis_and_order(tmp_path: Path) -> None:
    """What stands further right is slower, on either design; the table has every run."""
    campaign = read(realparts.write(tmp_path / "results"))
    section = real.load_section(campaign, WORDS)
    assert section is not None
    for group in section["groups"]:
        naive, resilient = ([text for text in texts(one["svg"]) if text] for one in group["figures"])
        axis = [text for text in naive if re.fullmatch(r"[\d.]+ m?s", text)][-7:]
        assert len(axis) >= 3
        actions = [text for text in naive if text in {"order", "look at the order", "look at the wallet"}]
        assert actions == ["look at the order", "order", "look at the wallet"]  # the most frequent first
        assert actions == [text for text in resilient if text in actions]
        ticks = [
            [text for text in found if text in {"50 ms", "100 ms", "200 ms", "500 ms", "1 s"}]
            for found in (naive, resilient)
        ]
        assert ticks[0] == ticks[1] != []
    assert len(section["rows"]) == 2 * 2 * 3
    assert section["rest"] <= 0


def test_a_simulated_campaign_has_no_such_sections(campaign_directory: Path) -> None:
    """Nor an empty heading for them."""
    campaign = read(campaign_directory)
    assert real.load_section(campaign, WORDS) is None
    assert real.pace_section(campaign, WORDS) is None
