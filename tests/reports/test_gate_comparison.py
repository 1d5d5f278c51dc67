"""The candidate against a baseline: worse needs both significance and effect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chaos.measures import Measures
from chaos.tally import Exit
from reports.gate.check import Check
from tests.reports.gates import S, both, compare, judge, outcomes, run, scenario, took, write

PLAIN = "schema: 1\n"


def test_slower_by_enough_and_surely_is_worse(tmp_path: Path) -> None:
    """A fifth slower in every pair: significant, and more than the tenth that matters."""
    pair = both(
        tmp_path,
        lambda s: run(s, measures=took((24 + s % 7) * S)),
        lambda s: run(s, measures=took((20 + s % 7) * S)),
    )
    assert compare(*pair)["click_to_card"] == "violated times_worse"
    assert (
        compare(*pair, "{click_to_card: 0.5, time_to_settle: 0.5}")["click_to_card"] == "holds times_no_worse"
    )
    assert compare(pair[1], pair[0])["click_to_card"] == "holds times_no_worse"


def test_slower_by_chance_is_not_worse(tmp_path: Path) -> None:
    """A large effect without significance: two of forty pairs, one of them by an hour."""
    late = {3: 3600 * S, 9: 21 * S}
    pair = both(
        tmp_path, lambda s: run(s, measures=took(late.get(s, 20 * S))), lambda s: run(s, measures=took())
    )
    assert compare(*pair)["time_to_settle"] == "holds times_no_worse"


def test_surely_but_hardly_slower_is_not_worse(tmp_path: Path) -> None:
    """Significance without effect: 1% slower in every pair."""
    pair = both(tmp_path, lambda s: run(s, measures=took(20_200_000)), lambda s: run(s, measures=took()))
    assert compare(*pair)["time_to_settle"] == "holds times_no_worse"


def test_a_claim_violated_more_often_than_before_is_worse(tmp_path: Path) -> None:
    """Paired: only seeds that came out differently speak. Ten new against none is not chance, two are."""

    def broken(count: int) -> Any:
        return lambda s: run(s, violated=("I-02",) if s < count else ())

    policy = PLAIN + "designs: {resilient: {tolerated: [{name: I-02, why: known}]}}\n"
    for count, expected in ((10, "violated rate_worse"), (2, "holds rate_no_worse")):
        new, old = both(tmp_path / str(count), broken(count), run)
        decision = judge(policy, new, baseline=(old,))
        assert outcomes(decision, kind="baseline")["I-02"] == expected
    same, before = both(tmp_path / "same", broken(10), broken(10))
    assert "I-02" not in outcomes(judge(policy, same, baseline=(before,)), kind="baseline")


def test_many_comparisons_do_not_make_an_alarm(tmp_path: Path) -> None:
    """Of a family of comparisons in which nothing changed but by luck, none may be called worse alone."""
    names = [f"I-{number:02d}" for number in (1, 2, 9)]
    lucky = {names[0]: 5}  # 5 of 5 changed pairs for the worse: p = 0.031 by itself
    new, old = both(tmp_path, lambda s: run(s, violated=tuple(n for n in names if s < lucky.get(n, 0))), run)
    tolerated = ", ".join(f"{{name: {name}, why: known}}" for name in names)
    policy = PLAIN + f"designs: {{resilient: {{tolerated: [{tolerated}]}}}}\n"
    assert outcomes(judge(policy, new, baseline=(old,)), kind="baseline")["I-01"] == "holds rate_no_worse"


def test_too_few_pairs_another_scenario_or_no_baseline_say_nothing(tmp_path: Path) -> None:
    """What cannot be compared is not proven."""
    few = both(tmp_path / "few", run, run, pairs=19)
    assert compare(*few) == {"calm_trade": "inconclusive few_pairs"}
    new, _ = both(tmp_path / "new", run, run)
    other = write(
        tmp_path / "other",
        [run(s) for s in range(40)],
        scenarios={"calm_trade": scenario("calm_trade", "order_expired")},
    )
    assert compare(new, other) == {"calm_trade": "inconclusive scenario_changed"}
    assert judge(PLAIN + "baseline: {required: true}\n", new).exit_code == Exit.INCONCLUSIVE
    assert judge(PLAIN, new).exit_code == Exit.HOLDS


def compared(tmp_path: Path, new: Any, old: Any, *, policy: str = "", pairs: int = 40) -> dict[str, Check]:
    """The comparison's checks by name, I-01 and I-02 tolerated so that nothing else stops the gate."""
    known = "designs: {resilient: {tolerated: [{name: I-01, why: known}, {name: I-02, why: known}]}}\n"
    candidate, baseline = both(tmp_path, new, old, pairs)
    decision = judge(PLAIN + known + policy, candidate, baseline=(baseline,))
    return {check.name: check for check in decision.checks if check.kind == "baseline"}


def test_as_many_for_the_worse_as_for_the_better_is_not_worse(tmp_path: Path) -> None:
    """Ten seeds broke that held before, ten hold that broke before."""
    check = compared(
        tmp_path,
        lambda s: run(s, violated=("I-02",) if s < 10 else ()),
        lambda s: run(s, violated=("I-02",) if s >= 30 else ()),
    )["I-02"]
    assert (check.outcome, check.data["worse"], check.data["better"]) == ("holds", 10, 10)
    assert (check.data["effect"], check.data["p"] > 0.5) == (0, True)


def test_the_effect_is_what_is_left_when_better_and_worse_are_set_off(tmp_path: Path) -> None:
    """Fourteen worse, two better, of forty."""
    check = compared(
        tmp_path,
        lambda s: run(s, violated=("I-02",) if s < 14 else ()),
        lambda s: run(s, violated=("I-02",) if s >= 38 else ()),
    )["I-02"]
    assert (check.outcome, check.data["effect"], check.data["pairs"]) == ("violated", 0.3, 40)
    assert check.replay == ("calm_trade:resilient:0",)
    assert check.data["least"] == 0.01


def test_a_claim_that_only_got_better_is_not_worse(tmp_path: Path) -> None:
    """Forty broke it before, none does now."""
    check = compared(tmp_path, run, lambda s: run(s, violated=("I-02",)))["I-02"]
    assert (check.outcome, check.replay, check.data["effect"]) == ("holds", (), -1)


def test_only_claims_that_must_hold_are_compared(tmp_path: Path) -> None:
    """A design that need not keep I-02 may break it more often."""
    new, old = both(tmp_path, lambda s: run(s, violated=("I-02",)), run)
    policy = PLAIN + "designs: {resilient: {holds: [I-01]}}\n"
    assert "I-02" not in outcomes(judge(policy, new, baseline=(old,)), kind="baseline")


def test_from_nothing_to_something_is_worse_than_any_share(tmp_path: Path) -> None:
    """Compensations cost nothing before; a policy that allows the tenfold does not allow this."""
    new, old = (
        (lambda s: run(s, measures=took(compensation_fen=100 + s))),
        (lambda s: run(s, measures=took())),
    )
    found = compared(tmp_path / "a", new, old, policy="baseline: {compensation: 10}\n")["compensation"]
    assert (found.outcome, found.words, found.data["effect"]) == ("violated", "fen_worse", 1e9)
    still = compared(tmp_path / "b", old, old)["compensation"]
    assert (still.outcome, still.words, still.data["effect"]) == ("holds", "fen_no_worse", 0)
    gone = compared(tmp_path / "c", old, new)["compensation"]
    assert (gone.outcome, gone.data["effect"]) == ("holds", -1)


def test_the_replay_line_leads_to_the_run_that_got_worse_the_most(tmp_path: Path) -> None:
    """Not to the slowest: it had been as slow before."""
    found = compared(
        tmp_path,
        lambda s: run(s, measures=took({7: 60 * S, 3: 100 * S}.get(s, 30 * S))),
        lambda s: run(s, measures=took({3: 95 * S}.get(s, 20 * S))),
    )["click_to_card"]
    assert (found.outcome, found.words, found.replay) == (
        "violated",
        "times_worse",
        ("calm_trade:resilient:7",),
    )


def test_an_effect_of_exactly_what_matters_matters_and_no_effect_never_does(tmp_path: Path) -> None:
    """A tenth slower where a tenth is what counts; nothing at all where nothing is what counts."""
    tenth = compared(
        tmp_path / "a", lambda s: run(s, measures=took(22 * S)), lambda s: run(s, measures=took(20 * S))
    )["click_to_card"]
    assert (tenth.outcome, tenth.data["effect"], tenth.data["least"]) == ("violated", 0.1, 0.1)
    none = "baseline: {click_to_card: 0, time_to_settle: 0, money_at_risk: 0, compensation: 0}\n"
    same = compared(
        tmp_path / "b", lambda s: run(s, measures=took()), lambda s: run(s, measures=took()), policy=none
    )
    assert {check.outcome for check in same.values()} == {"holds"}


def test_a_great_effect_that_one_run_alone_had_is_chance(tmp_path: Path) -> None:
    """Half of the others were a little faster."""
    found = compared(
        tmp_path,
        lambda s: run(s, measures=took(3600 * S if s == 3 else (19 if s % 2 else 20) * S)),
        lambda s: run(s, measures=took(20 * S)),
    )["click_to_card"]
    assert (found.outcome, found.data["effect"] > 1, found.data["p"] > 0.5) == ("holds", True, True)


def test_only_seeds_and_runs_that_both_sides_measured_are_pairs(tmp_path: Path) -> None:
    """Fifty seeds against forty; and a storm in which nobody bought has no time to a card."""
    new = write(tmp_path / "new", [run(seed) for seed in range(50)])
    old = write(tmp_path / "old", [run(seed) for seed in range(40)], versions={"code": "0ld"})
    decision = judge(PLAIN, new, baseline=(old,))
    assert {check.data["pairs"] for check in decision.checks if check.kind == "baseline"} == {40}
    empty = Measures()
    for pair in ((empty, took()), (took(), empty)):
        made = compared(
            tmp_path / f"empty{pair[0] is empty}",
            lambda s, pair=pair: run(s, measures=pair[0] if s > 25 else took()),
            lambda s, pair=pair: run(s, measures=pair[1] if s > 25 else took()),
        )
        assert made["click_to_card"].data["pairs"] == 26
        assert made["money_at_risk"].data["pairs"] == 40


def test_a_measure_that_too_few_pairs_have_is_not_compared(tmp_path: Path) -> None:
    """Nineteen of forty storms sold anything; twenty are needed, and twenty are enough."""
    for sold, there in ((19, False), (20, True)):
        made = compared(
            tmp_path / str(sold),
            lambda s, sold=sold: run(s, measures=took() if s < sold else Measures()),
            lambda s, sold=sold: run(s, measures=took() if s < sold else Measures()),
        )
        assert ("click_to_card" in made) == there


def test_a_scenario_that_the_baseline_did_not_run_is_said(tmp_path: Path) -> None:
    """No pair of it, and how many there should be."""
    new = write(tmp_path / "new", [run(seed) for seed in range(20)])
    old = write(
        tmp_path / "old", [run(seed, "callback_late") for seed in range(20)], versions={"code": "0ld"}
    )
    (check,) = [check for check in judge(PLAIN, new, baseline=(old,)).checks if check.kind == "baseline"]
    assert (check.outcome, check.words, check.data) == (
        "inconclusive",
        "few_pairs",
        {"pairs": 0, "needed": 20},
    )


def test_twenty_pairs_are_enough(tmp_path: Path) -> None:
    """The number that the policy asks for, not one more."""
    assert "few_pairs" not in str(compare(*both(tmp_path, run, run, pairs=20)))


def test_a_baseline_that_is_required_and_missing_is_named(tmp_path: Path) -> None:
    """The gate says what it lacks."""
    decision = judge(PLAIN + "baseline: {required: true}\n", write(tmp_path / "new", [run(1)]))
    assert outcomes(decision, kind="baseline") == {"baseline": "inconclusive no_baseline"}
