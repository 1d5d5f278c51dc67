"""A results directory is read whole, or refused with file and versions."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import reports
from chaos.results import ResultsError
from reports.reading import read
from tests.reports import campaigns


@pytest.fixture
def directory(campaign_directory: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(campaign_directory, tmp_path / "results"))


def change(file: Path, **fields: object) -> None:
    content = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps({**content, **fields}), encoding="utf-8")


def test_every_run_is_counted_once(directory: Path) -> None:
    """Four scenarios, two designs, three seeds, ten orders each."""
    campaign = read(directory)
    assert (campaign.runs, campaign.orders) == (24, 240)
    assert all(pair.runs == 3 for pair in campaign.pairs.values())


def test_failures_and_samples_are_found(directory: Path) -> None:
    """Each kept failure has its violated verdicts, each clean pair its sample."""
    campaign = read(directory)
    assert campaign.failures
    assert {failure.design for failure in campaign.failures} == {"naive"}
    assert all(verdict.outcome == "violated" for failure in campaign.failures for verdict in failure.verdicts)
    assert all(pair.sample is not None for pair in campaign.of("resilient"))


def test_an_undecided_verdict_is_no_violation(directory: Path) -> None:
    """What could not be judged is counted apart."""
    runs = directory / "runs.jsonl"
    lines = runs.read_text("utf-8").splitlines()
    first = json.loads(lines[0])
    lines[0] = json.dumps({**first, "outcome": "unknown", "verdicts": {"I-30": "unknown"}})
    runs.write_text("\n".join(lines) + "\n", encoding="utf-8")
    pair = read(directory).pairs[first["scenario"], first["design"]]
    assert (pair.undecided["I-30"], pair.violated["I-30"], pair.bad) == (1, 0, 0)


def test_gravest_failure_comes_first(directory: Path) -> None:
    """A design that should have held outranks one that was expected to fail; then money counts."""
    change(directory / "campaign.json", cells=[
        {"scenario": name, "design": design, "outcome": outcome, "reasons": [], "runs": 3, "violated": {}, "replay": []}
        for name in campaigns.names(4) for design, outcome in
        (("naive", "violated" if name == "partition_to_channel" else "as expected"), ("resilient", "holds"))
    ])  # fmt: skip
    campaign = read(directory)
    assert campaign.outcome() == "violated"
    assert campaign.grave_failures()[0].scenario == "partition_to_channel"
    assert campaign.scenarios()[0] == "partition_to_channel"
    rest = [
        failure.money_fen
        for failure in campaign.grave_failures()
        if failure.scenario != "partition_to_channel"
    ]
    assert rest == sorted(rest, reverse=True)


def test_another_schema_is_refused_with_both_versions(directory: Path) -> None:
    """The message names the file, its schema and ours."""
    change(directory / "campaign.json", schema=7)
    with pytest.raises(ResultsError, match=r"campaign\.json.*schema 7.*reads 1"):
        reports.build(directory)


def test_a_directory_that_is_none_is_refused(tmp_path: Path) -> None:
    """No campaign.json, no results directory."""
    with pytest.raises(ResultsError, match="no such results directory"):
        reports.build(tmp_path / "nowhere")
    with pytest.raises(ResultsError, match=r"no campaign\.json"):
        reports.build(tmp_path)


@pytest.mark.parametrize("damaged", ["history.jsonl", "verdict.json"])
def test_a_damaged_failure_is_named(directory: Path, damaged: str) -> None:
    """Which file, of which run."""
    victim = next((directory / "failures").iterdir()) / damaged
    victim.write_text('{"verdicts": 3}\n', encoding="utf-8")
    with pytest.raises(ResultsError, match=rf"{victim.name}") as caught:
        reports.build(directory)
    assert str(victim) in str(caught.value)


def test_a_history_cut_off_later_is_named_too(directory: Path) -> None:
    """The header is fine, an event is not: still a message, not a traceback."""
    for victim in (directory / "failures").glob("*/history.jsonl"):
        victim.write_bytes(victim.read_bytes()[:-30])
    with pytest.raises(ResultsError, match=r"history\.jsonl"):
        reports.build(directory)


def test_a_missing_history_is_named(directory: Path) -> None:
    """Somebody tidied up too much."""
    victim = next((directory / "samples").iterdir()) / "history.jsonl"
    victim.unlink()
    with pytest.raises(ResultsError, match="cannot be read") as caught:
        reports.build(directory)
    assert str(victim) in str(caught.value)


def test_an_interrupted_campaign_is_read_as_far_as_it_got(directory: Path) -> None:
    """The last line was cut off by the interrupt; the others count."""
    runs = directory / "runs.jsonl"
    lines = runs.read_bytes().splitlines(keepends=True)
    runs.write_bytes(b"".join(lines[:10]) + lines[10][:20])
    change(directory / "campaign.json", interrupted=True, finished=False)
    assert read(directory).runs == 10
    reports.build(directory)
    assert "interrupted" in (directory / "report.html").read_text("utf-8")


def test_reports_that_cannot_be_written_are_an_error_of_the_user(directory: Path) -> None:
    """A directory stands where the page should go."""
    (directory / "report.html").mkdir()
    with pytest.raises(ResultsError, match=r"report\.html: cannot be written"):
        reports.build(directory)


def test_an_unknown_language_is_refused(directory: Path) -> None:
    """English and Chinese, no other."""
    with pytest.raises(ValueError, match="no words in language 'fr'"):
        reports.build(directory, "fr")


def test_a_killed_campaign_is_added_up_again(tmp_path: Path) -> None:
    """Killed before any outcome was written: the runs that are there speak for themselves."""
    scenario = {
        "name": "calm_trade",
        "title": {"en": "Calm", "zh": "\u5e73\u9759"},
        "story": {"en": "Calm.", "zh": "\u5e73\u9759\u3002"},
        "catalogue": ["F-01"],
        "workload": {
            "orders": 4,
            "arrivals": {"shape": "burst", "within": "2min"},
            "members": 2,
            "products": [{"sku": "game-30", "kind": "card", "price_fen": 3000, "stock": 9}],
        },
        "expect": {"resilient": "holds"},
    }
    directory = campaigns.write(tmp_path / "results", scenarios=1, seeds=2, finished=False)
    change(directory / "campaign.json", scenarios={"calm_trade": scenario})
    campaign = read(directory)
    assert {pair.outcome for pair in campaign.pairs.values()} == {"holds"}
    assert campaign.outcome() == "holds"
