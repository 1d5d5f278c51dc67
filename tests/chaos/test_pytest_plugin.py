"""The pytest plugin itself: its options, its entry point, and that it keeps out of the way."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from chaos.results import Results
from tests.chaos.own_repository import outcomes, scenario, write

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.usefixtures("own_repository")


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
