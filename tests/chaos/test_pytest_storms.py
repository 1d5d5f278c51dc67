"""The `storm` fixture, and the others, inside a user's own tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.chaos.own_repository import ids, outcomes, replays_the_same, scenario, write

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.usefixtures("own_repository")


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
