"""Passes over the scenario: a shorter storm, fewer products, single pieces, production's own settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from chaos.history import Invoke
from chaos.replay import Case
from chaos.shrink.cast import changed
from chaos.shrink.search import DURATIONS_US, NUMBERS, SECOND, lowest, thin
from chaos.shrink.trials import Best, Trials, arrivals
from scenarios.faults.rule import Rule
from scenarios.model import Knobs, Scenario
from scenarios.speeds import Speeds
from scenarios.workload import Burst, Product, Quantity, Workload

Edit = Callable[[Scenario], Scenario]


def truncate(trials: Trials) -> None:
    """End the storm right after the violation; else as early as the failure allows."""
    best = trials.best
    safety_us = best.case.scenario.timing.safety
    rounds = [duration for duration in DURATIONS_US if SECOND <= duration < safety_us]
    first_us = trials.signature.witness(best.result.verdicts).t_us
    after = [duration for duration in rounds if duration > first_us]
    if after:
        trials.better(_ending(best.case, after[0]))
    now_us = trials.best.case.scenario.timing.safety
    lowest(
        [duration for duration in rounds if duration < now_us],
        lambda duration: trials.better(_ending(trials.best.case, duration)),
    )


def _ending(case: Case, safety_us: int) -> Case:
    """The case with a shorter safety phase; windows end with it, rules that would begin later are gone."""
    scenario = case.scenario
    rules = tuple(_clipped(rule, safety_us) for rule in scenario.faults)
    timing = scenario.timing.model_copy(update={"safety": safety_us})
    return replace(case, scenario=scenario.model_copy(update={"timing": timing, "faults": rules}))


def _clipped(rule: Rule, safety_us: int) -> Rule:
    if rule.on is None and rule.until is not None and rule.until > safety_us:
        return rule.model_copy(update={"until": None})
    return rule


def plainer(trials: Trials) -> None:
    """All settings that can be plain made plain: together if possible, else as many as possible."""

    def applicable() -> list[Edit]:
        best = trials.best
        return [edit for edit in _edits(best) if edit(best.case.scenario) != best.case.scenario]

    def without(edits: Sequence[Edit]) -> bool:
        case = trials.best.case
        scenario = case.scenario
        for edit in edits:
            scenario = edit(scenario)
        return trials.better(replace(case, scenario=scenario))

    thin(applicable, without)


def smaller(trials: Trials) -> None:
    """Fewer pieces, less stock, and arrivals closer together."""
    pieces = trials.best.case.scenario.workload.quantity.max
    lowest(
        [quantity for quantity in NUMBERS if 0 < quantity < pieces],
        lambda quantity: _tries(trials, partial(_pieces, quantity)),
    )
    for index, product in enumerate(trials.best.case.scenario.workload.products):

        def tries(stock: int, index: int = index) -> bool:
            return _tries(trials, partial(_product, index, {"stock": stock}))

        lowest([stock for stock in NUMBERS if stock < product.stock], tries)
    arriving = trials.best.case.scenario.workload.arrivals
    spans = [span for span in DURATIONS_US if span >= SECOND]
    now_us = arriving.within if isinstance(arriving, Burst) else spans[1]
    spans = [span for span in spans if span < now_us]
    lowest(spans, lambda span: _tries(trials, partial(_burst, span)))


def _tries(trials: Trials, edit: Edit) -> bool:
    case = trials.best.case
    return trials.better(replace(case, scenario=edit(case.scenario)))


def _edits(best: Best) -> list[Edit]:
    """Every way to make the scenario plainer without touching a fault, the largest last."""
    workload = best.case.scenario.workload
    plain = Workload.model_fields
    bought = {
        str(event.args.get("sku", "")) for event in best.result.history.events if isinstance(event, Invoke)
    }
    edits: list[Edit] = [
        _production,
        _default_speeds,
        *(partial(_product, index, _PLAIN) for index in range(len(workload.products))),
        *(partial(_one_supplier, index) for index in range(len(workload.products))),
        *(
            partial(_workload, {name: plain[name].default})
            for name in ("wallet_fen", "members_with_membership", "zipf")
        ),
        partial(_workload, {"quantity": Quantity()}),
        partial(_workload, {"pay_with": {"wechat": 1.0}}),
        _no_expectations,
        partial(_workload, {"orders": max(arrivals(best.case)) + 1}),
        partial(_only_products, bought),
    ]
    return edits


_PLAIN: dict[str, Any] = {"member_price_fen": None, "disclosed_wait": 0, "weight": 1.0}


def _production(scenario: Scenario) -> Scenario:
    return scenario.model_copy(update={"knobs": Knobs()})


def _default_speeds(scenario: Scenario) -> Scenario:
    return scenario.model_copy(update={"speeds": Speeds()})


def _no_expectations(scenario: Scenario) -> Scenario:
    """What designs do in the whole storm says nothing of one shrunk run."""
    return scenario.model_copy(update={"expect": {}, "sometimes": ()})


def _workload(fields: dict[str, Any], scenario: Scenario) -> Scenario:
    return changed(scenario, **fields)


def _pieces(quantity: int, scenario: Scenario) -> Scenario:
    return changed(scenario, quantity=Quantity(min=quantity, max=quantity))


def _burst(within_us: int, scenario: Scenario) -> Scenario:
    return changed(scenario, arrivals=Burst(shape="burst", within=within_us))


def _only_products(skus: set[str], scenario: Scenario) -> Scenario:
    kept = tuple(product for product in scenario.workload.products if product.sku in skus)
    return changed(scenario, products=kept or scenario.workload.products[:1])


def _product(index: int, fields: dict[str, Any], scenario: Scenario) -> Scenario:
    return _with_product(scenario, index, lambda product: product.model_copy(update=fields))


def _one_supplier(index: int, scenario: Scenario) -> Scenario:
    return _with_product(
        scenario, index, lambda product: product.model_copy(update={"suppliers": product.suppliers[:1]})
    )


def _with_product(scenario: Scenario, index: int, change: Callable[[Product], Product]) -> Scenario:
    """The scenario with one product changed; as it was, when products before it are gone already."""
    products = list(scenario.workload.products)
    if index >= len(products):
        return scenario
    products[index] = change(products[index])
    return changed(scenario, products=tuple(products))
