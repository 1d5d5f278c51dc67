"""The path of an order tells every event that matters, once, in order of time."""

from __future__ import annotations

from chaos.history import Book, Fault, History, Invoke, Unknown
from reports.path import STEPS_AT_MOST, path
from tests.reports import storms
from tests.reports.storms import MINUTE, OrderEvents, header


def run(*orders: OrderEvents) -> History:
    history = History(header())
    history.events = sorted((e for order in orders for e in order.events), key=lambda event: event.t_us)
    return history


def test_only_the_order_itself_is_told() -> None:
    """Nothing of another order, even of one whose number begins alike, is on the path."""
    mine, other = OrderEvents(1, MINUTE), OrderEvents(2, MINUTE)
    other.order_id, other.user = "O00010", "somebody-else"
    storms.plain(mine)
    storms.doubled(other)
    assert path(run(mine, other), "O0001") == path(run(mine), "O0001")


def test_from_click_to_card() -> None:
    """Every lane speaks: the click, the order, the money, the card, and what the user saw."""
    order = OrderEvents(1, MINUTE)
    storms.plain(order)
    keys = [(step.lane, step.key) for step in path(run(order), "O0001")]
    assert keys[0] == ("user", "place_order")
    assert ("channel", "channel_captured") in keys
    assert ("stock", "card") in keys
    assert keys[-1] == ("user", "finally")


def test_repeats_are_told_once_with_their_number() -> None:
    """Fifteen callbacks are two rows: the first, and the last with the count."""
    order = OrderEvents(1, MINUTE)
    storms.stuck(order)
    sent = [step for step in path(run(order), "O0001") if step.key == "channel_callback_sent"]
    assert [step.times for step in sent] == [1, 15]


def test_evidence_is_marked_and_never_dropped() -> None:
    """The events a witness names are alarms, however long the path is."""
    order = OrderEvents(1, MINUTE)
    storms.doubled(order)
    for number in range(60):
        data = {"channel": "wechat", "call": "query", "result": f"ANSWER-{number}"}
        order.events.append(Book(2 * MINUTE + number, "CH", "answered", "O0001/c1", data))
    history = run(order)
    witnesses = [
        i for i, e in enumerate(history.events) if isinstance(e, Book) and e.entry == "callback_acked"
    ]
    captured = [i for i, e in enumerate(history.events) if isinstance(e, Book) and e.entry == "captured"]
    steps = path(history, "O0001", [*witnesses, *captured])
    assert [step.key for step in steps if step.alarm] == ["channel_captured"]
    assert len(steps) == STEPS_AT_MOST


def test_faults_on_while_the_order_lived_are_told() -> None:
    """A window that ended before the click, or began after the last event, is not this order's."""
    order = OrderEvents(1, 10 * MINUTE)
    storms.stuck(order)
    for fault, start, end in (("node.crash", 1, 2), ("link.down", 9, 11), ("node.pause", 200, 201)):
        order.events.append(Fault(start * MINUTE, fault, "start", f"0/{fault}/x/window", {}))
        order.events.append(Fault(end * MINUTE, fault, "end", f"0/{fault}/x/window", {}))
    windows = [step for step in path(run(order), "O0001") if step.until_us is not None]
    assert [(step.key, step.t_us, step.until_us) for step in windows] == [
        ("link.down", 10 * MINUTE, 11 * MINUTE)
    ]


def test_touches_of_other_orders_are_not_told() -> None:
    """A lost callback of another order says nothing of this one."""
    order = OrderEvents(1, MINUTE)
    storms.plain(order)
    site = "0/channel.callback_loss/wechat/O0009/c1/1"
    order.events.append(Fault(2 * MINUTE, "channel.callback_loss", "touch", site, {"key": ["O0009/c1", "1"]}))
    assert not [step for step in path(run(order), "O0001") if step.lane == "fault"]


def test_an_order_that_does_not_exist_has_no_path() -> None:
    """No steps, no figure."""
    assert path(run(OrderEvents(1, MINUTE)), "O0404") == []


def test_an_operation_without_an_answer_is_told() -> None:
    """Unknown is a fact of its own: the user does not know."""
    order = OrderEvents(1, MINUTE)
    storms.plain(order)
    order.events.append(Invoke(3 * MINUTE, 900, order.user, "request_refund", {"order_id": "O0001"}))
    order.events.append(Unknown(4 * MINUTE, 900, order.user, "request_refund", {}))
    keys = [step.key for step in path(run(order), "O0001")]
    assert "request_refund" in keys
    assert "no_answer" in keys
