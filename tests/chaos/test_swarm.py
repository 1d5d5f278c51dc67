"""Swarm: what a seed makes of a scenario, and what a hunt makes of many seeds."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from chaos import swarm, swarm_settings
from chaos.checkers.verdict import Kind
from chaos.hunt import Budget, hunt
from chaos.replay import Recorded
from chaos.results import Results
from chaos.run import run
from chaos.tally import replay_token
from chaos.worker import dump
from reference_platform.topup import ASK_AFTER_US
from scenarios import durations, loading
from scenarios.checking import problems
from scenarios.faults import FAULTS
from scenarios.model import Scenario

SEEDS = range(1, 120)
LIBRARY = loading.library()


def widest() -> Scenario:
    return swarm.pool()


@pytest.mark.parametrize("name", [*LIBRARY, swarm.HUNT])
def test_a_variation_is_a_valid_scenario(name: str) -> None:
    """It loads again from its own text and names no place that is not there."""
    scenario = widest() if name == swarm.HUNT else loading.load(name)
    for seed in range(1, 25):
        varied = swarm.vary(scenario, seed)
        assert Scenario.model_validate(dump(varied)) == varied
        assert not [problem for problem in problems(varied) if problem.place[0] == "faults"]
        assert varied.workload.products
        assert varied.workload.pay_with


def test_a_seed_makes_the_same_storm_every_time() -> None:
    """It is a function of scenario and seed; different seeds differ."""
    storms = [swarm.vary(widest(), seed) for seed in SEEDS]
    assert storms == [swarm.vary(widest(), seed) for seed in SEEDS]
    assert len({storm.model_dump_json() for storm in storms}) == len(storms)


def is_of_many(storm: Scenario) -> bool:
    return len(storm.faults) > 6


def test_no_storm_is_without_a_fault() -> None:
    """Few rules: each is on in about half of the storms."""
    few = loading.load("node_crash_around_commit")
    on: Counter[int] = Counter()
    for seed in SEEDS:
        kept = swarm.vary(few, seed).faults
        assert kept
        on.update([len(kept)])
    assert len(on) > 1


def test_a_hunt_has_storms_of_a_few_faults_and_storms_of_many_that_are_seldom() -> None:
    """One to six with all their force, or half of those that the shop has a place for, each at one chance in twenty."""
    rules = widest().faults
    met: Counter[str] = Counter()
    for seed in SEEDS:
        numbers, storm = swarm._drawn(widest(), seed)
        if not is_of_many(storm):
            assert storm.faults
            met["few"] += 1
            continue
        met["many"] += 1
        assert len(storm.faults) < 0.7 * len(rules)
        written = [rules[number].model_copy(update={"probability": 0.05}) for number in numbers]
        assert list(storm.faults) == written
    assert min(met.values()) > len(SEEDS) / 3


def test_only_hunts_have_storms_of_many() -> None:
    """Whoever writes a scenario with a hundred faults gets a few of them in each varied run."""
    written = widest().model_copy(update={"name": "somebodys_own"})
    assert not any(is_of_many(swarm.vary(written, seed)) for seed in SEEDS)


def test_a_storm_of_a_few_has_one_intensity() -> None:
    """Whatever strikes by chance is likelier, or rarer, or as written: all of a storm alike."""
    met = set()
    for seed in SEEDS:
        numbers, storm = swarm._drawn(widest(), seed)
        if is_of_many(storm):
            continue
        changed = {
            (rule.probability > written.probability) - (rule.probability < written.probability)
            for rule, written in zip(storm.faults, (widest().faults[at] for at in numbers), strict=True)
            if not rule.window and written.probability < 1
        }
        assert len(changed) <= 1
        met |= changed
    assert met == {-1, 0, 1}


def test_a_suppliers_query_lags_past_the_first_time_it_is_asked() -> None:
    """A shorter lag is over before anybody looks: then the rule strikes, and no storm is any different."""
    lags = [rule.params()["lag_us"] for rule in swarm.pool().faults if rule.fault == "supplier.not_found_lag"]
    assert lags
    assert min(lags) > ASK_AFTER_US


def test_no_seed_makes_a_counterparty_break_its_contract() -> None:
    """Longer by the storm's intensity, but not beyond what is covered; what was written longer stays as it is."""
    written = Scenario.model_validate(
        {
            **dump(loading.load("supplier_not_found_yet")),
            "faults": [
                {"fault": "supplier.not_found_lag", "lag": "6min"},
                {"fault": "channel.query_lag", "lag": "7min"},
                {"fault": "supplier.slow", "delay": "6min"},
            ],
        }
    )
    met: dict[str, set[str]] = {}
    for seed in SEEDS:
        for rule in swarm.vary(written, seed).faults:
            (value,) = rule.params().values()
            met.setdefault(rule.fault, set()).add(durations.render(value))
    assert met == {
        "supplier.not_found_lag": {"1min 12s", "6min", "9min 30s"},
        "channel.query_lag": {"1min 24s", "7min"},
        "supplier.slow": {"1min 12s", "6min", "18min"},
    }


def test_settings_are_production_tiny_or_huge() -> None:
    """Each of the three is met; what a scenario has chosen itself stays."""
    storms = [swarm.vary(widest(), seed) for seed in SEEDS]
    assert {storm.knobs.pool_size for storm in storms} == {None, 2, 64}
    assert {storm.knobs.nodes for storm in storms} == {None, 1, 4}
    assert len({storm.timing.expiry for storm in storms}) == 3
    chosen = widest().model_copy(update={"knobs": widest().knobs.model_copy(update={"nodes": 3})})
    assert {swarm.vary(chosen, seed).knobs.nodes for seed in SEEDS} == {3}


def test_a_hunt_also_turns_what_makes_orders_meet() -> None:
    """A slow database, wallets that cover one order of the dearest goods, everybody within a twentieth of a second."""
    written = widest()
    storms = [swarm.vary(written, seed) for seed in SEEDS]
    assert {storm.speeds.statement for storm in storms} == {500, 100, swarm_settings.SLOW_US}
    assert all(storm.speeds.commit == storm.speeds.statement for storm in storms)
    spans = {durations.render(storm.workload.arrivals.within) for storm in storms}  # type: ignore[union-attr]
    assert spans == {"2min", "50ms"}
    by_wallet = {storm.workload.wallet_fen for storm in storms}
    assert {written.workload.wallet_fen, 10 * written.workload.wallet_fen} < by_wallet
    for storm in storms:
        dearest_fen = max(product.price_fen for product in storm.workload.products)
        assert storm.workload.wallet_fen in {dearest_fen, 20_000, 200_000}


def test_what_makes_orders_meet_is_a_scenarios_own_business() -> None:
    """Its speeds and wallets belong to its story; a rush is a rush, not a stampede."""
    written = loading.load("wallet_rush")
    for seed in SEEDS:
        storm = swarm.vary(written, seed)
        assert (storm.speeds, storm.workload.wallet_fen) == (written.speeds, written.workload.wallet_fen)
        assert storm.workload.arrivals == written.workload.arrivals


def test_odd_seeds_blow_the_storm_as_written() -> None:
    """So expectations and `sometimes` go on speaking of the file; `swarm: false` keeps all seeds to it."""
    scenario = loading.load("callback_late")
    assert swarm.of_seed(scenario, 7) is scenario
    assert swarm.of_seed(scenario, 8) == swarm.vary(scenario, 8) != scenario
    plain = scenario.model_copy(update={"swarm": False})
    assert swarm.of_seed(plain, 8) is plain
    assert swarm.is_varied(widest(), 7)


def test_what_faults_touched_is_told_by_the_rules_as_written() -> None:
    """A rule that was left out is not counted as one that touched nothing."""
    scenario = loading.load("node_crash_around_commit")
    names = [f"{index}/{rule.fault}/{rule.where()}" for index, rule in enumerate(scenario.faults)]
    for seed in range(2, 20, 2):
        result = swarm.run_seed(scenario, "resilient", seed)
        assert set(result.touched) <= set(names)
        assert len(result.touched) == len(result.scenario.faults)


def test_a_varied_run_is_the_run_of_the_variation() -> None:
    """Nothing hides in the runner: the scenario in the result, run by itself, gives the same history."""
    result = swarm.run_seed(loading.load("callback_late"), "naive", 6)
    assert run(result.scenario, "naive", 6).digest == result.digest


def test_a_token_says_when_a_varying_seed_did_not_vary() -> None:
    """Only then; every other token is as short as it was."""
    assert replay_token("a", "naive", 4, swarm=True) == "a:naive:4"
    assert replay_token("a", "naive", 4, swarm=False) == "a:naive:4:plain"
    assert replay_token("a", "naive", 5, swarm=False) == "a:naive:5"


def test_the_pool_holds_the_whole_vocabulary() -> None:
    """A fault that is not in it can never be hunted with."""
    assert {rule.fault for rule in widest().faults} == set(FAULTS)
    assert not list(problems(widest()))


def test_the_pool_doubles_no_submit_to_a_supplier() -> None:
    """After a failure the number is free again: the copy opens a second order, and nobody could prevent it."""
    suppliers = widest().workload.suppliers()
    doubled = [rule.where() for rule in widest().faults if rule.fault == "link.duplicate"]
    assert doubled
    assert not [where for where in doubled if where.endswith(suppliers)]


def test_a_hunt_finds_a_planted_bug_and_keeps_the_storm(tmp_path: Path) -> None:
    """It stops at the first violation; what it kept runs again, by token and by plan."""
    out = tmp_path / "hunt"
    found = hunt("planted.thanks_before_commit", Budget(runs=50), out)
    assert [kind.invariant for kind in found.finds[0].kinds] == ["I-24"]
    seed = found.finds[0].seed
    assert found.finds[0].replay == f"hunt:planted.thanks_before_commit:{seed}"
    kept = Recorded.read(out / "failures" / f"hunt-planted.thanks_before_commit-{seed}")
    assert kept.scenario == swarm.vary(swarm.pool(), seed)
    assert kept.run().digest == kept.digest
    assert (found.campaign.exit_code, found.next_seed) == (1, seed + 1)


def test_a_hunt_for_all_tells_each_kind_once(tmp_path: Path) -> None:
    """The same invariant, sentence and entity is the same find, however often it is met."""
    found = hunt("naive", Budget(runs=25, all=True), tmp_path / "hunt")
    kinds: Counter[Kind] = Counter(kind for find in found.finds for kind in find.kinds)
    assert len(kinds) > 5
    assert set(kinds.values()) == {1}
    assert found.runs == 25
    assert found.campaign.behaviours == len({run.behaviour for run in Results(tmp_path / "hunt").runs()})


def test_a_hunt_for_one_invariant_passes_over_all_others(tmp_path: Path) -> None:
    """naive breaks I-01 long before it breaks what is asked for."""
    found = hunt("naive", Budget(runs=200), tmp_path / "hunt", only=["I-23"])
    assert {kind.invariant for find in found.finds for kind in find.kinds} == {"I-23"}


def test_a_hunt_ends_with_its_time(tmp_path: Path) -> None:
    """And says where another one goes on."""
    found = hunt("resilient", Budget(first=500, minutes=0.01), tmp_path / "hunt")
    assert not found.finds
    assert found.campaign.stopped == "stopped after 0.6 s"
    assert found.next_seed == 500 + found.runs
