"""The table of planted bugs says so when a bug is not found, or by the wrong checker."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks import planted as benchmark
from chaos.planted import Bug, bugs


def _bug(name: str) -> Bug:
    return next(bug for bug in bugs() if bug.name == f"planted.{name}")


def _printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], planted: list[Bug], *options: str
) -> tuple[int, str]:
    monkeypatch.setattr(benchmark, "bugs", lambda: planted)
    code = benchmark.main(["--limit", "2", *options])
    return code, capsys.readouterr().out


def test_all_found_by_their_own_checker_is_exit_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the mutation run names the bugs that only one checker sees."""
    planted = [_bug("fee_without_posting"), _bug("each_notice_counts")]
    code, printed = _printed(monkeypatch, capsys, planted, "--json", "--mutation-seeds", "2")
    data = json.loads(printed)
    assert code == 0
    assert [(row["first"], row["right"], row["runs"]) for row in data["bugs"]] == [
        ("I-07", True, 1),
        ("I-23", True, 1),
    ]
    seen = {invariant: names for invariant, names in data["only_seen_by"].items() if names}
    assert seen == {"I-07": ["planted.fee_without_posting"]}  # the other one is seen in the money as well


def test_a_bug_found_first_by_another_checker_is_exit_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table says which it was and which it should have been."""
    planted = [replace(_bug("fee_without_posting"), catches="I-08")]
    code, printed = _printed(monkeypatch, capsys, planted, "--mutation-seeds", "0")
    assert code == 1
    assert "I-07 (wrong: I-08)" in printed


def test_a_bug_that_is_not_found_is_exit_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Here: in weather in which it cannot show."""
    planted = [replace(_bug("reservation_never_released"), scenario="calm_trade")]
    code, printed = _printed(monkeypatch, capsys, planted, "--mutation-seeds", "0")
    assert code == 1
    assert "not found (wrong: I-12)" in printed
    assert "0 found first by their own checker" in printed
