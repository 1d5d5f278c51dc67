"""The table of hunts: the same bug from starts far apart, and exit 1 when one of them was unlucky or slow."""

from __future__ import annotations

import json

import pytest

from benchmarks import hunting as benchmark
from benchmarks.tries import APART, Budget, Try
from chaos.planted import bugs

BUG = "planted.fee_without_posting"
WORDS = ["--bug", "fee_without_posting", "--jobs", "1"]


def _answers(monkeypatch: pytest.MonkeyPatch, tries: dict[tuple[str, int], tuple[int, float, bool]]) -> None:
    """Hunts for these bugs, from these starts, that end after so many storms and seconds, with or without a find."""

    def storms(_strategy: str, bug: str, first: int, budget: Budget) -> Try:
        count, seconds, found = tries[bug, first]
        assert count <= budget.storms
        return Try("swarm", bug, first, ("I-07",) if found else (), count, seconds, 0)

    names = {bug for bug, _ in tries}
    monkeypatch.setattr(benchmark, "storms", storms)
    monkeypatch.setattr(benchmark, "bugs", lambda: [bug for bug in bugs() if bug.name in names])


def test_every_start_is_a_hunt_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """So many seeds apart that no two meet; this bug shows in any storm."""
    assert benchmark.main([*WORDS, "--from", "7", "--starts", "2", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["bug"], row["first"]) for row in rows] == [(BUG, 7), (BUG, 7 + APART)]
    assert all("I-07" in row["violated"] and row["storms"] >= 1 for row in rows)


def test_one_unlucky_start_is_exit_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It reads missed in its column, and counts as longer than anything in its sentence."""
    _answers(monkeypatch, {(BUG, 1): (3, 0.5, True), (BUG, 1 + APART): (40, 9.0, False)})
    assert benchmark.main([*WORDS, "--starts", "2", "--limit", "40"]) == 1
    printed = capsys.readouterr().out
    row = next(line for line in printed.splitlines() if "fee_without_posting" in line)
    assert [cell.strip() for cell in row.split("|")[3:6]] == ["I-07", "3 · 0.5 s", "missed"]
    assert "from 1: 1 of 1 found; median 3 storms and 0.50 s" in printed
    assert "from 1,000,001: 0 of 1 found; median 40 storms and inf s" in printed


@pytest.mark.parametrize(("seconds", "code"), [(10.0, 0), (10.1, 1)])
def test_a_median_that_is_too_slow_is_exit_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], seconds: float, code: int
) -> None:
    """Ten seconds from each start, however fast the others are."""
    _answers(monkeypatch, {(BUG, 1): (1, 0.1, True), (BUG, 1 + APART): (900, seconds, True)})
    assert benchmark.main([*WORDS, "--starts", "2"]) == code
    capsys.readouterr()


def test_one_bug_that_is_too_slow_is_exit_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A minute for any bug from any start, though most are found at once."""
    slow = ("planted.lease_never_ends", 1)
    others = [(f"planted.{name}", 1) for name in ("fee_without_posting", "nobody_watches")]
    _answers(monkeypatch, {slow: (3, 60.0, True), **dict.fromkeys(others, (1, 0.1, True))})
    assert benchmark.main(["--jobs", "1", "--starts", "1"]) == 0
    _answers(monkeypatch, {slow: (3, 60.1, True), **dict.fromkeys(others, (1, 0.1, True))})
    assert benchmark.main(["--jobs", "1", "--starts", "1"]) == 1
    assert "3 of 3 found; median 1 storms and 0.10 s, at most 3 storms and 60.1 s" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--bug", "no_such_bug"], ["--starts", "0"]])
def test_nothing_to_hunt_is_wrong_input(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, before anything is run."""
    with pytest.raises(SystemExit) as left:
        benchmark.main(words)
    assert left.value.code == 2
    assert words[0].strip("-") in capsys.readouterr().err
