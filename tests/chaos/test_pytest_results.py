"""What a session of pytest keeps of its storms, alone and with several workers."""

from __future__ import annotations

import pytest

from chaos.results import Results
from reports import build
from tests.chaos.own_repository import TWO_SEEDS, outcomes, replays_the_same, scenario, write

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.usefixtures("own_repository")


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
