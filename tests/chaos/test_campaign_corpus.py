"""Plans that failed once are tried first the next time, and count in no statistics. Real storms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chaos.campaign import Order, conduct
from chaos.replay import Recorded
from chaos.results import Campaign, Results, ResultsError
from chaos.resume import taken_up
from chaos.run import run
from chaos.tally import Exit
from scenarios import loading
from scenarios.model import Scenario


def storm(**update: Any) -> Scenario:
    """A storm that breaks naive, of which nothing is expected here."""
    return loading.load("callback_late").model_copy(update={"expect": {}, **update})


def campaign(out: Path, corpus: Path, seeds: range = range(1, 3), **more: Any) -> Campaign:
    scenario = more.pop("scenario", storm())
    return conduct(Order([scenario], [more.pop("design", "naive")], seeds, run, out, corpus=corpus, **more))


def test_a_failing_plan_is_saved_and_tried_first_by_the_next_campaign(tmp_path: Path) -> None:
    """Its line stands apart, the campaign fails with it, and it replays from where it is saved."""
    corpus = tmp_path / "corpus"
    first = campaign(tmp_path / "1", corpus)
    assert (first.corpus_ids, first.regressions) == ([], [])
    saved = sorted(entry.name for entry in corpus.iterdir())
    assert saved == ["callback_late-naive-1", "callback_late-naive-2"]
    recorded = Recorded.read(corpus / saved[0])
    assert recorded.run().digest == recorded.digest
    second = campaign(tmp_path / "2", corpus, range(50, 51))
    assert second.corpus_ids == second.regressions == saved
    results = Results(tmp_path / "2")
    assert [run.seed for run in results.tried()] == [1, 2]
    assert [run.seed for run in results.runs()] == [50]
    assert [cell.runs for cell in second.cells] == [1]


def test_a_saved_plan_that_still_fails_fails_a_campaign_whose_own_runs_hold(tmp_path: Path) -> None:
    """The seeds of today may all miss the spot that was hit before."""
    corpus = tmp_path / "corpus"
    campaign(tmp_path / "1", corpus)
    calm = storm(faults=(), sometimes=())
    ended = campaign(tmp_path / "2", corpus, scenario=calm)
    assert [cell.outcome for cell in ended.cells] == ["holds"]
    assert ended.exit_code == Exit.VIOLATED


def test_only_plans_of_what_is_run_are_tried(tmp_path: Path) -> None:
    """Another design's failures are its own."""
    corpus = tmp_path / "corpus"
    campaign(tmp_path / "1", corpus)
    ended = campaign(tmp_path / "2", corpus, design="resilient")
    assert (ended.corpus_ids, ended.exit_code) == ([], Exit.HOLDS)


def test_expected_failures_are_not_saved(tmp_path: Path) -> None:
    """A design that is there to fail would fill the corpus with nothing new."""
    expecting = loading.load("callback_late")
    ended = campaign(tmp_path / "1", tmp_path / "corpus", scenario=expecting)
    assert ended.cells[0].outcome == "as expected"
    assert not (tmp_path / "corpus").exists()


def test_saved_plans_spend_the_budget_of_failures(tmp_path: Path) -> None:
    """What failed last time and fails again is the fastest answer there is."""
    corpus = tmp_path / "corpus"
    campaign(tmp_path / "1", corpus)
    ended = campaign(tmp_path / "2", corpus, max_failures=1)
    assert (ended.cells[0].outcome, ended.stopped != "") == ("not run", True)
    assert ended.exit_code == Exit.VIOLATED


def test_a_campaign_taken_up_tries_the_plans_that_it_began_with(tmp_path: Path) -> None:
    """Not those that were saved since; and not without those that are gone."""
    corpus = tmp_path / "corpus"
    campaign(tmp_path / "1", corpus, range(1, 2))
    campaign(tmp_path / "2", corpus, range(5, 7))
    assert len(list(corpus.iterdir())) == 3
    (tmp_path / "2" / "corpus.jsonl").unlink()
    ended = conduct(taken_up(tmp_path / "2", run, 1, "local"))
    assert ended.corpus_ids == ended.regressions == ["callback_late-naive-1"]
    (corpus / "callback_late-naive-1" / "plan.json").unlink()
    with pytest.raises(ResultsError, match="began with saved plans that are gone: callback_late-naive-1"):
        taken_up(tmp_path / "2", run, 1, "local")


def test_a_damaged_corpus_is_told_before_anything_is_written(tmp_path: Path) -> None:
    """A file where a directory should be, a plan of another schema, no JSON at all."""
    corpus = tmp_path / "corpus"
    campaign(tmp_path / "1", corpus, range(1, 2))
    plan = corpus / "callback_late-naive-1" / "plan.json"
    old = json.dumps({**json.loads(plan.read_text("utf-8")), "schema": 99})
    for text, message in [(old, "schema 99"), ("{", "damaged")]:
        plan.write_text(text, "utf-8")
        with pytest.raises(ResultsError, match=message):
            campaign(tmp_path / "2", corpus)
    with pytest.raises(ResultsError, match="is no directory"):
        campaign(tmp_path / "2", plan)
    assert not (tmp_path / "2").exists()
