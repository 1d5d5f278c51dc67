"""The kernel's benchmark measures what it says: both sides do the same work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks import kernel as benchmark

if TYPE_CHECKING:
    import pytest


def test_both_sides_of_each_case_count_the_same_awaits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the JSON has a positive ratio for each case."""
    monkeypatch.setattr(benchmark, "TASKS", 3)
    monkeypatch.setattr(benchmark, "AWAITS", 4)
    for plain, ours in benchmark.CASES.values():
        assert plain() == ours() == 12
    assert benchmark.main(["--rounds", "2", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["rounds"] == 2
    assert [row["ratio"] > 0 for row in printed["cases"].values()] == [True] * 3
