"""Whether the storms really blew, and what certificates add: every check says all that it knows."""

from __future__ import annotations

from pathlib import Path

from tests.reports.gates import certificate, judge, outcomes, run, scenario, write

PLAIN = "schema: 1\nscenarios: present\n"


def test_a_design_that_was_not_run_at_all_is_named(tmp_path: Path) -> None:
    """There is not even a scenario of it that could be missed."""
    path = write(tmp_path / "r", [run(1)])
    assert outcomes(judge(PLAIN + "designs: {naive: {}}\n", path), kind="runs") == {
        "naive": "inconclusive design_not_run"
    }


def test_what_was_met_touched_and_due_holds_with_its_number(tmp_path: Path) -> None:
    """Each situation, fault and rule says how often and in how many runs."""
    audit = {"counts": {"K-01": {"exact": 1}, "K-03": {}}}
    met = [run(1, touched={"rule": 2}, met=["order_expired"], audit=audit), run(2, touched={"rule": 1})]
    path = write(tmp_path / "r", met, scenarios={"calm_trade": scenario("calm_trade", "order_expired")})
    decision = judge(PLAIN + "sometimes: [order_expired]\ndue: [K-01]\n", path)
    seen = [
        (check.name, check.outcome, check.words, check.data["count"], check.data["runs"], check.scenario)
        for check in decision.checks
        if check.kind == "situations"
    ]
    assert seen == [
        ("rule", "holds", "touched", 3, 2, "calm_trade"),
        ("order_expired", "holds", "met", 1, 2, "calm_trade"),
        ("order_expired", "holds", "met", 1, 2, ""),
        ("K-01", "holds", "due", 1, 2, ""),
    ]


def test_runs_that_are_not_sound_are_not_called_run(tmp_path: Path) -> None:
    """Broken, crashed or missing: each is said, the first seed of it leads there, and none is also fine."""
    broken = [run(1), run(2, outcome="broken", error=""), run(3, outcome="broken", error="x")]
    crashed = [run(1), run(2, outcome="unknown", verdicts={"I-02": "unknown"}, crashed=["I-02"])]
    for name, runs, seeds, expected in (
        (
            "broken",
            broken,
            None,
            [("broken", ("calm_trade:resilient:2",), {"count": 2, "seed": 2, "error": ""})],
        ),
        (
            "crashed",
            crashed,
            None,
            [("checker_crashed", ("calm_trade:resilient:2",), {"checker": "I-02", "seed": 2})],
        ),
        ("missing", [run(1)], (1, 2, 3), [("missing", (), {"count": 2, "runs": 1})]),
    ):
        decision = judge(PLAIN, write(tmp_path / name, runs, seeds=seeds))
        found = [(check.words, check.replay, check.data) for check in decision.checks if check.kind == "runs"]
        assert found == expected


def test_certificates_are_told_with_what_they_certify(tmp_path: Path) -> None:
    """Where it is, how many runs, faults and kinds of them; one that shows a violation names it."""
    path = write(tmp_path / "r", [run(1)])
    own = {"workload": "own_storm"}
    held = certificate(tmp_path / "held.json", **own)
    broken = certificate(tmp_path / "broken.json", **own, violated={"I-02": 3, "I-01": 1})
    doubt = certificate(tmp_path / "doubt.json", **own, unknown={"I-09": 2})
    asked = PLAIN + "certificates: [{workload: own_storm, design: resilient, k: 2}]\n"
    decision = judge(asked, path, given=(held, broken, doubt))
    told = [
        (check.outcome, check.words, check.name, check.data["file"], check.data["runs"], check.data["k"],
         check.data["kinds"], check.data["names"])
        for check in decision.checks
        if check.kind == "certificates"
    ]  # fmt: skip
    subject = "own_storm × resilient, k = 2"
    assert told == [
        ("holds", "certified", subject, str(held), 1627, 2, 2, []),
        ("violated", "certificate_violated", subject, str(broken), 1627, 2, 2, ["I-01", "I-02"]),
        ("inconclusive", "certificate_undecided", subject, str(doubt), 1627, 2, 2, ["I-09"]),
    ]
