"""Limits on time and money, and what a number of runs allows us to say."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.measures import Measures
from reports.gate import quantiles
from reports.gate.strength import bounds, needed, outcome
from tests.reports.gates import S, judge, outcomes, run, took, write

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


def test_each_percentile_allows_its_own_share_of_slow_orders(tmp_path: Path) -> None:
    """Forty of a hundred are slow: half may be, one in twenty may not, nor one in a hundred."""
    runs = [run(seed, measures=took(300 * S if seed < 40 else 20 * S)) for seed in range(100)]
    path = write(tmp_path / "r", runs)
    for name, expected in (("p50", "holds"), ("p95", "violated"), ("p99", "violated")):
        assert judge(PLAIN + f"limits: [{{click_to_card: {{{name}: 1min}}}}]\n", path).outcome == expected


def test_a_limit_that_holds_is_told_with_its_figures_and_without_a_replay_line(tmp_path: Path) -> None:
    """What was measured, against what, and how sure that is."""
    path = write(tmp_path / "r", [run(seed, measures=took(compensation_fen=50)) for seed in range(60)])
    decision = judge(
        PLAIN
        + "limits: [{click_to_card: {p95: 1min, max: 1h}, money_at_risk_peak_fen: 9, compensation_share: 2%}]\n",
        path,
    )
    checks = {check.name: check for check in decision.checks if check.kind == "limits"}
    assert {name: (check.outcome, check.words, check.replay) for name, check in checks.items()} == {
        "click_to_card p95": ("holds", "percentile", ()),
        "click_to_card max": ("holds", "slowest", ()),
        "money_at_risk_peak": ("holds", "money", ()),
        "compensation_share": ("holds", "share", ()),
    }
    p95 = checks["click_to_card p95"].data
    assert (p95["rate"], p95["confidence"], p95["needed"], p95["seen_us"]) == (0.05, 0.95, 59, 20 * S)
    assert p95["high"] == bounds(0, 60, 0.95).high
    share = checks["compensation_share"].data
    assert (share["cost_fen"], share["captured_fen"], share["share"]) == (3_000, 600_000, 0.005)


def test_a_percentile_that_is_not_proven_or_never_reached_says_so(tmp_path: Path) -> None:
    """Too few orders to say; more than the share was never delivered at all."""
    few = write(tmp_path / "few", [run(seed, measures=took()) for seed in range(5)])
    limit = PLAIN + "limits: [{click_to_card: {p95: 1min}}]\n"
    assert outcomes(judge(limit, few), kind="limits") == {
        "click_to_card p95": "inconclusive percentile_unproven"
    }
    never = write(
        tmp_path / "never", [run(s, measures=Measures(paid_orders=1, undelivered=1)) for s in range(60)]
    )
    assert outcomes(judge(limit, never), kind="limits") == {"click_to_card p95": "violated percentile_never"}


def test_compensations_where_nothing_was_sold_are_too_dear_at_any_share(tmp_path: Path) -> None:
    """A single fen is."""
    path = write(tmp_path / "r", [run(1, measures=took(captured_fen=0, compensation_fen=1))])
    assert outcomes(judge(PLAIN + "limits: [{compensation_share: 50%}]\n", path), kind="limits") == {
        "compensation_share": "violated nothing_sold"
    }


def test_a_limit_applies_to_the_designs_that_it_names_else_to_all_that_are_gated(tmp_path: Path) -> None:
    """The slow one is `naive`."""
    runs = [run(1, measures=took()), run(1, design="naive", measures=took(900 * S))]
    path = write(tmp_path / "r", runs)
    policy = (
        PLAIN + "designs: {{naive: {{}}, resilient: {{}}}}\nlimits: [{{{0}time_to_settle: {{max: 1min}}}}]\n"
    )
    assert judge(policy.format("designs: [resilient], "), path).outcome == "holds"
    assert judge(policy.format("designs: [naive], "), path).outcome == "violated"
    assert judge(policy.format(""), path).outcome == "violated"
