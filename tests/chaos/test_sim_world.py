"""One world from start to end: its phases, what is read last, and what a failover takes back."""

from __future__ import annotations

from chaos.history import Read, State
from chaos.opening import QUIET_US
from chaos.run import run
from tests.chaos.worlds import PRODUCTS, of, storm


def test_every_order_wallet_membership_and_product_is_read_in_the_end() -> None:
    """As its user would see it, when all is quiet."""
    result = run(storm({"fault": "user.abandon", "probability": 0.3}), "resilient", 1)
    orders = {
        event.key: event.row["user"] for event in of(result.history, State, table="orders", op="insert")
    }
    reads = {(read.subject, read.key) for read in of(result.history, Read)}
    people = set(orders.values())
    assert reads == {
        *(("order", order_id) for order_id in orders),
        *(("wallet", user) for user in people),
        *(("membership", user) for user in people),
        *(("product", product["sku"]) for product in PRODUCTS),
    }
    assert not any("error" in read.value for read in of(result.history, Read))


def test_the_last_reads_come_after_every_retry_of_every_counterparty() -> None:
    """WeChat Pay's last callback is 24 h 4 min after its first."""
    result = run(storm({"fault": "channel.callback_loss"}), "resilient", 1)
    assert QUIET_US >= (24 * 60 + 24) * 60 * 1_000_000
    assert result.header.end_us == result.header.settle_by_us + QUIET_US
    assert all(read.t_us >= result.header.end_us for read in of(result.history, Read))


def test_what_a_failover_takes_back_is_in_the_history() -> None:
    """The rows as they were before, newest first, and a lost order is not read in the end."""
    rule = {"fault": "database.failover", "on": "state.orders.created", "nth": 3}
    result = run(storm(rule, knobs={"replica_lag": "5s"}), "naive", 1)
    reverts = of(result.history, State, op="revert")
    assert reverts
    lost = {event.key for event in reverts if event.table == "orders" and event.row is None}
    again = {
        event.key
        for event in of(result.history, State, table="orders", op="insert")
        if event.t_us > reverts[-1].t_us
    }
    read = {event.key for event in of(result.history, Read, subject="order")}
    assert lost and not (lost - again) & read
    assert [event.tx for event in reverts] == sorted((event.tx for event in reverts), reverse=True)
