"""Passes over the people: who has to come at all, and under which numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from chaos.opening import wishes
from chaos.replay import Case
from chaos.shrink.numbers import follow, of_users, of_witness, renamed
from chaos.shrink.search import thin
from chaos.shrink.trials import Best, Trials, arrivals
from scenarios.model import Scenario
from scenarios.workload import Product
from sim.randomness import Streams
from sim.traffic import Arrival


def leap(trials: Trials) -> None:
    """The orders that the witness names, alone; else all orders of the members whom it names."""
    best = trials.best
    result = best.result
    witness = trials.signature.witness(result.verdicts)
    named = of_witness(result.history, witness)
    for numbers in (named, named | of_users(result.history, witness.users)):
        if any(map(trials.better, _alone(best, numbers))):
            return


def drop_orders(trials: Trials) -> None:
    """Leave out as many orders as possible."""

    def without(numbers: Sequence[int]) -> bool:
        gone = set(numbers)
        rest = [number for number in arrivals(trials.best.case) if number not in gone]
        return bool(rest) and any(map(trials.better, _alone(trials.best, rest)))

    thin(lambda: arrivals(trials.best.case), without)


def renumber(trials: Trials) -> None:
    """Let the first arrivals be those who come, so that nobody has to be left out any more; fewest members first."""
    best = trials.best
    members = len({wish.user for wish in _coming(best.case)})
    workload = best.case.scenario.workload
    if best.case.keep is None and workload.members <= members:
        return
    for count in dict.fromkeys((1, members, workload.members)):
        if trials.better(_renumbered(best.case, count)):
            return


def _alone(best: Best, numbers: Iterable[int]) -> Iterator[Case]:
    """The case with these arrivals alone; where stock runs out, first with as many cards fewer as fewer are wanted.

    Rules that count events count on among what is left.
    """
    case, history = best.case, best.result.history
    wanted = set(numbers)
    keep = tuple(number for number in arrivals(case) if number in wanted)
    if keep == arrivals(case):
        return
    rules = tuple(follow(rule, history, wanted) for rule in case.scenario.faults)
    fewer = replace(case, scenario=case.scenario.model_copy(update={"faults": rules}), keep=keep)
    products = case.scenario.workload.products
    scarce = tuple(_scarce(product, _coming(case), wanted) for product in products)
    if scarce != products:
        yield replace(fewer, scenario=changed(fewer.scenario, products=scarce))
    yield fewer


def _scarce(product: Product, wishes_before: Sequence[Arrival], wanted: set[int]) -> Product:
    """The product with its scarcity kept: the cards of those who no longer come are gone too."""
    pieces = {wish.number: wish.quantity for wish in wishes_before if wish.sku == product.sku}
    if not 0 < product.stock <= sum(pieces.values()):
        return product
    gone = sum(quantity for number, quantity in pieces.items() if number not in wanted)
    return product.model_copy(update={"stock": max(0, product.stock - gone)})


def _renumbered(case: Case, members: int) -> Case:
    old = sorted(arrivals(case))
    scenario = changed(case.scenario, orders=len(old), members=members)
    fresh = replace(case, scenario=scenario, keep=None)
    # By time on both sides: the first to come stays the first.
    pairs = zip((wish.number for wish in _coming(case)), _coming(fresh), strict=True)
    return replace(fresh, plan=renamed(case.plan or {}, dict(pairs)))


def _coming(case: Case) -> list[Arrival]:
    return list(wishes(case.scenario.workload, Streams(case.seed), case.keep))


def changed(scenario: Scenario, **fields: object) -> Scenario:
    """The scenario with other values in its workload."""
    return scenario.model_copy(update={"workload": scenario.workload.model_copy(update=fields)})
