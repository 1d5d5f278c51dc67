"""The gate's decisions: what stops a release, what is not proven, and that a retry only adds evidence."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from chaos.certificate import workload_digest
from chaos.measures import Measures
from chaos.results import ResultsError
from chaos.tally import Exit, replay_command
from reports.gate.sentences import Sentences
from scenarios.loading import load
from tests.reports.gates import KNOWN, certificate, joined, judge, outcomes, run, scenario, write

PLAIN = "schema: 1\nscenarios: present\n"
ONE_PERCENT = PLAIN + "violation_rate: {below: 1%}\n"


def test_clean_runs_of_what_is_demanded_release(tmp_path: Path) -> None:
    """Without a demanded rate, any clean runs do."""
    decision = judge(PLAIN, write(tmp_path / "r", [run(seed) for seed in range(1, 6)]))
    assert (decision.outcome, decision.exit_code) == ("holds", Exit.HOLDS)
    assert outcomes(decision, kind="holds")["I-09"] == "holds clean"
    assert outcomes(decision, kind="holds")["K-01"] == "holds never_due_here"


@pytest.mark.parametrize(
    ("runs", "exit_code"), [(200, Exit.INCONCLUSIVE), (298, Exit.INCONCLUSIVE), (299, Exit.HOLDS)]
)
def test_below_one_percent_at_95_takes_299_clean_runs(tmp_path: Path, runs: int, exit_code: Exit) -> None:
    """One clean run less proves less, and the gate says how many it needs."""
    decision = judge(ONE_PERCENT, write(tmp_path / "r", [run(seed) for seed in range(runs)]))
    assert decision.exit_code == exit_code
    check = next(check for check in decision.checks if check.name == "I-09")
    assert (check.data["needed"], check.data["runs"]) == (299, runs)


def test_runs_of_all_scenarios_count_together_only_if_asked(tmp_path: Path) -> None:
    """`over: design` pools; `over: scenario`, the default, does not."""
    runs = [run(seed, name) for name in ("calm_trade", "callback_late") for seed in range(150)]
    path = write(tmp_path / "r", runs)
    assert judge(ONE_PERCENT, path).outcome == "inconclusive"
    pooled = judge(PLAIN + "violation_rate: {below: 1%, over: design}\n", path)
    assert pooled.outcome == "holds"
    assert outcomes(pooled, kind="rate")["I-09"] == "holds clean"
    assert judge(PLAIN + "violation_rate: {below: 0.9%, over: design}\n", path).outcome == "inconclusive"


def test_one_violation_stops_and_brings_its_replay_line(tmp_path: Path) -> None:
    """However many runs were clean, and the first seed that showed it is named."""
    runs = [run(seed, violated=("I-09",) if seed in {7, 70} else ()) for seed in range(300)]
    decision = judge(ONE_PERCENT, write(tmp_path / "r", runs))
    assert decision.exit_code == Exit.VIOLATED
    (check,) = decision.of("violated")
    assert (check.name, check.replay, check.data["failed"]) == ("I-09", ("calm_trade:resilient:7",), 2)
    assert 0.001 < check.data["low"] < 2 / 300 < check.data["high"] < 0.03


def test_what_other_designs_break_is_none_of_its_business(tmp_path: Path) -> None:
    """Only designs that the policy names are gated, and only what they must hold."""
    runs = [run(1, design="naive", violated=("I-01",)), run(1, violated=("I-01",))]
    path = write(tmp_path / "r", runs)
    assert judge(PLAIN, path).outcome == "violated"
    assert judge(PLAIN + "designs: {resilient: {holds: [I-02, K-03]}}\n", path).outcome == "holds"
    assert judge(PLAIN + "designs: {naive: {holds: all}}\n", path).of("violated")[0].design == "naive"


def test_a_compensation_rule_is_violated_by_a_wrong_judgement_of_the_oracle(tmp_path: Path) -> None:
    """Missed, undue, doubled, late or wrong in amount; undecided is not proven; exact is fine."""
    for verdict, outcome in (("late", "violated"), ("undecided", "inconclusive"), ("exact", "holds")):
        audit = {"counts": {"K-01": {verdict: 1, "exact": 3}, "K-03": {}}}
        decision = judge(PLAIN, write(tmp_path / verdict, [run(1, audit=audit)]))
        assert outcomes(decision, kind="holds")["K-01"].split()[0] == outcome, verdict


def test_an_undecided_verdict_is_never_green(tmp_path: Path) -> None:
    """A checker that could not say is no clean run."""
    runs = [*(run(seed) for seed in range(400)), run(400, outcome="unknown", verdicts={"I-02": "unknown"})]
    decision = judge(ONE_PERCENT, write(tmp_path / "r", runs))
    assert decision.exit_code == Exit.INCONCLUSIVE
    assert outcomes(decision, kind="holds")["I-02"] == "inconclusive undecided"


def test_a_known_violation_can_be_tolerated_with_a_reason_and_a_bound(tmp_path: Path) -> None:
    """Below the bound it passes and is told; above, or unproven, it does not pass; elsewhere it stops."""
    runs = [run(seed, violated=("I-09",) if seed < 3 else ()) for seed in range(300)]
    path = write(tmp_path / "r", runs)
    policy = PLAIN + "designs: {{resilient: {{tolerated: [{{name: I-09, why: ticket 17{0}}}]}}}}\n"
    accepted = judge(policy.format(""), path)
    assert (accepted.outcome, len(accepted.of("tolerated"))) == ("holds", 1)
    assert judge(policy.format(", below: 5%"), path).outcome == "holds"
    assert judge(policy.format(", below: 1.2%"), path).outcome == "inconclusive"
    assert judge(policy.format(", below: 0.1%"), path).outcome == "violated"
    assert judge(policy.format(", scenario: callback_late"), path).outcome == "violated"


def test_a_broken_harness_goes_before_a_violation(tmp_path: Path) -> None:
    """Exit 4: what a broken harness says proves nothing."""
    runs = [run(1, violated=("I-01",)), run(2, outcome="broken", error="Traceback\nValueError: no")]
    decision = judge(PLAIN, write(tmp_path / "r", runs))
    assert decision.exit_code == Exit.BROKEN
    assert decision.of("broken")[0].data["error"] == "ValueError: no"
    crashed = [run(1, outcome="unknown", verdicts={"I-02": "unknown"}, crashed=["I-02"])]
    assert judge(PLAIN, write(tmp_path / "c", crashed)).exit_code == Exit.BROKEN


def test_storms_that_did_not_blow_prove_nothing(tmp_path: Path) -> None:
    """A fault that touched nothing, a situation of the scenario's or the policy's, a rule that never came due."""
    met = [run(1, touched={"rule": 0}), run(2, touched={"rule": 3}, met=["order_expired"])]
    asked = {"calm_trade": scenario("calm_trade", "order_expired")}
    assert judge(PLAIN, write(tmp_path / "met", met, scenarios=asked)).outcome == "holds"
    calm = write(tmp_path / "calm", [run(1, touched={"rule": 0})], scenarios=asked)
    seen = outcomes(judge(PLAIN, calm), kind="situations")
    assert seen == {"rule": "inconclusive never_touched", "order_expired": "inconclusive never_met"}
    path = tmp_path / "met"
    assert judge(PLAIN + "sometimes: [make_good_fired]\n", path).outcome == "inconclusive"
    assert outcomes(judge(PLAIN + "due: all\n", path), kind="situations")["K-03"] == "inconclusive never_due"


def test_scenarios_and_designs_that_were_not_run_are_missed(tmp_path: Path) -> None:
    """A storm that somebody left out is not a storm that was weathered."""
    path = write(tmp_path / "r", [run(1)])
    missed = outcomes(judge("schema: 1\nscenarios: library\n", path), kind="runs")
    assert missed == {"calm_trade": "holds ran", "callback_late": "inconclusive not_run"}
    assert judge("schema: 1\nscenarios: [calm_trade]\n", path).outcome == "holds"
    assert judge(PLAIN + "designs: {naive: {}}\n", path).exit_code == Exit.INCONCLUSIVE


def test_an_unfinished_campaign_is_not_proven_until_it_is_finished(tmp_path: Path) -> None:
    """What was asked for and not made is counted, over all directories together."""
    first = write(tmp_path / "a", [run(1), run(2)], seeds=range(1, 5))
    decision = judge(PLAIN, first)
    assert decision.exit_code == Exit.INCONCLUSIVE
    assert decision.of("inconclusive")[0].data == {"count": 2, "runs": 2}
    rest = write(tmp_path / "b", [run(3), run(4)])
    assert judge(PLAIN, first, rest).outcome == "holds"


def test_a_retry_adds_evidence_and_takes_none_away(tmp_path: Path) -> None:
    """A violation seen once stays; the same run twice is one run; new runs count."""
    first = write(tmp_path / "a", [run(seed, violated=("I-09",) if seed == 5 else ()) for seed in range(200)])
    retry = write(tmp_path / "b", [run(seed) for seed in range(200, 300)])
    assert judge(PLAIN, first, retry).outcome == judge(PLAIN, retry, first).outcome == "violated"
    clean = write(tmp_path / "c", [run(seed) for seed in range(200)])
    assert joined(clean, retry).runs == 300
    assert judge(ONE_PERCENT, clean).outcome == "inconclusive"
    assert judge(ONE_PERCENT, clean, retry).outcome == "holds"
    again = write(tmp_path / "d", [run(seed) for seed in range(150)])
    assert joined(clean, again, clean).runs == 200
    assert judge(ONE_PERCENT, clean, again, clean).outcome == "inconclusive"


def test_times_and_money_of_a_run_seen_twice_count_once(tmp_path: Path) -> None:
    """Otherwise a repeated lucky run would outweigh the others."""
    first, second = write(tmp_path / "a", [run(1), run(2)]), write(tmp_path / "b", [run(2), run(3)])
    cell = joined(first, second).cells["calm_trade", "resilient"]
    assert (sum(cell.click_to_card.values()), cell.captured_fen) == (6, 30_000)


def test_the_same_run_that_came_out_differently_breaks_the_gate(tmp_path: Path) -> None:
    """Same code, same case, another digest: then no run can be trusted; its violation stays all the same."""
    first = write(tmp_path / "a", [run(1), run(2, violated=("I-02",))])
    other = write(tmp_path / "b", [run(1), run(2, digest="other")])
    for order in ((first, other), (other, first)):
        decision = judge(PLAIN, *order)
        assert decision.exit_code == Exit.BROKEN
        assert outcomes(decision, kind="runs")["calm_trade"] == "broken differs"
        assert outcomes(decision, kind="holds")["I-02"] == "violated violated"


def test_a_run_that_broke_counts_once_it_came_to_its_end(tmp_path: Path) -> None:
    """A machine may hang; the retry is the evidence, and the summary says so."""
    first = write(tmp_path / "a", [run(1), run(2, outcome="broken", error="hung")])
    retry = write(tmp_path / "b", [run(2)])
    for order in ((first, retry), (retry, first)):
        decision = judge(PLAIN, *order)
        assert decision.outcome == "holds"
        assert outcomes(decision, kind="runs")["calm_trade"] == "holds ran_again"


def test_a_saved_plan_that_fails_stops_the_release_but_is_no_sample(tmp_path: Path) -> None:
    """Plans of earlier failures were chosen, so they say nothing about rates; what they break is broken."""
    path = write(tmp_path / "r", [run(seed) for seed in range(299)])
    (path / "corpus.jsonl").write_bytes(
        msgspec.json.encode(run(12, violated=("I-01",), failure="kept-1")) + b"\n"
    )
    decision = judge(ONE_PERCENT, path)
    (check,) = decision.of("violated")
    assert (check.name, check.words, check.data["runs"]) == ("I-01", "violated_by_saved", 299)
    assert check.replay == (str(path.resolve() / "failures" / "kept-1"),)


@pytest.mark.parametrize(
    ("versions", "message"),
    [
        ({"dingfeng": "0.1.0", "code": "0ther"}, "other code"),
        ({"dingfeng": "0.2.0", "code": "c0de"}, "other code"),
    ],
)
def test_results_of_other_code_cannot_be_joined(
    tmp_path: Path, versions: dict[str, str], message: str
) -> None:
    """A retry of another candidate would be evidence of another candidate."""
    first, other = write(tmp_path / "a", [run(1)]), write(tmp_path / "b", [run(2)], versions=versions)
    with pytest.raises(ResultsError, match=message):
        joined(first, other)


def test_results_of_another_scenario_by_the_same_name_cannot_be_joined(tmp_path: Path) -> None:
    """The name is not the storm."""
    first = write(tmp_path / "a", [run(1)])
    other = write(tmp_path / "b", [run(2)], scenarios={"calm_trade": scenario("calm_trade", "order_expired")})
    with pytest.raises(ResultsError, match="scenario calm_trade is not the same"):
        joined(first, other)


def test_results_of_two_worlds_cannot_be_joined(tmp_path: Path) -> None:
    """A run on real parts is no run more in the simulated world."""
    first, other = write(tmp_path / "a", [run(1)]), write(tmp_path / "b", [run(2)], world="live")
    with pytest.raises(ResultsError, match=r"the other world \(live\)"):
        joined(first, other)


def test_a_run_on_real_parts_is_run_again_on_real_parts(tmp_path: Path) -> None:
    """What the gate prints to be typed again leads back to where the failure was seen."""
    evidence = joined(write(tmp_path / "a", [run(2)], world="live"))
    token = evidence.cells["calm_trade", "resilient"].token(2)
    assert replay_command(token) == "dingfeng live calm_trade -d resilient --seed 2"


def test_runs_that_no_campaign_asked_for_are_foreign(tmp_path: Path) -> None:
    """A line of another scenario, design or seed did not come from this campaign."""
    for number, one in enumerate((run(1, "own_storm"), run(1, design="naive"), run(9))):
        path = write(tmp_path / str(number), [run(1), one], seeds=[1], scenarios={"calm_trade": scenario("calm_trade")},
                     designs=("resilient",))  # fmt: skip
        with pytest.raises(ResultsError, match=r"runs\.jsonl:2"):
            joined(path)


def test_a_certificate_that_is_required_must_be_there_deep_enough_and_clean(tmp_path: Path) -> None:
    """Missing or too shallow is not proven; one with violations stops; whether or not it was asked for."""
    path = write(tmp_path / "r", [run(1)])
    policy = PLAIN + "certificates: [{workload: card, design: resilient, k: 2}]\n"
    assert judge(policy, path).exit_code == Exit.INCONCLUSIVE
    deep = certificate(tmp_path / "deep.json", k=3)
    assert judge(policy, path, given=(deep,)).outcome == "holds"
    shallow = certificate(tmp_path / "shallow.json", k=1)
    assert judge(policy, path, given=(shallow,)).outcome == "inconclusive"
    other = certificate(tmp_path / "other.json", workload="topup")
    assert judge(policy, path, given=(other,)).outcome == "inconclusive"
    bad = certificate(tmp_path / "bad.json", violated={"I-01": 3})
    assert judge(PLAIN, path, given=(bad,)).exit_code == Exit.VIOLATED
    doubtful = certificate(tmp_path / "doubtful.json", unknown={"I-01": 1})
    assert judge(policy, path, given=(doubtful,)).exit_code == Exit.INCONCLUSIVE


def test_a_certificate_of_few_faults_is_no_full_one(tmp_path: Path) -> None:
    """By default the usual faults must have been tried, all in one sweep; the policy may ask for others."""
    path = write(tmp_path / "r", [run(1)])
    asked = PLAIN + "certificates: [{{workload: card, design: resilient, k: 2, faults: {0}}}]\n"
    narrow = certificate(tmp_path / "narrow.json", faults=["link.loss_before"], k=3)
    rest = certificate(tmp_path / "rest.json", faults=["node.crash", "supplier.slow"])
    full = certificate(tmp_path / "full.json")
    decision = judge(asked.format("default"), path, given=(narrow, rest))
    assert decision.exit_code == Exit.INCONCLUSIVE
    (check,) = [check for check in decision.checks if check.kind == "certificates"]
    assert (check.words, check.data["names"]) == ("too_narrow", ["node.crash"])
    assert "left out faults that the policy asks for: node.crash" in Sentences("en").reason(check)
    assert judge(asked.format("default"), path, given=(narrow, full)).outcome == "holds"
    assert judge(asked.format("[link.loss_before]"), path, given=(narrow,)).outcome == "holds"
    assert judge(asked.format("['link.*']"), path, given=(full,)).outcome == "inconclusive"
    wide = certificate(tmp_path / "wide.json", faults=list(KNOWN.faults))
    assert judge(asked.format("['*']"), path, given=(wide,)).outcome == "holds"
    shallow = certificate(tmp_path / "shallow.json", k=1)
    checks = outcomes(judge(asked.format("default"), path, given=(shallow,)), kind="certificates")
    assert checks == {"card × resilient, k = 2": "inconclusive too_shallow"}


def test_a_certificate_of_a_changed_journey_is_wrong_input(tmp_path: Path) -> None:
    """A file of one's own that says `name: card_order` must not answer for the shipped one."""
    path = write(tmp_path / "r", [run(1)])
    with pytest.raises(ResultsError, match="another card_order than the one that dingfeng has"):
        judge(PLAIN, path, given=(certificate(tmp_path / "c.json", workload="card_order"),))
    shipped = workload_digest(load("card_order"))
    real = certificate(tmp_path / "r.json", workload="card_order", workload_digest=shipped)
    assert judge(PLAIN, path, given=(real,)).outcome == "holds"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": 2}, "no certificate of schema 1"),
        ({"versions": {"dingfeng": "0.1.0", "code": "0ld"}}, "certifies other code"),
        ({"versions": {"dingfeng": "9.9.9", "code": "c0de"}}, "certifies other code"),
    ],
)
def test_a_certificate_of_anything_else_is_wrong_input(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    """Another schema or other code: it says nothing of this candidate."""
    path = write(tmp_path / "r", [run(1)])
    with pytest.raises(ResultsError, match=message):
        judge(PLAIN, path, given=(certificate(tmp_path / "c.json", **changes),))


def test_a_certificate_that_was_changed_is_wrong_input(tmp_path: Path) -> None:
    """The seal is over everything in it, so a violation cannot be edited away."""
    path = write(tmp_path / "r", [run(1)])
    file = certificate(tmp_path / "c.json", violated={"I-01": 3})
    file.write_text(file.read_text("utf-8").replace('"I-01": 3', '"I-01": 0'), "utf-8")
    with pytest.raises(ResultsError, match="not what was sealed"):
        judge(PLAIN, path, given=(file,))


def test_times_of_orders_that_never_got_there_are_infinite(tmp_path: Path) -> None:
    """Dropping orders must not make a platform look fast."""
    lost = Measures(
        paid_orders=2, open_orders=1, undelivered=1, click_to_card={1_000_000: 1}, time_to_settle={5: 1}
    )
    path = write(tmp_path / "r", [run(seed, measures=lost) for seed in range(100)])
    decision = judge(PLAIN + "limits: [{click_to_card: {p95: 5min}, time_to_settle: {max: 1h}}]\n", path)
    assert outcomes(decision, kind="limits") == {
        "click_to_card p95": "violated percentile_never",
        "time_to_settle max": "violated slowest",
    }
    assert decision.of("violated")[0].replay == ("calm_trade:resilient:0",)
