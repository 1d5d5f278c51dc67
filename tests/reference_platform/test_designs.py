"""The ladder of designs: in calm weather all of them work, and each adds one remedy."""

from __future__ import annotations

import pytest

from reference_platform import designs
from reference_platform.designs import LADDER
from reference_platform.ports import Response
from reference_platform.tables import CARDS, OUTBOX, POSTINGS
from tests.reference_platform.floor import CARD, TOPUP, VIP, Floor
from tests.reference_platform.test_jobs import schedule


@pytest.mark.parametrize("name", LADDER)
def test_a_calm_day_is_calm_on_every_design(name: str) -> None:
    """Every kind of goods, each delivered once and paid for once."""
    floor = Floor(name, wallet_fen=1000)
    orders = [floor.buy(sku, key=sku) for sku in (CARD, TOPUP, VIP)]
    orders.append(floor.order(CARD, key="w", pay_with="wallet"))
    floor.run_for(5)
    assert [floor.status(order_id) for order_id in orders] == ["completed"] * 4
    assert len(floor.rows(CARDS, status="sold")) == 2
    assert floor.balance("suspense") == 0
    assert len(floor.rows(POSTINGS, posting="capture")) == 3
    assert floor.notices.topics() == ["order_completed"] * 4
    assert floor.ask("view_product", sku=CARD).body["shown"] == 3


@pytest.mark.parametrize("name", LADDER)
def test_a_design_says_what_it_is(name: str) -> None:
    """In two languages, in one sentence."""
    design = designs.load(name)
    assert design.name == name
    assert design.summary.endswith(".")
    assert design.summary_zh.endswith("。")
    assert design.config.nodes >= 1


@pytest.mark.parametrize("name", ["callback_idempotent", "outbox"])
def test_fulfilment_survives_a_crash_from_the_outbox_on(name: str) -> None:
    """X-45: paid, and then the node dies."""
    floor = Floor(name)
    order_id = floor.order(TOPUP)
    floor.alpha.script.next("submit", *[])
    floor.send(floor.channel.pay(f"{order_id}/c1"))
    floor.nodes["platform-1"].crash()
    floor.nodes["platform-1"].restart()
    floor.run_for(120)
    assert (floor.status(order_id) in ("completed", "refunded")) == (name == "outbox")


def test_a_task_in_memory_that_fails_is_simply_lost() -> None:
    """What a job would have repeated: the connection breaks while the goods are handed over."""
    floor = Floor("callback_idempotent")
    order_id = floor.order()
    before = floor.commits
    answers: list[Response] = []
    floor.send_later(floor.channel.pay(f"{order_id}/c1"), answers)
    while floor.commits == before:
        floor.run_for(0.0001)
    floor.database.faults.drop_connections()
    floor.run_for(10)
    assert floor.status(order_id) == "paid"


def test_a_notice_that_was_not_told_is_told_after_the_restart() -> None:
    """The outbox is swept at each start."""
    floor = Floor()
    order_id = floor.order()
    before = floor.commits
    answers: list[Response] = []
    floor.send_later(floor.channel.pay(f"{order_id}/c1"), answers)
    while floor.commits == before:
        floor.run_for(0.00001)
    floor.nodes["platform-1"].crash()
    floor.notices.told.clear()
    floor.nodes["platform-1"].restart()
    floor.run_for(6)
    assert floor.notices.topics() == ["order_completed"]
    assert floor.row(OUTBOX)["status"] == "sent"


def test_the_last_design_runs_on_two_nodes_without_losing_commits() -> None:
    """Its replication is synchronous."""
    config = designs.load("resilient").config
    assert (config.nodes, config.replication, config.policy) == (2, "sync", "standard")


def test_a_plain_card_order_is_cheap() -> None:
    """At most 25 statements and 8 transactions for an order, jobs included; this bounds the whole harness."""
    from sim.database.transaction import SimTransaction

    floor = Floor(nodes=2)
    schedule(floor, "keeps the others quiet", 10**6)
    floor.buy(key="first")
    floor.run_for(30)
    counted = 0
    transactions: dict[object, None] = {}
    originals = {}
    for name in ("get", "select", "insert", "update", "update_where", "delete_where"):
        originals[name] = getattr(SimTransaction, name)

        def count(
            self: object, *args: object, original: object = originals[name], **kwargs: object
        ) -> object:
            nonlocal counted
            counted += 1
            transactions[self] = None
            return original(self, *args, **kwargs)  # type: ignore[operator]

        setattr(SimTransaction, name, count)
    try:
        order_id = floor.order(key="second")
        floor.run_for(5)
        floor.pay(order_id)
        floor.run_for(60)
    finally:
        for name, original in originals.items():
            setattr(SimTransaction, name, original)
    assert counted <= 25
    assert len(transactions) <= 8
