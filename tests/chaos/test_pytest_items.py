"""Scenario files as tests: which files are collected, and how their runs are judged."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
from typer.testing import CliRunner

import chaos.pytest_items
import dingfeng
from tests.chaos.own_repository import BROKEN, TWO_SEEDS, ids, outcomes, scenario, write

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.usefixtures("own_repository")


class TestWhatIsCollected:
    """Ours by name, by folder, or pointed at and looking like one; nothing else is touched."""

    def test_a_storm_file_gives_an_item_for_each_design_that_it_names(
        self, pytester: pytest.Pytester
    ) -> None:
        """Ids say scenario and design, the ladder from the weakest up."""
        write(pytester, "anywhere/doubled.storm.yaml", scenario("doubled"))
        assert ids(pytester) == [
            "anywhere/doubled.storm.yaml::naive",
            "anywhere/doubled.storm.yaml::resilient",
        ]

    def test_the_pattern_of_names_can_be_chosen(self, pytester: pytest.Pytester) -> None:
        """`dingfeng_files` replaces *.storm.yaml."""
        pytester.makeini("[pytest]\ndingfeng_files = storm_*.yaml")
        write(pytester, "storm_doubled.yaml", scenario("storm_doubled"))
        write(pytester, "other.storm.yaml", scenario("other"))
        assert ids(pytester) == ["storm_doubled.yaml::naive", "storm_doubled.yaml::resilient"]

    def test_foreign_yaml_is_never_touched(self, pytester: pytest.Pytester) -> None:
        """Not even in a folder that is pointed at, and malformed besides."""
        write(pytester, "suite/doubled.yaml", scenario("doubled"))
        write(pytester, "suite/ci.yaml", "name: ci\non: [push]\njobs: {}\n")
        write(pytester, "suite/broken.yaml", "a: [\n")
        assert ids(pytester, "suite") == ["suite/doubled.yaml::naive", "suite/doubled.yaml::resilient"]
        assert ids(pytester) == []
        assert ids(pytester, ".") == []

    def test_a_misspelt_field_does_not_make_a_scenario_disappear(self, pytester: pytest.Pytester) -> None:
        """What is pointed at and looks like a scenario is one, and its mistake an error."""
        write(pytester, "suite/doubled.yaml", scenario("doubled").replace("workload:", "worklaod:"))
        counted, said = outcomes(pytester, "suite")
        assert counted == {"errors": 1}
        assert "suite/doubled.yaml:6: worklaod: unknown field; did you mean 'workload'?" in said

    def test_every_yaml_file_of_a_named_folder_is_a_scenario(self, pytester: pytest.Pytester) -> None:
        """The ini setting leaves no doubt, so a foreign file in there is a mistake."""
        pytester.makeini("[pytest]\ndingfeng_scenarios = suite")
        write(pytester, "suite/deep/doubled.yaml", scenario("doubled"))
        assert len(ids(pytester)) == 2
        write(pytester, "suite/ci.yaml", "name: ci\njobs: {}\n")
        counted, said = outcomes(pytester)
        assert counted == {"errors": 1}
        assert "suite/ci.yaml:2: jobs: unknown field" in said

    def test_a_file_can_be_pointed_at_from_the_ini_file(self, pytester: pytest.Pytester) -> None:
        """`testpaths` takes patterns, and each file that fits counts as pointed at."""
        pytester.makeini("[pytest]\ntestpaths = suite/d*.yaml")
        write(pytester, "suite/doubled.yaml", scenario("doubled"))
        assert len(ids(pytester)) == 2

    def test_one_item_can_be_named(self, pytester: pytest.Pytester) -> None:
        """The id that pytest prints is the id that it takes."""
        write(pytester, "suite/doubled.yaml", scenario("doubled"))
        assert ids(pytester, "suite/doubled.yaml::naive") == ["suite/doubled.yaml::naive"]

    def test_k_and_m_select_by_scenario_design_catalogue_row_and_marker(
        self, pytester: pytest.Pytester
    ) -> None:
        """Everything that a person would think of."""
        pytester.makepyfile("def test_own(): pass")
        write(pytester, "doubled.storm.yaml", scenario("doubled"))
        write(pytester, "other.storm.yaml", scenario("other").replace("X-06", "X-07"))
        assert len(ids(pytester)) == 5
        assert len(ids(pytester, "-k", "doubled")) == 2
        assert len(ids(pytester, "-k", "naive")) == 2
        assert len(ids(pytester, "-k", "X-06")) == 2
        assert len(ids(pytester, "-m", "storm")) == 4
        assert len(ids(pytester, "-m", "not storm")) == 1

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("orders: 3", "orders: none", "bad.storm.yaml:7: workload.orders: "),
            ("callback_duplicate,", "callback_duplicat,", "did you mean 'channel.callback_duplicate'?"),
            ("  resilient:", "  resilent:", "bad.storm.yaml:16: expect.resilent: unknown design"),
            ("[callback_dup", "[calback_dup", "did you mean 'callback_duplicate_processed'?"),
            ("stock: 60}", "stock: 60", "bad.storm.yaml:11: malformed YAML"),
            ("name: bad", "name: good", "bad.storm.yaml:1: name: 'good' is not the file's name 'bad'"),
            ("expect:\n  naive: {violated: [I-02]}\n  resilient: holds\n", "", "no design under `expect`"),
        ],
    )
    def test_a_bad_file_is_a_collection_error_with_file_line_and_field(
        self, pytester: pytest.Pytester, old: str, new: str, message: str
    ) -> None:
        """One message without a traceback, and nothing is run."""
        text = scenario("bad")
        assert old in text
        write(pytester, "bad.storm.yaml", text.replace(old, new))
        counted, said = outcomes(pytester)
        assert counted == {"errors": 1}
        assert message in said
        assert "loading.py" not in said


class TestHowItIsJudged:
    """As `dingfeng run` judges, and what is not green there is not green here."""

    def test_expected_violations_and_holding_pass(self, pytester: pytest.Pytester) -> None:
        """naive fails as the scenario says, resilient holds."""
        write(pytester, "doubled.storm.yaml", scenario("doubled"))
        assert outcomes(pytester, TWO_SEEDS)[0] == {"passed": 2}

    def test_a_violation_is_told_as_a_story_with_the_line_that_replays_it(
        self, pytester: pytest.Pytester
    ) -> None:
        """Who, what, when, what would have helped; no traceback; the line works as it stands."""
        write(pytester, "my suite/doubled.storm.yaml", scenario("doubled", naive="holds"))
        counted, said = outcomes(pytester, TWO_SEEDS)
        assert counted == {"passed": 1, "failed": 1}
        assert "doubled on naive: violated" in said
        assert "I-02 violated in 2 of 2" in said
        assert "hands out card game-100#" in said
        assert "What would have saved it" in said
        assert "FAILED my suite/doubled.storm.yaml::naive - violated: " in said
        assert not re.search(r"Traceback|pytest_items|worker\.py", said)
        replay = next(line for line in said.splitlines() if line.startswith("  dingfeng replay"))
        answer = CliRunner().invoke(dingfeng.app, shlex.split(replay)[1:])
        assert answer.exit_code == 1, answer.output
        assert "I-02" in answer.output

    def test_the_story_is_told_in_the_language_asked_for(self, pytester: pytest.Pytester) -> None:
        """By option or by ini setting."""
        write(pytester, "doubled.storm.yaml", scenario("doubled", naive="holds"))
        assert "平台  订单变为" in outcomes(pytester, TWO_SEEDS, "--dingfeng-lang=zh")[1]
        pytester.makeini("[pytest]\ndingfeng_lang = zh")
        assert "平台  订单变为" in outcomes(pytester, TWO_SEEDS)[1]

    def test_an_expected_violation_that_is_not_seen_fails(self, pytester: pytest.Pytester) -> None:
        """It names the command that runs the same seeds again."""
        write(pytester, "doubled.storm.yaml", scenario("doubled", resilient=BROKEN))
        counted, said = outcomes(pytester, TWO_SEEDS, "-k", "resilient")
        assert (counted["failed"], counted.get("passed")) == (1, None)
        assert "expected I-02 to be violated; it held in 2 runs" in said
        assert "dingfeng run ./doubled.storm.yaml -d resilient --seeds 2" in said

    @pytest.mark.parametrize(
        ("wrong", "reason"),
        [
            ({"probability": 0.000001}, "touched nothing"),
            ({"sometimes": "supplier_unknown_then_success"}, "never met: supplier_unknown_then_success"),
        ],
    )
    def test_inconclusive_fails_and_is_never_skipped(
        self, pytester: pytest.Pytester, wrong: dict[str, Any], reason: str
    ) -> None:
        """A skip would let the session end with 0."""
        write(pytester, "doubled.storm.yaml", scenario("doubled", **wrong))
        counted, said = outcomes(pytester, TWO_SEEDS, "-k", "resilient")
        assert (counted["failed"], counted.get("passed"), counted.get("skipped")) == (1, None, None)
        assert "doubled on resilient: inconclusive" in said
        assert reason in said

    def test_a_run_that_raises_is_broken_and_shows_where(
        self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The one case where a traceback is the story."""

        def run(*_: Any) -> Any:
            raise ZeroDivisionError("in the middle of a run")

        monkeypatch.setattr(chaos.pytest_items, "run", run)
        write(pytester, "doubled.storm.yaml", scenario("doubled"))
        counted, said = outcomes(pytester, TWO_SEEDS)
        assert counted == {"failed": 2}
        assert "doubled on naive: broken" in said
        assert "ZeroDivisionError: in the middle of a run" in said
        assert "dingfeng replay ./doubled.storm.yaml:naive:1" in said

    def test_x_stops_at_the_first_run_that_fails(self, pytester: pytest.Pytester) -> None:
        """Not only at the first storm: its other seeds are not run either."""
        write(pytester, "doubled.storm.yaml", scenario("doubled", naive="holds"))
        counted, said = outcomes(pytester, "-x", "--dingfeng-seeds=50")
        assert counted == {"failed": 1}
        assert "I-02 violated in 1 of 1" in said
