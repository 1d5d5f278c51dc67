"""Behaviours: equal when the same kinds of things happened in the same order, whoever they happened to."""

from __future__ import annotations

from time import process_time

from chaos.behaviour import behaviour
from chaos.history import Book, Event, Fault, State
from chaos.run import run
from scenarios import loading


def logged(order: str, before: str, after: str, cause: str = "c", t_us: int = 1) -> State:
    row = {"log_id": "x", "order_id": order, "from_status": before, "to_status": after, "cause": cause}
    return State(t_us, 1, "platform-1", "ORD", "order_log", "insert", f"log-{order}.1", row)


def answered(order: str, said: str) -> Book:
    return Book(2, "CH", "answered", f"{order}/c1", {"channel": "wechat", "call": "query", "result": said})


def struck(order: str, fault: str = "channel.callback_loss") -> Fault:
    return Fault(3, fault, "touch", f"0/{fault}/wechat/{order}/c1", {"key": [f"{order}/c1", "n1"]})


def life(order: str) -> list[Event]:
    return [logged(order, "created", "paid"), answered(order, "SUCCESS"), struck(order)]


def test_ids_and_times_make_no_difference() -> None:
    """Another member's order at another time lived the same life."""
    other = [logged("order-u7-k1", "created", "paid", t_us=99), *life("order-u7-k1")[1:]]
    assert behaviour(life("order-u0-k0")) == behaviour(other)


def test_how_many_orders_lived_a_life_makes_no_difference() -> None:
    """Nor does it matter how their lives were interleaved."""
    one, two = life("order-u0-k0"), life("order-u1-k1")
    mixed = [event for pair in zip(one, two, strict=True) for event in pair]
    assert behaviour(one) == behaviour(one + two) == behaviour(mixed)


def test_the_polls_of_a_query_count_once() -> None:
    """The same thing again and again is one thing; the same thing later is another."""
    once = [answered("order-1", "NOTPAY"), answered("order-1", "SUCCESS")]
    assert behaviour([once[0], *once]) == behaviour(once)
    assert behaviour([*once, once[0]]) != behaviour(once)


def test_order_cause_answer_and_fault_each_make_a_difference() -> None:
    """Whatever tells two lives apart, tells two behaviours apart."""
    seen = {
        behaviour(events)
        for events in (
            life("order-1"),
            life("order-1")[::-1],
            life("order-1")[:2],
            [logged("order-1", "created", "paid", "other"), *life("order-1")[1:]],
            [life("order-1")[0], answered("order-1", "NOTPAY"), struck("order-1")],
            [*life("order-1")[:2], struck("order-1", "link.loss_after")],
        )
    }
    assert len(seen) == 6


def test_a_row_that_a_failover_took_back_is_part_of_its_orders_life() -> None:
    """A revert has no row; its key names the order."""
    gone = State(4, 2, "platform-1", "ORD", "refunds", "revert", "order-1/r1", None)
    assert behaviour([*life("order-1"), gone]) != behaviour(life("order-1"))


def test_it_costs_next_to_nothing() -> None:
    """A few thousandths of what the run itself costs; ten times that is allowed to whatever else a machine does."""
    best_s = run_s = float("inf")
    for _ in range(5):
        began_s = process_time()
        result = run(loading.load("callback_late"), "resilient", 1)
        run_s = min(run_s, process_time() - began_s)
        began_s = process_time()
        behaviour(result.history.events)
        best_s = min(best_s, process_time() - began_s)
    assert best_s < run_s / 25
