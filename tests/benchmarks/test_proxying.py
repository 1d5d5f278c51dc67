"""The proxies' benchmark measures every way to the same upstream, and says when one is not there."""

from __future__ import annotations

import json

import pytest

from benchmarks import proxying as benchmark


def test_every_way_has_every_figure_and_its_ratio(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The direct one is 1 against itself."""
    monkeypatch.setattr(benchmark, "ROUND_TRIPS", 64)
    monkeypatch.setattr(benchmark, "BULK_BYTES", 3_000_000)
    ours = benchmark.servers()["ours"]
    monkeypatch.setattr(benchmark, "servers", lambda: {"ours": ours})
    assert benchmark.main(["--rounds", "1", "--json"]) == 0
    ways = json.loads(capsys.readouterr().out)["ways"]
    assert set(ways) == {"direct", "ours", "ours, a toxic"}
    for row in ways.values():
        assert len(row) == 2 * len(benchmark.FIGURES)
        assert all(value > 0 for value in row.values())
    assert {ways["direct"][f"{figure} against direct"] for figure in benchmark.FIGURES} == {1.0}


def test_without_the_upstream_server_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table that lacks it would look complete."""
    row = {name: 1.0 for figure in benchmark.FIGURES for name in (figure, f"{figure} against direct")}
    monkeypatch.setattr(benchmark, "table", lambda rounds: {"direct": row, "ours": row})
    assert benchmark.main([]) == 0
    assert "upstream's server is not here" in capsys.readouterr().out
