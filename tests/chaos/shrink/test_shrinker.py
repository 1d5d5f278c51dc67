"""Shrinking real failures: smaller, the same failure, within the budget, always the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from chaos.replay import Case
from chaos.run import RunResult
from chaos.shrink.shrinker import Shrunk, shrink
from chaos.shrink.signature import NothingToShrink
from chaos.shrink.trials import Standing
from scenarios import loading
from scenarios.checking import problems
from scenarios.model import Knobs
from scenarios.speeds import Speeds


def case(scenario: str, design: str, seed: int = 1) -> Case:
    return Case(loading.load(scenario), design, seed)


def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of all cases that are run from now on."""
    keys: list[str] = []
    real = Case.run

    def counted(self: Case) -> RunResult:
        keys.append(self.key())
        return real(self)

    monkeypatch.setattr(Case, "run", counted)
    return keys


@pytest.fixture(scope="module")
def doubled() -> Shrunk:
    return shrink(case("callback_doubled", "naive"))


def test_a_doubled_callback_comes_down_to_one_order_and_one_copy(doubled: Shrunk) -> None:
    """Eight orders and their doubled notices: one order whose notice comes once more, in a storm of production's settings."""
    after = doubled.after
    assert (doubled.before.orders, after.orders, after.faults) == (8, 1, 1)
    assert doubled.fixpoint
    assert [effect["copies"] for effect in (after.case.plan or {}).values()] == [1]
    workload = after.case.scenario.workload
    assert (workload.orders, workload.members, len(workload.products), after.case.keep) == (1, 1, 1, None)
    assert after.case.scenario.timing.safety < doubled.before.case.scenario.timing.safety
    assert after.case.scenario.faults[0].probability == 1.0


def test_the_shrunk_case_breaks_the_same_invariant_and_is_a_valid_scenario(doubled: Shrunk) -> None:
    """It replays to the same digest, and its scenario passes every check that a file must pass."""
    again = doubled.after.case.run()
    assert again.digest == doubled.after.result.digest
    assert doubled.signature.verdict(again.verdicts) is not None
    assert list(problems(doubled.after.case.scenario)) == []


def test_nothing_can_be_taken_from_a_fixpoint(doubled: Shrunk) -> None:
    """Without its one fault it no longer fails in that way; shrinking it again changes nothing."""
    calm = replace(doubled.after.case, plan={}).run()
    assert doubled.signature.verdict(calm.verdicts) is None
    again = shrink(doubled.after.case, invariant=doubled.signature.invariant)
    assert again.after.case.key() == doubled.after.case.key()


def test_the_same_case_shrinks_to_the_same_case(doubled: Shrunk) -> None:
    """No clock, no chance."""
    again = shrink(case("callback_doubled", "naive"))
    assert again.after.case.key() == doubled.after.case.key()
    assert again.runs == doubled.runs


@pytest.mark.parametrize("budget", [5, 12, 100])
def test_no_case_is_run_twice_and_the_budget_holds(monkeypatch: pytest.MonkeyPatch, budget: int) -> None:
    """Runs are what shrinking costs; three are left for the neighbours that pass."""
    keys = ran(monkeypatch)
    shrunk = shrink(case("callback_reordered_refund", "naive"), budget=budget)
    assert [key for key, times in Counter(keys).items() if times > 1] == []
    assert len(keys) == shrunk.runs <= budget - 3
    assert shrunk.fixpoint == (budget == 100)
    assert shrunk.after.orders <= shrunk.before.orders


def test_two_orders_are_kept_when_it_takes_two() -> None:
    """A card sold twice needs two buyers, out of three hundred."""
    shrunk = shrink(case("step_peak", "naive"))
    assert str(shrunk.signature) == "I-09 (card)"
    assert (shrunk.before.orders, shrunk.after.orders) == (300, 2)
    assert shrunk.runs <= 100


def test_an_event_that_a_crash_waits_for_is_followed_when_orders_go() -> None:
    """The crash at the second paid order becomes the crash at the first, once the other order is gone."""
    shrunk = shrink(case("node_crash_around_commit", "planted.work_kept_in_memory"))
    (rule,) = shrunk.after.case.scenario.faults
    assert (shrunk.after.orders, rule.on, rule.nth) == (1, "state.orders.paid", 1)


def test_knobs_go_back_to_production() -> None:
    """Settings that the failure does not need are dropped."""
    wanted = case("callback_doubled", "naive")
    knobs = {"knobs": Knobs(nodes=3, pool_size=4), "speeds": Speeds(statement=2_000)}
    shrunk = shrink(replace(wanted, scenario=wanted.scenario.model_copy(update=knobs)))
    assert (shrunk.after.case.scenario.knobs, shrunk.after.case.scenario.speeds) == (Knobs(), Speeds())


def test_what_to_shrink_for_can_be_chosen() -> None:
    """Of several broken invariants the first is taken, or the one that is asked for."""
    money = shrink(case("callback_doubled", "naive"), invariant="I-01")
    assert money.signature.invariant == "I-01"
    assert "I-01" in money.after.result.violated


@pytest.mark.parametrize(
    ("design", "invariant", "words"),
    [
        ("resilient", "", "nothing is violated"),
        ("naive", "I-31", "I-31 is not violated in this run; violated: "),
    ],
)
def test_what_does_not_fail_is_not_shrunk(design: str, invariant: str, words: str) -> None:
    """A case that holds, or that breaks something else, is the caller's mistake."""
    with pytest.raises(NothingToShrink, match=words):
        shrink(case("callback_doubled", design), invariant=invariant)


def test_an_interrupt_keeps_the_smallest_so_far() -> None:
    """Ctrl-C in the middle ends it, with what it has."""

    def impatient(state: Standing) -> None:
        if state.runs >= 6:
            raise KeyboardInterrupt

    shrunk = shrink(case("callback_doubled", "naive"), watch=impatient)
    assert (shrunk.interrupted, shrunk.fixpoint, shrunk.after.orders) == (True, False, 1)


def test_a_candidate_that_breaks_the_harness_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no smaller failure; it is counted, so that it can be told."""
    real = Case.run

    def fragile(self: Case) -> RunResult:
        if self.plan == {}:
            raise ZeroDivisionError
        return real(self)

    monkeypatch.setattr(Case, "run", fragile)
    shrunk = shrink(case("callback_doubled", "naive"))
    assert shrunk.broken >= 1
    assert shrunk.after.faults == 1


def test_the_watcher_sees_runs_faults_and_orders() -> None:
    """Every run is shown, and what is left never grows in orders or faults."""
    seen: list[Standing] = []
    shrink(case("callback_doubled", "naive"), watch=seen.append)
    assert seen[-1].runs > 10
    for name in ("orders", "faults"):
        values = [getattr(state, name) for state in seen]
        assert values == sorted(values, reverse=True)
