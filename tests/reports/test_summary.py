"""The summary is short, exact and the same for machines and people."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chaos.tally import upper_bound
from chaos.words import Words
from reports import TEXTS, strength
from reports.campaign import Pair
from reports.summary import TOP


def test_markdown_is_short_and_leads_with_the_verdict(built: tuple[str, Path]) -> None:
    """A title that is the verdict, a row a pair, at most ten findings with a replay line each."""
    text = (built[1] / "summary.md").read_text("utf-8")
    summed = json.loads((built[1] / "summary.json").read_text("utf-8"))
    assert text.startswith(f"# {summed['sentence']}\n")
    assert text.count("`dingfeng replay ") == len(summed["findings"]) <= TOP
    assert len(text.splitlines()) < 60


def test_json_has_what_a_gate_needs(built: tuple[str, Path]) -> None:
    """Outcome, exit code, every pair with counts, compensations by rule and design."""
    summed = json.loads((built[1] / "summary.json").read_text("utf-8"))
    assert summed["outcome"] == "expected"
    assert summed["exit_code"] == 0
    assert len(summed["pairs"]) == 8
    assert sum(pair["runs"] for pair in summed["pairs"]) == summed["runs"] == 24
    assert summed["compensations"]["rules"]["K-01"]["resilient"].keys() == {"exact"}
    assert "missed" in summed["compensations"]["rules"]["K-01"]["naive"]


def test_summaries_of_one_campaign_differ_only_in_language(built: tuple[str, Path]) -> None:
    """Findings come in the same order with the same money."""
    summed = json.loads((built[1] / "summary.json").read_text("utf-8"))
    amounts = [finding["amount_fen"] for finding in summed["findings"]]
    assert amounts == sorted(amounts, reverse=True)
    assert all(finding["what"] and finding["order"] for finding in summed["findings"])


def pairs(*runs: int, bad: int = 0) -> list[Pair]:
    return [Pair(f"s{n}", "d", "holds", runs=count, bad=bad if n == 0 else 0) for n, count in enumerate(runs)]


def test_none_of_three_hundred_is_under_one_percent() -> None:
    """The rule of three, exactly: 1 − 0.05^(1/300) is 0.9936%; rounded up, never down."""
    assert (
        strength.sentence(pairs(300), Words("en", TEXTS)) == "0 of 300 violated: the true rate is under 1.0%"
    )
    assert upper_bound(300) < 0.01


def test_many_scenarios_say_what_one_alone_says() -> None:
    """260 clean runs over 13 scenarios are only 20 of each."""
    told = strength.sentence(pairs(*[20] * 13), Words("en", TEXTS))
    assert told == (
        "0 of 260 violated: the true rate is under 1.2%; for any one scenario alone (20 runs), under 14.0%"
    )


@pytest.mark.parametrize(
    ("failed", "runs", "low", "high"),
    [(1, 10, 0.0179, 0.4042), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962)],
)
def test_failed_runs_give_an_interval(failed: int, runs: int, low: float, high: float) -> None:
    """Wilson's interval, against published values."""
    assert strength.interval(failed, runs) == pytest.approx((low, high), abs=5e-5)


def test_no_runs_allow_no_claim() -> None:
    """Nothing ran, nothing is said."""
    assert strength.sentence([], Words("en", TEXTS)) == "no run finished"
