"""Each pass by what it does to a real failing case: the storm gets plainer, and what is said of it stays true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chaos.history import Fault
from chaos.replay import Case
from chaos.shrink.blows import SIMPLER, drop_blows, merge, simplify, soften, struck_by, tidy
from chaos.shrink.cast import drop_orders, leap, renumber
from chaos.shrink.setting import plainer, smaller, truncate
from chaos.shrink.signature import Signature
from chaos.shrink.trials import Best, OutOfBudget, Trials
from scenarios import loading
from scenarios.faults import FAULTS


def trials(scenario: str, design: str, *passes: Callable[[Trials], None], invariant: str = "") -> Trials:
    """A laboratory over one failing case after some passes."""
    case = Case(loading.load(scenario), design, 1)
    best = Best(case, case.run())
    laboratory = Trials(best, Signature.of(best.result.verdicts, invariant), 200)
    for reduce in passes:
        reduce(laboratory)
    return laboratory


def faults(laboratory: Trials) -> list[str]:
    """The kinds of the blows that are left."""
    return [site.split("/")[1] for site in laboratory.best.case.plan or {}]


def happened(laboratory: Trials) -> list[object]:
    """Everything in the best run but the faults themselves."""
    return [event for event in laboratory.best.result.history.events if not isinstance(event, Fault)]


def test_the_leap_keeps_the_order_that_the_witness_names() -> None:
    """One run instead of a search: the rest of the crowd is rarely needed."""
    laboratory = trials("callback_doubled", "naive", leap)
    assert (laboratory.best.orders, laboratory.runs) == (1, 2)


def test_scarcity_survives_when_buyers_go() -> None:
    """Cards that those who are left out would have bought are gone too, so the last one still runs out."""
    laboratory = trials("late_without_stock", "planted.success_revives_refunded", drop_blows, drop_orders)
    assert laboratory.best.orders <= 3
    stock = laboratory.best.case.scenario.workload.products[0].stock
    assert stock < loading.load("late_without_stock").workload.products[0].stock


def test_lost_attempts_of_one_notice_become_one_late_notice() -> None:
    """Five blows on one notice are one: it comes late."""
    laboratory = trials("callback_lost", "naive", leap, drop_blows)
    assert faults(laboratory) == ["channel.callback_loss"] * 5
    merge(laboratory)
    assert faults(laboratory) == ["channel.callback_delay"]


def test_a_fault_is_replaced_by_one_that_is_easier_to_understand() -> None:
    """For who never gives money back, an honest failure does as well as a lie."""
    laboratory = trials("false_success", "naive", leap, drop_blows, simplify)
    assert faults(laboratory) == ["supplier.fail"]
    assert laboratory.best.case.scenario.faults[0].fault == "supplier.fail"


def test_delays_come_down_to_the_smallest_round_one_that_still_hurts() -> None:
    """The promise is five minutes: the notice need not be later than that by much, and the rule says so in the end."""
    laboratory = trials("callback_late", "naive", leap, drop_blows, soften, tidy)
    (effect,) = (laboratory.best.case.plan or {}).values()
    before = trials("callback_late", "naive").best.case.plan or {}
    assert effect["delay_us"] < min(blow["delay_us"] for blow in before.values())
    assert laboratory.best.case.scenario.faults[0].params() == effect


def test_amounts_come_down_and_keep_their_sign() -> None:
    """A fen too little is enough."""
    laboratory = trials("suspense_ticket", "naive", leap, drop_blows, soften, invariant="I-04")
    effects = [effect for effect in (laboratory.best.case.plan or {}).values() if "delta_fen" in effect]
    assert [abs(effect["delta_fen"]) for effect in effects] == [1]


def test_rules_that_strike_nowhere_go_and_the_plan_follows_the_numbers() -> None:
    """Sites begin with their rule's number; it must stay the number of the rule that is meant."""
    laboratory = trials("callback_reordered_refund", "planted.refund_while_unknown", leap, drop_blows)
    before = happened(laboratory)
    tidy(laboratory)
    assert happened(laboratory) == before
    case = laboratory.best.case
    assert len(loading.load("callback_reordered_refund").faults) > len(case.scenario.faults) == 2
    for index, rule in enumerate(case.scenario.faults):
        assert [site.split("/")[1] for site in struck_by(case, index)] == [rule.fault]
        assert (rule.probability, rule.start, rule.until) == (1.0, 0, None)
    assert sum(len(struck_by(case, index)) for index in range(2)) == laboratory.best.faults


def test_a_rule_that_moves_up_takes_its_sites_along() -> None:
    """A later rule becomes the first; blows that kept the old number would strike nowhere."""
    laboratory = trials("late_without_stock", "naive", leap, drop_blows)
    (site,) = laboratory.best.case.plan or {}
    number, _, rest = site.partition("/")
    assert number != "0"
    before = happened(laboratory)
    tidy(laboratory)
    assert list(laboratory.best.case.plan or {}) == [f"0/{rest}"]
    assert happened(laboratory) == before


def test_a_storm_ends_soon_after_what_it_broke() -> None:
    """The safety phase is cut; no window and no rule reaches beyond it."""
    laboratory = trials("callback_doubled", "naive", leap, truncate)
    safety_us = laboratory.best.case.scenario.timing.safety
    assert safety_us <= 60_000_000
    assert all(rule.until is None or rule.until <= safety_us for rule in laboratory.best.case.scenario.faults)


def test_settings_are_production_s_and_the_shop_sells_one_thing() -> None:
    """Nothing stands in the scenario that the failure does not need."""
    laboratory = trials("callback_doubled", "naive", leap, plainer, renumber, smaller)
    scenario = laboratory.best.case.scenario
    assert (len(scenario.workload.products), scenario.workload.members, scenario.workload.orders) == (1, 1, 1)
    assert scenario.expect == {}
    assert laboratory.best.case.keep is None
    assert scenario.workload.products[0].stock < loading.load("callback_doubled").workload.products[0].stock


def test_what_was_tried_is_not_tried_again_and_an_empty_budget_says_so() -> None:
    """A candidate costs once; after the last run only what is known is answered."""
    laboratory = trials("callback_doubled", "naive")
    calm = replace(laboratory.best.case, plan={})
    assert not laboratory.better(calm)
    runs = laboratory.runs
    assert not laboratory.better(calm)
    assert laboratory.runs == runs
    broke = Trials(laboratory.best, laboratory.signature, 1)
    with pytest.raises(OutOfBudget):
        broke.better(calm)


def test_a_scenario_that_would_not_load_is_never_run() -> None:
    """A cut may leave a fault on a supplier that is gone: that is no case."""
    laboratory = trials("supplier_timeout_succeeded", "naive")
    case = laboratory.best.case
    workload = case.scenario.workload
    cards = tuple(product for product in workload.products if product.kind == "card")
    gone = case.scenario.model_copy(update={"workload": workload.model_copy(update={"products": cards})})
    runs = laboratory.runs
    assert not laboratory.better(replace(case, scenario=gone))
    assert laboratory.runs == runs


def test_every_simpler_fault_exists_and_is_not_the_same() -> None:
    """The table speaks of faults that there are, and never in a circle."""
    for fault, simpler in SIMPLER.items():
        assert fault in FAULTS
        for name in simpler:
            assert name in FAULTS
            assert fault not in SIMPLER.get(name, ())
