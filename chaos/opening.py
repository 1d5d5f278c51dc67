"""How a run sets out, in either world: who and what is there, in which state, and what everybody wants.

Scenario, design and seed alone decide it. So the simulated and the live world of one run begin with the
same rows, the same wishes and the same header, and their verdicts can be compared.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace
from typing import Any, cast

from chaos.history import SCHEMA, Header
from reference_platform.designs import Design
from reference_platform.ports import DAY, HOUR, MINUTE, Table
from reference_platform.tables import CARDS, MEMBERSHIPS, PRODUCTS, WALLETS
from reference_platform.wiring import Config
from scenarios.model import Scenario
from scenarios.workload import Burst, Constant, Product, StepPeak, Workload
from sim import traffic
from sim.clock import EPOCH_US
from sim.counterparties.signatures import MacSeal, Seal
from sim.people.person import Shop
from sim.randomness import Streams, Weighted
from sim.traffic import Arrival, Demand, arrivals

APP_ID = "app-shop"
QUIET_US = 24 * HOUR + 24 * MINUTE
"""How long after the heal a run goes on: past the last retry of every counterparty."""

REPLICA_LAG_US = 100_000
STATE_DEADLINES_US = {
    "closing": 20 * MINUTE,
    "paid": 40 * MINUTE,
    "paid_late": 40 * MINUTE,
    "fulfilling": 60 * MINUTE,
    "held": 40 * MINUTE,
    "refunding": 60 * MINUTE,
}
VERSION = "0.1.0"


class Opening:
    """The state of the world at time 0. `config` is what the platform is told, `machines` what it runs on."""

    def __init__(self, scenario: Scenario, design: Design, seed: int) -> None:
        self.scenario = scenario
        self.design = design
        self.streams = Streams(seed)
        timing, knobs = scenario.timing, scenario.knobs
        self.config: Config = replace(design.config, expiry_us=timing.expiry)
        self.machines: Config = replace(
            self.config,
            nodes=knobs.nodes or self.config.nodes,
            workers=knobs.workers or self.config.workers,
            pool_size=knobs.pool_size or self.config.pool_size,
            replication=knobs.replication or self.config.replication,
        )
        self.heal_us = timing.safety
        self.settle_by_us = timing.safety + timing.deadline
        self.end_us = self.settle_by_us + QUIET_US

    def node_names(self) -> tuple[str, ...]:
        """The platform's nodes."""
        return tuple(f"platform-{number}" for number in range(1, self.machines.nodes + 1))

    def replica_lag_us(self) -> int:
        """How far the replica is behind when nothing is wrong."""
        wanted = self.scenario.knobs.replica_lag
        if wanted is not None:
            return wanted
        return REPLICA_LAG_US if self.machines.replication == "async" else 0

    def users(self) -> list[str]:
        """Every member's name."""
        return [f"u{number}" for number in range(self.scenario.workload.members)]

    def header(self) -> Header:
        """The history's first line."""
        scenario = self.scenario
        return Header(
            schema=SCHEMA,
            version=VERSION,
            scenario=scenario.name,
            design=self.design.name,
            seed=self.streams.seed,
            heal_us=self.heal_us,
            settle_by_us=self.settle_by_us,
            end_us=self.end_us,
            policy=self.design.policy_summary(),
            facts={
                "epoch_us": EPOCH_US,
                "expiry_us": scenario.timing.expiry,
                "products": {product.sku: _product_facts(product) for product in scenario.workload.products},
                "wallets": self._wallets(),
                "members": self._members(),
                "state_deadlines_us": STATE_DEADLINES_US | {"created": scenario.timing.expiry + 10 * MINUTE},
            },
        )

    def rows(self) -> Iterator[tuple[Table[Any], list[dict[str, Any]]]]:
        """What is in the database before the run: products, stock, wallets, memberships."""
        for product in self.scenario.workload.products:
            yield cast("Table[Any]", PRODUCTS), [_product_row(product)]
            yield cast("Table[Any]", CARDS), [_card_row(product.sku, n) for n in range(1, product.stock + 1)]
        wallets = self._wallets().items()
        yield (
            cast("Table[Any]", WALLETS),
            [{"user": user, "balance_fen": fen, "provisional_fen": 0} for user, fen in wallets],
        )
        yield (
            cast("Table[Any]", MEMBERSHIPS),
            [{"user": user, "until_us": until_us} for user, until_us in self._members().items()],
        )

    def shop(self) -> Shop:
        """What people know of the goods."""
        products = self.scenario.workload.products
        return Shop(
            kinds={product.sku: product.kind for product in products},
            prices_fen={product.sku: product.price_fen for product in products},
        )

    def seals(self) -> dict[str, Seal]:
        """The key that each counterparty shares with the platform."""
        workload = self.scenario.workload
        return {
            name: MacSeal(f"key of {name}".encode()) for name in (*workload.channels(), *workload.suppliers())
        }

    def wishes(self, keep: Container[int] | None = None) -> Iterator[Arrival]:
        """Who orders what, and when; with `keep`, only the arrivals of these numbers."""
        return wishes(self.scenario.workload, self.streams, keep)

    def _wallets(self) -> dict[str, int]:
        opening = self.scenario.workload.wallet_fen
        return dict.fromkeys(self.users(), opening) if opening else {}

    def _members(self) -> dict[str, int]:
        """Who is a member when the run begins, and until when by the platform's clock."""
        share = self.scenario.workload.members_with_membership
        chance = self.streams.chance
        return {user: EPOCH_US + 20 * DAY for user in self.users() if chance("members", share, user)}


def wishes(workload: Workload, streams: Streams, keep: Container[int] | None = None) -> Iterator[Arrival]:
    """Who orders what, and when; with `keep`, only the arrivals of these numbers."""
    ranks = range(1, len(workload.products) + 1)
    weights = [
        rank**-workload.zipf if workload.zipf else product.weight
        for rank, product in zip(ranks, workload.products, strict=True)
    ]
    demand = Demand(
        people=workload.members,
        products=Weighted([product.sku for product in workload.products], weights),
        pay_with=Weighted(workload.pay_with.keys(), workload.pay_with.values()),
        quantity_min=workload.quantity.min,
        quantity_max=workload.quantity.max,
    )
    return arrivals(streams, _shape(workload.arrivals), demand, workload.orders, keep)


def _shape(wanted: Constant | StepPeak | Burst) -> traffic.Shape:
    if isinstance(wanted, Constant):
        return traffic.Constant(wanted.rate_per_s)
    if isinstance(wanted, StepPeak):
        return traffic.StepPeak(wanted.base_per_s, wanted.factor, wanted.at, wanted.ramp, wanted.half_life)
    return traffic.Burst(wanted.within)


def _product_facts(product: Product) -> dict[str, Any]:
    return {
        "kind": product.kind,
        "unit_fen": product.price_fen,
        "member_fen": product.member_price_fen or product.price_fen,
        "days": product.days,
        "suppliers": list(product.suppliers),
        "disclosed_wait_us": product.disclosed_wait,
        "loaded": product.stock,
    }


def _product_row(product: Product) -> dict[str, Any]:
    facts = _product_facts(product)
    shown = facts.pop("loaded")
    return {"sku": product.sku, **facts, "suppliers": product.suppliers, "shown": shown}


def _card_row(sku: str, number: int) -> dict[str, Any]:
    card_id = f"{sku}#{number:07d}"
    return {
        "card_id": card_id,
        "sku": sku,
        "secret": f"secret of {card_id}",
        "status": "available",
        "order_id": "",
    }
