"""Whole storms: checked orders a second in bulk, small storms a second, and memory for each order.

Everything is judged: every checker and the oracle are on, final reads included. Rates depend on the
machine, so each is also given as a ratio to plain SimPy processes awaiting in the same run.
"""

from __future__ import annotations

import json
import resource
import sys
from argparse import ArgumentParser
from statistics import median
from time import perf_counter
from typing import Any

import simpy

from chaos.run import run
from scenarios.model import Scenario

CARD = {"sku": "game-100", "kind": "card", "price_fen": 9800}


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
    began = perf_counter()
    env.run()
    return count / (perf_counter() - began)


def bulk(orders: int, design: str) -> dict[str, float]:
    """One run of many orders."""
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = run(scenario(orders, 50.0), design, 1)
    assert not result.violated, result.violated
    assert result.orders == orders
    used_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    return {
        "orders": orders,
        "orders_per_s": orders / result.wall_s,
        "us_per_order": 1e6 * result.wall_s / orders,
        "events_per_order": len(result.history.events) / orders,
        "kib_per_order": used_kib / orders,
    }


def small(storms: int, design: str) -> dict[str, float]:
    """Many runs of five orders."""
    storm = scenario(5, 0.5)
    run(storm, design, 0)
    began = perf_counter()
    for seed in range(1, storms + 1):
        result = run(storm, design, seed)
        assert not result.violated, result.violated
    return {"storms": storms, "storms_per_s": storms / (perf_counter() - began)}


def main() -> None:
    """Print a table, or JSON."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--storms", type=int, default=300)
    parser.add_argument("--design", default="resilient")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    awaits = median(simpy_awaits_per_s() for _ in range(3))
    few = small(options.storms, options.design)
    sizes = [size for size in (1_000, 10_000, 100_000, 1_000_000) if size <= options.orders]
    rows = [bulk(size, options.design) for size in sizes]
    if options.json:
        json.dump({"simpy_awaits_per_s": awaits, "small": few, "bulk": rows}, sys.stdout, indent=1)
        return
    print(f"design {options.design}, every checker on, one core")
    print(f"plain SimPy processes      {awaits:12,.0f} awaits/s")
    print(f"small storms (5 orders)    {few['storms_per_s']:12,.0f} storms/s")
    for row in rows:
        print(
            f"bulk of {row['orders']:9,.0f} orders   {row['orders_per_s']:12,.0f} orders/s"
            f"  {row['us_per_order']:7.0f} µs/order  {row['events_per_order']:5.1f} events/order"
            f"  {row['kib_per_order']:6.1f} KiB/order  {awaits / row['orders_per_s']:6.1f} SimPy awaits/order"
        )


if __name__ == "__main__":
    main()
