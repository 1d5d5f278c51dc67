"""Whole storms: checked orders a second in bulk, small storms a second, memory, and two workers against one.

Everything is judged: every checker and the oracle are on, final reads included. Rates are per second of
one core (CPU time, so that a busy machine does not blur them) and depend on the machine, so each is also
given as a ratio to plain SimPy processes awaiting in the same process. Each bulk has a process of its own,
since a process never gives its peak memory back.
"""

from __future__ import annotations

import json
import resource
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from statistics import median, quantiles
from time import perf_counter, process_time
from typing import Any
from unittest.mock import patch

import simpy

from chaos import run as run_module
from chaos.court import Court
from chaos.history import History
from chaos.run import run
from chaos.sim_world import SimWorld
from scenarios.model import Scenario

CARD = {"sku": "game-100", "kind": "card", "price_fen": 9800}
ORDERS_IN_A_SMALL_STORM = 5
STORMS_IN_A_BATCH = 25


@cache
def scenario(orders: int, rate_per_s: float) -> Scenario:
    """Plain card orders in calm weather."""
    storm: dict[str, Any] = {
        "name": "bench",
        "title": {"en": "Bulk", "zh": "批量"},
        "story": {"en": "Nothing goes wrong.", "zh": "一切正常。"},
        "catalogue": ["S-48"],
        "workload": {
            "orders": orders,
            "arrivals": {"shape": "constant", "rate_per_s": rate_per_s},
            "members": max(10, orders // 10),
            "products": [{**CARD, "stock": orders + 10}],
        },
        "timing": {"safety": f"{orders / rate_per_s + 120}s", "deadline": "30min"},
    }
    return Scenario.model_validate(storm)


def simpy_awaits_per_s(count: int = 200_000) -> float:
    """Plain SimPy processes that only sleep."""
    env = simpy.Environment()

    def sleeper() -> Any:
        for _ in range(count // 100):
            yield env.timeout(1)

    for _ in range(100):
        env.process(sleeper())
    began = process_time()
    env.run()
    return count / (process_time() - began)


def bulk(orders: int, design: str) -> dict[str, float]:
    """One run of many orders that drops its history as it goes. Call it in a fresh process."""
    awaits = median(simpy_awaits_per_s() for _ in range(3))
    small_storm(design, 0)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = process_time()
    result = run(scenario(orders, 50.0), design, 1, keep_history=False)
    cpu_s = process_time() - began
    assert not result.violated, result.violated
    assert result.orders == orders
    used_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    return {
        "orders": orders,
        "orders_per_s": orders / cpu_s,
        "us_per_order": 1e6 * cpu_s / orders,
        "simpy_awaits_per_order": awaits * cpu_s / orders,
        "events_per_order": result.history.count / orders,
        "kib_per_order": used_kib / orders,
    }


def small_storm(design: str, seed: int) -> float:
    """One run of few orders; its CPU time in µs."""
    began = process_time()
    result = run(scenario(ORDERS_IN_A_SMALL_STORM, 0.5), design, seed)
    assert not result.violated, result.violated
    return 1e6 * (process_time() - began)


def small(storms: int, design: str) -> dict[str, float]:
    """Many runs of few orders: how many a second, and how long one takes."""
    awaits = median(simpy_awaits_per_s() for _ in range(3))
    small_storm(design, 0)
    took_us = [small_storm(design, seed) for seed in range(1, storms + 1)]
    cuts = quantiles(took_us, n=100)
    return {
        "storms": storms,
        "storms_per_s": 1e6 * storms / sum(took_us),
        "simpy_awaits_per_storm": awaits * sum(took_us) / storms / 1e6,
        "median_us": cuts[49],
        "p99_us": cuts[98],
    }


class Stopwatch:
    """CPU time spent inside the functions that it wraps."""

    def __init__(self) -> None:
        self.spent_us: dict[str, float] = {}

    def around(self, name: str, fn: Callable[..., Any]) -> Callable[..., Any]:
        """`fn`, timed under `name`."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            began = process_time()
            try:
                return fn(*args, **kwargs)
            finally:
                self.spent_us[name] = self.spent_us.get(name, 0.0) + 1e6 * (process_time() - began)

        return timed


def breakdown(storms: int, design: str) -> dict[str, float]:
    """Where the time of a small storm goes, in µs: each part, and what is left of the whole."""
    watch = Stopwatch()
    with (
        patch.object(run_module, "SimWorld", watch.around("make the world", SimWorld)),
        patch.object(run_module, "_storm", watch.around("run it", run_module._storm)),
        patch.object(Court, "finish", watch.around("judge it", Court.finish)),
        patch.object(History, "digest", watch.around("digest", History.digest)),
    ):
        whole_us = sum(small_storm(design, seed) for seed in range(1, storms + 1))
    spent = watch.spent_us
    spent["the rest"] = whole_us - sum(spent.values())
    return {name: us / storms for name, us in spent.items()}


def batch(design: str, first: int) -> None:
    """Some small storms, as a campaign's worker runs them."""
    for seed in range(first, first + STORMS_IN_A_BATCH):
        small_storm(design, seed)


def storms_per_s(workers: int, storms: int, design: str) -> float:
    """By the wall clock, workers started beforehand."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(batch, design), range(workers)))
        began = perf_counter()
        list(pool.map(partial(batch, design), range(0, storms, STORMS_IN_A_BATCH)))
        return storms / (perf_counter() - began)


def measured(options: Any) -> dict[str, Any]:
    """All figures."""
    sizes = [size for size in (1_000, 10_000, 100_000, 1_000_000) if size <= options.orders]
    fresh = get_context("spawn")
    rows = []
    for size in sizes:
        with ProcessPoolExecutor(1, mp_context=fresh) as pool:
            rows.append(pool.submit(bulk, size, options.design).result())
    one, two = (storms_per_s(workers, options.storms, options.design) for workers in (1, 2))
    return {
        "design": options.design,
        "simpy_awaits_per_s": median(simpy_awaits_per_s() for _ in range(3)),
        "small": small(options.storms, options.design),
        "breakdown_us": breakdown(options.storms // 3, options.design),
        "workers": {"one_per_s": one, "two_per_s": two, "ratio": two / one},
        "bulk": rows,
    }


def tell(figures: dict[str, Any]) -> None:
    """Print a table."""
    few, workers = figures["small"], figures["workers"]
    print(f"design {figures['design']}, every checker on, one core")
    print(f"plain SimPy processes    {figures['simpy_awaits_per_s']:12,.0f} awaits/s")
    print(
        f"small storms (5 orders)  {few['storms_per_s']:12,.0f} storms/s  median {few['median_us']:,.0f} µs"
        f"  p99 {few['p99_us']:,.0f} µs  {few['simpy_awaits_per_storm']:7.0f} SimPy awaits/storm"
    )
    for name, us in figures["breakdown_us"].items():
        print(f"    {name:16}     {us:12,.0f} µs")
    print(
        f"two workers against one  {workers['ratio']:12.2f} ×  ({workers['one_per_s']:,.0f} and"
        f" {workers['two_per_s']:,.0f} storms/s by the wall clock)"
    )
    for row in figures["bulk"]:
        print(
            f"bulk of {row['orders']:9,.0f} orders {row['orders_per_s']:12,.0f} orders/s"
            f"  {row['us_per_order']:7.0f} µs/order  {row['events_per_order']:5.1f} events/order"
            f"  {row['kib_per_order']:6.1f} KiB/order  {row['simpy_awaits_per_order']:6.1f} SimPy awaits/order"
        )
    costs = [row["us_per_order"] for row in figures["bulk"]]
    print(f"cost per order, dearest size against cheapest  {max(costs) / min(costs):.2f} ×")


def main() -> None:
    """Print a table, or JSON."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--storms", type=int, default=300)
    parser.add_argument("--design", default="resilient")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measured(options)
    if options.json:
        json.dump(figures, sys.stdout, indent=1)
    else:
        tell(figures)


if __name__ == "__main__":
    main()
