"""The comparison of search strategies: the same bug by four ways, misses kept, finds that are nobody's passed over."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from math import inf
from pathlib import Path

import pytest

from benchmarks import strategies as benchmark
from benchmarks import tries
from benchmarks.tries import STRATEGIES, BadTries, Budget, Try
from chaos.shrink.nearest import STRONGEST
from chaos.swarm import pool
from scenarios import loading

BUDGET = Budget(storms=100, seconds=60.0, journeys=("card_order",), faults=1)
BUG = "planted.duplicate_refused"


def _try(strategy: str, storms: int, *, seconds: float = 1.0, found: bool = True) -> Try:
    return Try(strategy, BUG, 1, ("I-23",) if found else (), storms, seconds, 0)


def test_a_quick_comparison_finds_its_bugs_and_makes_no_try_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every try is a line in the file; a second call tells the same out of the file alone."""
    monkeypatch.setattr(benchmark, "QUICK", ("duplicate_refused",))
    kept = tmp_path / "tries.jsonl"
    words = ["--quick", "--tries", "1", "--jobs", "1", "--out", str(kept)]
    assert benchmark.main(words) == 0
    first = capsys.readouterr().out
    rows = [json.loads(line) for line in kept.read_text().splitlines()[1:]]
    assert [row["strategy"] for row in rows] == list(STRATEGIES)
    assert all(row["bug"] == BUG and "I-23" in row["violated"] for row in rows)
    assert (rows[-1]["journey"], rows[-1]["faults"]) == (loading.journeys()[0], 1)
    monkeypatch.setattr(tries, "attempt", None)  # whoever tries again breaks
    assert benchmark.main(words) == 0
    assert capsys.readouterr().out == first


def test_a_fixed_storm_has_the_whole_pool_at_one_probability() -> None:
    """The same rules as the hunt, over the shop as written."""
    whole, storm = pool(), tries.fixed(0.05)
    assert [rule.fault for rule in storm.faults] == [rule.fault for rule in whole.faults]
    assert {rule.probability for rule in storm.faults} == {0.05}
    assert storm.workload == whole.workload


def test_a_storm_that_breaks_the_strongest_design_too_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """It shows nothing of the bug; the search goes on, and says how often."""

    def broken(_strategy: str, design: str, seed: int) -> tuple[str, ...]:
        hurt = {BUG: (3, 5, 8), STRONGEST: (3, 5)}[design]
        return ("I-01",) if seed in hurt else ()

    monkeypatch.setattr(tries, "broken", broken)
    one = tries.storms("swarm", BUG, 1, BUDGET)
    assert (one.storms, one.violated, one.passed_over) == (8, ("I-01",), 2)


def test_a_try_ends_with_its_budget_and_is_a_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many storms and no more."""
    monkeypatch.setattr(tries, "broken", lambda *_: ())
    one = tries.storms("swarm", BUG, 1, BUDGET)
    assert (one.storms, one.violated) == (100, ())
    assert not BUDGET.within(one)


def test_what_is_found_after_the_time_is_a_miss() -> None:
    """A sweep may run on, but not count; only a sweep is free of the number of storms."""
    assert BUDGET.within(_try("sweep", 5_000))
    assert not BUDGET.within(_try("sweep", 50, seconds=61.0))
    assert not BUDGET.within(_try("swarm", 101))


def test_misses_stay_in_the_median() -> None:
    """One of three missed: the median is the worse of the two found. Two missed: there is none."""
    found, slow, miss = _try("swarm", 3), _try("swarm", 7), _try("swarm", 100, found=False)
    assert benchmark.numbers([miss, slow, found], BUDGET, lambda one: one.storms) == [3, 7, inf]
    assert benchmark._cell([miss, slow, found], BUDGET) == "7 · 1.00 s (2/3)"
    assert benchmark._cell([miss, miss, found], BUDGET) == "missed (1/3)"


def test_the_curve_of_a_strategy_that_misses_does_not_reach_all() -> None:
    """And the figure says it in words, for readers who cannot see it."""
    drawn = benchmark.figure([_try("swarm", 3), _try("sweep", 9, found=False)], BUDGET)
    assert "swarm (100%)" in drawn
    assert "sweep (0%)" in drawn
    assert "Found: swarm 1 of 1, sweep 0 of 1." in drawn


@pytest.mark.parametrize("damage", ['{"strategy": "swarm"}', "{"])
def test_a_damaged_file_of_tries_is_refused_with_its_line(
    tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command exits with 2, as for tries that were made with another budget; nothing is overwritten."""
    kept = tmp_path / "tries.jsonl"
    kept.write_text(text := json.dumps(asdict(BUDGET)) + f"\n{damage}\n")
    with pytest.raises(BadTries, match="line 2: not a try"):
        tries.read(kept, BUDGET)
    assert benchmark.main(["--out", str(kept)]) == 2
    assert "another budget or by other code" in capsys.readouterr().err
    assert kept.read_text() == text
    kept.write_text(json.dumps(asdict(replace(BUDGET, code="older"))) + "\n")
    with pytest.raises(BadTries, match="by other code"):
        tries.read(kept, BUDGET)


def test_only_the_tables_of_a_page_are_renewed() -> None:
    """The sentences around them stay; a page without a place for a table is an error."""
    table = benchmark.summary([_try("swarm", 3)], BUDGET)
    page = "before\n\n<!-- summary -->\nold\n<!-- end -->\n\nafter\n"
    new = benchmark.renewed(page, {"summary": table})
    assert new.startswith("before\n\n<!-- summary -->\n\n| strategy")
    assert new.endswith("|\n\n<!-- end -->\n\nafter\n")
    assert "old" not in new
    assert benchmark.renewed(new, {"summary": table}) == new
    with pytest.raises(ValueError, match="no place for 'bugs'"):
        benchmark.renewed(page, {"bugs": table})
