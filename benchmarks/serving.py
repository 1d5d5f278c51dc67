"""What one platform process serves: requests a second and their latency, on a real database and channel.

    python -m benchmarks.serving [--seconds S] [--askers N] [--json]

Closed loop: each asker waits for its answer before it asks again, so latency and rate belong together. The
askers, the platform, the channel and the database share this machine's cores; `cpu ms` is what the platform's
own process spent on a request, which depends little on what else goes on. `health` is HTTP alone; with
`fresh` every request has a connection of its own, as calls between the processes of a live run do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import aiohttp
import psutil

from tests.chaos.live.stage import HOST, Stage
from tests.chaos.worlds import storm

VIEWED, ORDERED = "game-1", "game-100"
STOCK = {VIEWED: 100, ORDERED: 5_000}
WARM_UP_S = 1.0


class Row(NamedTuple):
    """One kind of request."""

    name: str
    a_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float


class Asked(NamedTuple):
    """A request to make."""

    method: str
    path: str
    body: dict[str, Any] | None


def _products() -> Iterator[Asked]:
    while True:
        yield Asked("GET", f"/products/{VIEWED}", None)


def _health() -> Iterator[Asked]:
    while True:
        yield Asked("GET", "/health", None)


def _orders(series: str) -> Iterator[Asked]:
    for n in count():
        yield Asked(
            "POST",
            "/orders",
            {"client_key": f"{series}-{n}", "sku": ORDERED, "quantity": 1, "pay_with": "wechat"},
        )


async def _loop(
    stage: Stage, requests: Iterator[Asked], askers: int, seconds: float, *, fresh: bool
) -> tuple[list[float], float]:
    """Latencies in seconds, and how long it took."""
    latencies: list[float] = []
    base = f"http://{HOST}:{stage.ports['platform-1']}"
    connector = aiohttp.TCPConnector(limit=0, force_close=fresh)
    async with aiohttp.ClientSession(connector=connector, headers=stage.bearer("u1")) as session:
        begun = perf_counter()

        async def ask() -> None:
            while perf_counter() < begun + seconds:
                method, path, body = next(requests)
                sent = perf_counter()
                async with session.request(method, base + path, json=body) as answer:
                    raw = await answer.read()
                    assert answer.status == 200, raw
                latencies.append(perf_counter() - sent)

        await asyncio.gather(*(ask() for _ in range(askers)))
        return latencies, perf_counter() - begun


def measure(seconds: float, askers: int) -> list[Row]:
    """All rows."""
    rows = []
    products = [
        {"sku": sku, "kind": "card", "price_fen": 100, "stock": stock} for sku, stock in STOCK.items()
    ]
    with tempfile.TemporaryDirectory() as folder:
        scenario = storm(products=products, pay_with={"wechat": 1})
        with Stage(Path(folder), scenario=scenario, parts=("wechat", "users", "platform-1")) as stage:
            process = psutil.Process(stage.children["platform-1"].pid)
            for name, requests, several, fresh in (
                ("health", _health(), askers, False),
                ("health, fresh", _health(), askers, True),
                ("view_product", _products(), askers, False),
                ("view_product, alone", _products(), 1, False),
                ("place_order", _orders("many"), askers, False),
                ("place_order, alone", _orders("alone"), 1, False),
            ):
                asyncio.run(_loop(stage, requests, several, WARM_UP_S, fresh=fresh))
                before_s = sum(process.cpu_times()[:2])
                latencies, took_s = asyncio.run(_loop(stage, requests, several, seconds, fresh=fresh))
                cpu_s = sum(process.cpu_times()[:2]) - before_s
                cuts, served = statistics.quantiles(latencies, n=100), len(latencies)
                rows.append(Row(name, served / took_s, cuts[49] * 1e3, cuts[98] * 1e3, cpu_s / served * 1e3))
            stage.has_no_bug()
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="for each kind of request")
    parser.add_argument("--askers", type=int, default=8, help="how many ask at once")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    load = os.getloadavg()[0]
    rows = measure(args.seconds, args.askers)
    if args.json:
        print(json.dumps({"askers": args.askers, "load": load, "rows": [row._asdict() for row in rows]}))
        return
    print(f"one platform process, {args.askers} askers; {os.cpu_count()} cores, load before {load:.1f}\n")
    print(f"{'request':<22}{'a second':>10}{'p50 ms':>10}{'p99 ms':>10}{'cpu ms':>10}")
    for row in rows:
        print(
            f"{row.name:<22}{row.a_second:>10,.0f}{row.p50_ms:>10.2f}{row.p99_ms:>10.2f}{row.cpu_ms:>10.2f}"
        )


if __name__ == "__main__":
    main()
