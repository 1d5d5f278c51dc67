"""Limits on time and money, and the comparison with a baseline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chaos.measures import Measures
from chaos.tally import Exit
from reports.gate import quantiles
from reports.gate.strength import bounds, needed, outcome
from tests.reports.gates import judge, outcomes, run, scenario, write

PLAIN = "schema: 1\n"

@pytest.mark.parametrize(
    ("slow", "orders", "expected"),
    [
        (0, 59, "holds"),
        (0, 58, "inconclusive"),
        (5, 100, "inconclusive"),
        (20, 100, "violated"),
        (1, 400, "holds"),
    ],
)
def test_a_percentile_is_a_rate_with_exact_bounds(
    tmp_path: Path, slow: int, orders: int, expected: str
) -> None:
    """p95 below a minute says that fewer than 5% are slower, which takes 59 fast orders to say at 95%."""
    runs = [run(seed, measures=took(300 * S if seed < slow else 20 * S)) for seed in range(orders)]
    decision = judge(PLAIN + "limits: [{click_to_card: {p95: 1min}}]\n", write(tmp_path / "r", runs))
    assert decision.outcome == expected


def test_no_order_may_be_slower_than_the_maximum(tmp_path: Path) -> None:
    """One is enough, and the run to look at is the one with the slowest order."""
    runs = [run(seed, measures=took(100 * S if seed == 3 else 20 * S)) for seed in range(9)]
    path = write(tmp_path / "r", runs)
    assert judge(PLAIN + "limits: [{time_to_settle: {max: 100s}}]\n", path).outcome == "holds"
    (check,) = judge(PLAIN + "limits: [{time_to_settle: {max: 99s}}]\n", path).of("violated")
    assert (check.replay, check.data["slower"]) == (("calm_trade:resilient:3",), 1)


def test_money_at_risk_and_the_cost_of_compensations_have_limits(tmp_path: Path) -> None:
    """The worst run decides about money at risk, the sum of all about the cost."""
    runs = [run(1, measures=took(at_risk_peak_fen=500, compensation_fen=100)),
            run(2, measures=took(at_risk_peak_fen=900, at_risk_end_fen=7, compensation_fen=300))]  # fmt: skip
    path = write(tmp_path / "r", runs)
    good = "limits: [{money_at_risk_peak_fen: 900, money_at_risk_end_fen: 7, compensation_share: 2%}]\n"
    bad = "limits: [{money_at_risk_peak_fen: 899, money_at_risk_end_fen: 6, compensation_share: 1.9%}]\n"
    assert judge(PLAIN + good, path).outcome == "holds"
    violated = judge(PLAIN + bad, path).of("violated")
    assert {check.name for check in violated} == {
        "money_at_risk_peak",
        "money_at_risk_end",
        "compensation_share",
    }
    assert {check.replay for check in violated} == {("calm_trade:resilient:2",)}


def test_a_limit_applies_where_it_says(tmp_path: Path) -> None:
    """Some storms are slow by nature."""
    runs = [run(1, measures=took()), run(1, "callback_late", measures=took(900 * S))]
    path = write(tmp_path / "r", runs)
    limited = PLAIN + "limits: [{{scenarios: [{0}], time_to_settle: {{max: 1min}}}}]\n"
    assert judge(limited.format("calm_trade"), path).outcome == "holds"
    assert judge(limited.format("callback_late"), path).outcome == "violated"


def test_where_nothing_was_sold_or_delivered_no_limit_is_proven(tmp_path: Path) -> None:
    """Nothing measured is nothing shown."""
    path = write(tmp_path / "r", [run(1, measures=Measures())])
    decision = judge(PLAIN + "limits: [{click_to_card: {max: 1s}, compensation_share: 1%}]\n", path)
    assert set(outcomes(decision, kind="limits").values()) == {
        "inconclusive no_orders",
        "inconclusive nothing_sold",
    }


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


def test_bounds_are_exact() -> None:
    """Against values of the binomial distribution that can be written down: nothing of n, all of n, rule of three."""
    assert bounds(0, 10, 0.95).high == pytest.approx(1 - 0.05 ** (1 / 10))
    assert bounds(10, 10, 0.95).low == pytest.approx(0.05 ** (1 / 10))
    assert (bounds(0, 10, 0.95).low, bounds(10, 10, 0.95).high, bounds(0, 0, 0.95).high) == (0, 1, 1)
    found = bounds(3, 50, 0.95)
    # P(X >= 3) at the lower bound and P(X <= 3) at the upper one are both 5%.
    assert found.low < 3 / 50 < found.high
    assert sum(_binomial(50, k, found.high) for k in range(4)) == pytest.approx(0.05)
    assert 1 - sum(_binomial(50, k, found.low) for k in range(3)) == pytest.approx(0.05)


def _binomial(n: int, k: int, p: float) -> float:
    from math import comb

    return comb(n, k) * p**k * (1 - p) ** (n - k)


@pytest.mark.parametrize(
    ("failed", "rate", "confidence"), [(0, 0.01, 0.95), (0, 0.5, 0.95), (0, 0.001, 0.99), (2, 0.01, 0.95)]
)
def test_needed_is_the_smallest_number_that_suffices(failed: int, rate: float, confidence: float) -> None:
    """One run less would not do."""
    enough = needed(failed, rate, confidence)
    assert outcome(failed, 0, enough, rate, confidence) == "holds"
    assert outcome(failed, 0, enough - 1, rate, confidence) != "holds"


def test_what_is_doubtful_counts_against_both_sides() -> None:
    """It could have been a failure, so nothing is proven; it could have been none, so nobody is accused."""
    assert outcome(0, 0, 300, 0.01, 0.95) == "holds"
    assert outcome(0, 5, 300, 0.01, 0.95) == "inconclusive"
    assert outcome(0, 300, 300, 0.01, 0.95) == "inconclusive"


def test_percentiles_are_times_that_were_seen() -> None:
    """The nearest rank, with the orders that never got there at the far end."""
    times = {10: 50, 20: 45, 30: 5}
    assert [quantiles.at(share, times, 0, -1) for share in (0.5, 0.51, 0.95, 0.96)] == [10, 20, 20, 30]
    assert quantiles.at(0.99, times, 10, -1) == -1
    assert quantiles.at(0.5, {}, 0, -1) is None
    assert quantiles.slower(times, 2, 20) == 7
