"""The pytest plugin as a user meets it: in a repository of their own, judged by what their terminal says."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import chaos.pytest_items
import chaos.pytest_results
import chaos.pytest_storms  # imported here, or pytester would forget them after each session
import chaos.story
import dingfeng
from chaos.results import Results
from reports import build

pytest_plugins = ["pytester"]

SCENARIO = """\
name: {name}
title: {{en: Everything comes four times, zh: 样样来四次}}
story: {{en: One payment and four notices., zh: 一次付款，四次通知。}}
catalogue: [F-09]
races: [X-06]
workload:
  orders: 3
  arrivals: {{shape: burst, within: 2min}}
  products:
    - {{sku: game-100, kind: card, price_fen: 9800, stock: 60}}
faults:
  - {{fault: channel.callback_duplicate, channel: wechat, copies: 3, spacing: 0s, probability: {probability}}}
sometimes: [{sometimes}]
expect:
  naive: {naive}
  resilient: {resilient}
"""
BROKEN = "{violated: [I-02]}"
TWO_SEEDS = "--dingfeng-seeds=2"


def scenario(
    name: str,
    *,
    naive: str = BROKEN,
    resilient: str = "holds",
    probability: float = 1,
    sometimes: str = "callback_duplicate_processed",
) -> str:
    return SCENARIO.format(
        name=name, naive=naive, resilient=resilient, probability=probability, sometimes=sometimes
    )


def write(pytester: pytest.Pytester, file: str, text: str) -> None:
    path = pytester.path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def ids(pytester: pytest.Pytester, *args: str) -> list[str]:
    """What a session would run."""
    result = pytester.runpytest_inprocess("--collect-only", "-q", *args)
    return [line for line in result.outlines if "::" in line]


def outcomes(pytester: pytest.Pytester, *args: str) -> tuple[dict[str, int], str]:
    """Passed, failed and so on, and all that was printed. Skipped or warned storms would be in it too."""
    result = pytester.runpytest_inprocess(*args)
    return result.parseoutcomes(), result.stdout.str()


def replays_the_same(kept: Path) -> None:
    """The front door finds the run as it was recorded: violated, with the same digest."""
    answer = CliRunner().invoke(dingfeng.app, ["replay", str(kept), "--json"])
    assert answer.exit_code == 1, answer.output
    assert json.loads(answer.output)["same"] is True


@pytest.fixture(autouse=True)
def _repository(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ini file, so that the root is not what happens to be pointed at; none of the slow plugins."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:hypothesispytest -p no:cacheprovider")
    pytester.makeini("[pytest]")


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


class TestOptions:
    """Each option has an ini setting; the command line comes first; mistakes end the session at once."""

    def runs(self, pytester: pytest.Pytester, *args: str) -> list[tuple[str, int]]:
        outcomes(pytester, "--dingfeng-out=kept", *args)
        found = [(run.design, run.seed) for run in Results(pytester.path / "kept").runs()]
        pytester.run("rm", "-r", "kept")
        return found

    def test_seeds_and_designs_by_option_and_by_ini_setting(self, pytester: pytest.Pytester) -> None:
        """The ini file says what is usual, the command line what is wanted now."""
        write(pytester, "doubled.storm.yaml", scenario("doubled"))
        assert self.runs(pytester, "--dingfeng-seed=7", "--dingfeng-design=outbox") == [("outbox", 7)]
        pytester.makeini("[pytest]\ndingfeng_seeds = 2\ndingfeng_designs = resilient naive")
        usual = [("naive", 1), ("naive", 2), ("resilient", 1), ("resilient", 2)]
        assert self.runs(pytester) == usual
        assert self.runs(pytester, "--dingfeng-seeds=1", "--dingfeng-design=naive") == [("naive", 1)]
        assert self.runs(pytester, "--dingfeng-seed=5", "--dingfeng-design=naive") == [("naive", 5)]
        pytester.makeini("[pytest]\ndingfeng_seed = 3\ndingfeng_designs = naive")
        assert self.runs(pytester) == [("naive", 3)]
        assert self.runs(pytester, "--dingfeng-seeds=1") == [("naive", 1)]

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            (["--dingfeng-seeds=2", "--dingfeng-seed=1"], "give one of them"),
            (["--dingfeng-seeds=0"], "'0' is no number of seeds"),
            (["--dingfeng-seed=-1"], "'-1' is no seed"),
            (["--dingfeng-design=resilent"], "no design 'resilent'; did you mean 'resilient'?"),
        ],
    )
    def test_a_wrong_option_is_a_usage_error(
        self, pytester: pytest.Pytester, args: list[str], message: str
    ) -> None:
        """Exit code 4 of pytest, one message."""
        result = pytester.runpytest_inprocess(*args)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert message in result.stderr.str()

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("dingfeng_seeds = many", "dingfeng_seeds: 'many' is no number of at least 1"),
            ("dingfeng_designs = niave", "no design 'niave'; did you mean 'naive'?"),
            ("dingfeng_lang = fr", "dingfeng_lang: 'fr' is neither en nor zh"),
        ],
    )
    def test_a_wrong_ini_setting_is_told_where_storms_are(
        self, pytester: pytest.Pytester, line: str, message: str
    ) -> None:
        """A session without storms does not look."""
        pytester.makeini(f"[pytest]\n{line}")
        write(pytester, "doubled.storm.yaml", scenario("doubled"))
        counted, said = outcomes(pytester)
        assert counted == {"errors": 1}
        assert message in said

    def test_help_and_markers_explain_themselves(self, pytester: pytest.Pytester) -> None:
        """What a user would look for."""
        said = pytester.runpytest_inprocess("--help").stdout.str()
        for word in ("--dingfeng-seeds", "--dingfeng-design", "--dingfeng-out", "dingfeng_scenarios"):
            assert word in said
        assert "@pytest.mark.storm: a scenario file" in pytester.runpytest_inprocess("--markers").stdout.str()


class TestResults:
    """--dingfeng-out keeps what a campaign would keep."""

    def test_report_and_replay_work_on_what_was_kept(self, pytester: pytest.Pytester) -> None:
        """The same directory as `dingfeng run` writes, down to the digests."""
        write(pytester, "doubled.storm.yaml", scenario("doubled", naive="holds"))
        counted, said = outcomes(pytester, TWO_SEEDS, "--dingfeng-out=kept")
        assert counted == {"passed": 1, "failed": 1}
        assert "dingfeng: 4 runs in kept; to read them: dingfeng report kept" in said
        results = Results(pytester.path / "kept")
        assert (results.campaign.finished, results.campaign.exit_code) == (True, 1)
        assert {cell.design: cell.outcome for cell in results.campaign.cells} == {
            "naive": "violated",
            "resilient": "holds",
        }
        replays_the_same(pytester.path / "kept" / "failures" / "doubled-naive-2")
        assert (pytester.path / "kept" / "report.html") in build(pytester.path / "kept", "en")

    def test_xdist_changes_nothing_but_the_time(self, pytester: pytest.Pytester) -> None:
        """Two workers: the same outcomes, the same reasons, the same lines in the same order."""
        write(pytester, "b.storm.yaml", scenario("b", naive="holds"))
        write(pytester, "a.storm.yaml", scenario("a"))
        alone, _ = outcomes(pytester, TWO_SEEDS, "--dingfeng-out=alone")
        shared, said = outcomes(pytester, TWO_SEEDS, "--dingfeng-out=shared", "-n2")
        assert alone == shared == {"passed": 3, "failed": 1}
        assert "FAILED b.storm.yaml::naive - violated: " in said
        assert "dingfeng replay ./b.storm.yaml:naive:1" in said
        lines = [list(Results(pytester.path / name).runs()) for name in ("alone", "shared")]
        keys = [
            [(run.scenario, run.design, run.seed, run.digest, run.failure) for run in one] for one in lines
        ]
        assert keys[0] == keys[1]
        assert len(keys[0]) == 8
        assert Results(pytester.path / "alone").kept("failures") == Results(pytester.path / "shared").kept(
            "failures"
        )

    def test_an_occupied_directory_is_refused_and_left_alone(self, pytester: pytest.Pytester) -> None:
        """Before anything is run."""
        write(pytester, "doubled.storm.yaml", scenario("doubled"))
        write(pytester, "kept/mine.txt", "precious")
        result = pytester.runpytest_inprocess("--dingfeng-out=kept")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert "kept: is not empty; name another directory with --dingfeng-out" in result.stderr.str()
        assert [path.name for path in (pytester.path / "kept").iterdir()] == ["mine.txt"]

    def test_a_session_without_storms_leaves_no_directory(self, pytester: pytest.Pytester) -> None:
        """Nothing to read, nothing to trip over the next time."""
        pytester.makepyfile("def test_own(): pass")
        assert outcomes(pytester, "--dingfeng-out=kept")[0] == {"passed": 1}
        assert not (pytester.path / "kept").exists()

    def test_two_scenarios_of_one_name_are_refused(self, pytester: pytest.Pytester) -> None:
        """A results directory knows a scenario by its name. Without one they do not mind each other."""
        write(pytester, "one/doubled.storm.yaml", scenario("doubled"))
        write(pytester, "two/doubled.storm.yaml", scenario("doubled", probability=0.9))
        assert outcomes(pytester, TWO_SEEDS)[0] == {"passed": 4}
        counted, said = outcomes(pytester, TWO_SEEDS, "--dingfeng-out=kept")
        assert counted == {"errors": 1}
        assert "another scenario is named 'doubled' too" in said


RARE = {"fault": "channel.callback_loss", "channel": "wechat", "probability": 1e-9}


def shown(pytester: pytest.Pytester, body: str) -> tuple[dict[str, int], str]:
    """A user's own test with the `storm` fixture."""
    pytester.makepyfile(f"RARE = {RARE}\ndef test_own(storm):\n    {body}\n")
    return outcomes(pytester)


class TestFixture:
    """Storms inside a user's own tests."""

    def test_a_run_can_be_claimed_to_hold(self, pytester: pytest.Pytester) -> None:
        """One invariant, or all; and everything about the run is there to look at."""
        body = """run = storm("callback_late", design="resilient", seed=3)
    run.assert_holds("I-09")
    run.assert_holds()
    assert run.violated == [] and run.story() == ""
    assert run.verdict("I-02").checked > 0 and run.history.events and run.seed == 3
    storm("callback_doubled", design="naive").assert_violated("I-02", "I-23")"""
        assert shown(pytester, body)[0] == {"passed": 1}

    def test_a_failed_claim_tells_the_story_at_the_line_of_the_test(self, pytester: pytest.Pytester) -> None:
        """The user's line, the story, the replay line; no line of ours."""
        counted, said = shown(pytester, 'storm("callback_doubled", design="naive").assert_holds("I-02")')
        assert counted == {"failed": 1}
        assert 'storm("callback_doubled", design="naive").assert_holds("I-02")' in said
        assert "I-02 violated in " in said
        assert "What would have saved it" in said
        assert "dingfeng replay callback_doubled:naive:1" in said
        assert "pytest_storms.py" not in said

    def test_a_scenario_can_be_a_dict_or_a_changed_one_and_still_replays(
        self, pytester: pytest.Pytester
    ) -> None:
        """It is in no file, so the run itself is kept and can be replayed from there."""
        body = """run = storm("callback_doubled", "naive", 2, workload={"orders": 3}, sometimes=[])
    assert run.scenario.workload.orders == 3
    again = storm(run.scenario, "naive", 2)
    assert again.result.digest == run.result.digest
    run.assert_holds("I-02")"""
        counted, said = shown(pytester, body)
        assert counted == {"failed": 1}
        found = re.search(r"dingfeng replay (\S+)", said)
        assert found is not None
        replays_the_same(Path(found.group(1)))

    def test_a_dict_is_checked_like_a_file(self, pytester: pytest.Pytester) -> None:
        """Field and nearest name; there is no line to name."""
        pytester.makepyfile(
            """
            WHOLE = {
                "name": "mine", "title": {"en": "t", "zh": "t"}, "story": {"en": "s", "zh": "s"},
                "catalogue": ["F-09"],
                "workload": {"orders": 2, "arrivals": {"shape": "burst", "within": "2min"}, "products": [
                    {"sku": "game-100", "kind": "card", "price_fen": 9800, "stock": 60}]},
            }
            def test_good(storm):
                storm(WHOLE).assert_holds("I-02")
            def test_bad(storm):
                storm({**WHOLE, "knobs": {"nods": 1}})
            """
        )
        counted, said = outcomes(pytester)
        assert counted == {"passed": 1, "failed": 1}
        assert "scenario given to storm(): knobs.nods: unknown field; did you mean 'nodes'?" in said

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ('storm("callback_doubld")', "did you mean 'callback_doubled'?"),
            ('storm("calm_trade", "naiv")', "no design 'naiv'; did you mean 'naive'?"),
            ('storm("calm_trade").assert_holds("I-9")', "no invariant 'I-9'; did you mean 'I-"),
            ('storm("calm_trade").assert_violated("I-02")', "I-02 should be violated; it holds in"),
            ('storm("calm_trade").assert_violated()', "needs the invariants"),
            ('storm("calm_trade").assert_holds("I-31")', "I-31 proves nothing"),
            (
                'storm("callback_doubled", faults=[RARE]).assert_holds()',
                "its faults touched nothing",
            ),
        ],
    )
    def test_a_mistake_or_an_empty_claim_fails_with_one_message(
        self, pytester: pytest.Pytester, body: str, message: str
    ) -> None:
        """A claim that nothing could have broken is not a test."""
        counted, said = shown(pytester, body)
        assert counted == {"failed": 1}
        assert message in said

    def test_names_are_looked_up_beside_the_test_and_in_the_users_folders(
        self, pytester: pytest.Pytester
    ) -> None:
        """Before the shipped library, so that a user can have their own of any name."""
        pytester.makeini("[pytest]\ndingfeng_scenarios = suite\ntestpaths = tests")
        write(pytester, "suite/ours.yaml", scenario("ours"))
        write(pytester, "tests/near.storm.yaml", scenario("near"))
        write(pytester, "tests/data/far.yaml", scenario("far"))
        body = '[storm(name, "naive").assert_violated("I-02") for name in ("ours", "near", "data/far.yaml")]'
        write(pytester, "tests/test_own.py", f"def test_own(storm):\n    {body}\n")
        assert outcomes(pytester, "-k", "test_own")[0]["passed"] == 1

    def test_a_test_is_repeated_over_the_seeds_and_designs_of_the_session(
        self, pytester: pytest.Pytester
    ) -> None:
        """`storm_seed` and `storm_design` follow the options."""
        pytester.makepyfile("def test_own(storm_seed, storm_design): pass")
        found = ids(pytester, "--dingfeng-seeds=2", "--dingfeng-design=naive", "--dingfeng-design=outbox")
        assert sorted(line.partition("[")[2] for line in found) == [
            "1-naive]",
            "1-outbox]",
            "2-naive]",
            "2-outbox]",
        ]
        assert len(ids(pytester)) == 20


def test_a_session_without_storms_imports_nothing_of_ours_but_the_plugin(pytester: pytest.Pytester) -> None:
    """Not even when a scenario lies beside what is run: pytest asks for every neighbour."""
    write(pytester, "beside.storm.yaml", scenario("beside"))
    write(pytester, "tests/test_own.py", "def test_own(): pass\n")
    write(pytester, "tests/data.yaml", "a: 1\n")
    probe = (
        "import sys, pytest; code = pytest.main(['-q', 'tests']); "
        "ours = ('chaos', 'sim', 'scenarios', 'reference_platform', 'reports', 'pydantic', 'simpy', 'ruamel'); "
        "print(code, sorted(name for name in sys.modules if name.partition('.')[0] in ours))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 ['chaos', 'chaos.pytest_plugin']"


def test_the_plugin_is_found_by_its_entry_point() -> None:
    """Installed with dingfeng, switched off with `-p no:dingfeng`."""
    (found,) = entry_points(group="pytest11", name="dingfeng")
    assert found.value == "chaos.pytest_plugin"
