"""The neighbour to compare with: it must pass, and differ as little as possible."""

from __future__ import annotations

from chaos.replay import Case
from chaos.shrink.nearest import STRONGEST, nearest_passing, on_strongest
from chaos.shrink.shrinker import shrink
from chaos.shrink.trials import Best
from scenarios import loading


def smallest(scenario: str, design: str) -> Best:
    return shrink(Case(loading.load(scenario), design, 1)).after


def test_without_faults_only_another_design_can_pass() -> None:
    """The bug needs no storm, so the strongest design is the neighbour."""
    best = smallest("calm_trade", "planted.fee_without_posting")
    nearest = nearest_passing(best, on_strongest(best))
    assert nearest is not None
    assert (nearest.case.design, nearest.site) == (STRONGEST, "")
    assert nearest.result.violated == []


def test_a_neighbour_that_breaks_something_is_no_passing_run() -> None:
    """If not even the strongest design holds, there is nothing to compare with."""
    best = smallest("calm_trade", "planted.fee_without_posting")
    assert nearest_passing(best, best.result) is None
    assert nearest_passing(best, None) is None


def test_without_its_last_fault_the_case_is_a_neighbour_too() -> None:
    """When the strongest design is not asked, it is the case with one blow less."""
    best = smallest("callback_late", "naive")
    nearest = nearest_passing(best, None)
    assert nearest is not None
    assert [nearest.site] == list(best.case.plan or {})
    assert nearest.case.plan == {}


def test_the_strongest_design_has_none_above_it() -> None:
    """A case of the strongest design is not compared with itself."""
    case = Case(loading.load("calm_trade"), STRONGEST, 1)
    assert on_strongest(Best(case, case.run())) is None
