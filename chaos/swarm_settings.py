"""The shop and the settings of a varied storm: what is sold, who comes, how large, slow and many things are.

Features are left out by halves, and numbers go to production, tiny or huge, because bugs live at the edges of
both. Why, and what stays as it is: docs/decisions/0014-swarm.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final, TypeVar

from scenarios.model import Knobs, Scenario, Timing
from scenarios.speeds import Speeds
from scenarios.workload import Arrivals, Burst, Product, Workload
from sim.randomness import Streams

STREAM: Final = "swarm"
"""The stream of every draw that makes a storm out of a scenario."""

RUSH_US: Final = 1_000_000
STAMPEDE_US: Final = 50_000
"""Ten orders within this meet in the database, not only in the minute."""

SLOW_US: Final = 20_000
"""A statement on a database that is at its end; what two orders do at once then takes long enough to meet."""

FAST_US: Final = 100
_SETTINGS: Final = ("production", "production", "tiny", "huge")

Item = TypeVar("Item")


def turned(scenario: Scenario, streams: Streams, *, free: bool) -> Scenario:
    """The scenario with half of its features and other settings; its faults are as they were.

    What a scenario has chosen itself is part of its story. With `free` it has none, so wallets that cover one order
    only, a slow database and a stampede may come as well.
    """
    changes: dict[str, Any] = {
        "workload": _workload(scenario.workload, streams, free=free),
        "knobs": _knobs(scenario, streams),
        "timing": _timing(scenario.timing, streams),
        "swarm": False,
    }
    if free:
        changes["speeds"] = _speeds(scenario.speeds, streams)
    return scenario.model_copy(update=changes)


def half(items: Sequence[Item], streams: Streams, kind: str) -> list[Item]:
    """Each with one chance in two; never none, unless there are none."""
    kept = [item for number, item in enumerate(items) if streams.chance(STREAM, 0.5, kind, number)]
    if not kept and items:
        kept = [streams.choice(STREAM, items, kind)]
    return kept


def _workload(workload: Workload, streams: Streams, *, free: bool) -> Workload:
    """Half of the goods and of the ways to pay; bulk orders and memberships on or off; people, money and stock."""
    setting = partial(_setting, streams)
    products = _stocked(half(workload.products, streams, "product"), setting("stock"))
    ways = half([way for way, weight in workload.pay_with.items() if weight], streams, "way")
    changes: dict[str, Any] = {
        "products": tuple(products),
        "pay_with": {way: weight for way, weight in workload.pay_with.items() if way in ways},
        "members": setting("members", workload.members, 1, max(workload.members, workload.orders)),
        "arrivals": _arrivals(workload.arrivals, streams, STAMPEDE_US if free else RUSH_US),
        "orders": setting("orders", workload.orders, max(1, min(3, workload.orders)), workload.orders),
    }
    if free:
        one_order_fen = max(product.price_fen for product in products)
        changes["wallet_fen"] = setting(
            "wallet", workload.wallet_fen, min(one_order_fen, workload.wallet_fen), 10 * workload.wallet_fen
        )
    if not streams.chance(STREAM, 0.5, "bulk"):
        changes["quantity"] = workload.quantity.model_copy(update={"max": workload.quantity.min})
    if not streams.chance(STREAM, 0.5, "memberships"):
        changes["members_with_membership"] = 0.0
    return workload.model_copy(update=changes)


def _stocked(products: Sequence[Product], setting: str) -> list[Product]:
    if setting == "production":
        return list(products)
    return [
        product.model_copy(
            update={"stock": min(product.stock, 2) if setting == "tiny" else product.stock * 10}
        )
        for product in products
    ]


def _arrivals(arrivals: Arrivals, streams: Streams, rush_us: int) -> Arrivals:
    """A burst may come as a rush, everybody at once."""
    if not isinstance(arrivals, Burst):
        return arrivals
    within = _setting(streams, "within", arrivals.within, min(arrivals.within, rush_us), arrivals.within)
    return arrivals.model_copy(update={"within": within})


def _knobs(scenario: Scenario, streams: Streams) -> Knobs:
    """Settings that a scenario does not mind are turned; what it has chosen itself is part of its story."""
    knobs, setting = scenario.knobs, partial(_setting, streams)
    changes: dict[str, Any] = {
        "nodes": setting("nodes", None, 1, 4),
        "workers": setting("workers", None, 1, 64),
        "pool_size": setting("pool_size", None, 2, 64),
    }
    if knobs.replication == "async":
        changes["replica_lag"] = setting("replica_lag", None, 0, 30_000_000)
    return knobs.model_copy(
        update={name: value for name, value in changes.items() if getattr(knobs, name) is None}
    )


def _speeds(speeds: Speeds, streams: Streams) -> Speeds:
    """How long the database takes for anything."""
    database_us = _setting(streams, "database", None, FAST_US, SLOW_US)
    if database_us is None:
        return speeds
    return speeds.model_copy(update={"statement": database_us, "commit": database_us})


def _timing(timing: Timing, streams: Streams) -> Timing:
    """The time to pay: as it is, an eighth, or twice as long if the run is long enough for that."""
    expiry = _setting(
        streams,
        "expiry",
        timing.expiry,
        timing.expiry // 8,
        max(timing.expiry, min(2 * timing.expiry, timing.deadline // 2)),
    )
    return timing.model_copy(update={"expiry": expiry})


def _setting(
    streams: Streams, name: str, production: Any = "production", tiny: Any = "tiny", huge: Any = "huge"
) -> Any:
    chosen = streams.choice(STREAM, _SETTINGS, "setting", name)
    return {"production": production, "tiny": tiny, "huge": huge}[chosen]
