"""Arrivals are named in every reference; sites and rules follow them when others are left out."""

from __future__ import annotations

from chaos.checkers.verdict import Witness
from chaos.history import Book, Header, History
from chaos.shrink.numbers import follow, numbers_in, of_users, of_witness, renamed
from scenarios.faults import FAULTS
from sim.traffic import Arrival

HEADER = Header(1, "0", "s", "d", 1, 1, 2, 3)


def captured(*refs: str) -> History:
    history = History(HEADER)
    for ref in refs:
        history.events.append(Book(1, "CH", "captured", ref, {"paid_fen": 1}))
    return history


def test_every_kind_of_reference_names_its_arrival() -> None:
    """Client keys, orders, charges, orders paid by credit, and payments without an order."""
    assert numbers_in("order-u3-k7/c1 u3:k12 order-u3-k5-credit4 order-u1-k2.2/r1 Q-u4-9") == [7, 12, 5, 2, 9]
    assert numbers_in("game-100#0000001 wechat kind") == []


def test_a_witness_names_what_its_events_name() -> None:
    """A card sold twice: the witness has the card, its events the two orders."""
    history = captured("order-u1-k1/c1", "order-u2-k2/c1", "order-u3-k3/c1")
    assert of_witness(history, Witness("card", "game-100#1", "twice", events=(0, 2))) == {1, 3}
    assert of_witness(history, Witness("order", "order-u2-k2", "lost")) == {2}


def test_a_member_is_all_of_their_orders() -> None:
    """For a wallet every order of its owner may matter."""
    history = History(HEADER)
    history.invoke("u1", "place_order", {"client_key": "k4"})
    history.invoke("u2", "place_order", {"client_key": "k5"})
    history.invoke("u1", "view_order", {"order_id": "order-u1-k6"})
    assert of_users(history, ("u1",)) == {4, 6}


def test_a_rule_that_counts_events_goes_on_waiting_for_the_same_one() -> None:
    """The third capture is the first of those that are left."""
    rule = FAULTS["node.crash"].model_validate(
        {"fault": "node.crash", "node": "platform-1", "on": "book.CH.captured", "nth": 3}
    )
    history = captured("order-u1-k1/c1", "order-u2-k2/c1", "order-u3-k3/c1", "order-u4-k4/c1")
    assert follow(rule, history, {3}).nth == 1
    assert follow(rule, history, {1, 3, 4}).nth == 2
    assert follow(rule, history, {4}).nth == 1


def test_sites_take_the_new_names_of_their_arrivals() -> None:
    """A plan fits the renumbered case: order, member and strays; windows stay as they are."""
    plan = {
        "0/user.pay_late/u3/k7": {"delay_us": 1},
        "1/channel.callback_loss/wechat/order-u3-k7/c1/n1/2": {},
        "2/user.static_code/u5/k9": {},
        "3/channel.callback_delay/wechat/Q-u5-9/n1": {"delay_us": 2},
        "4/node.crash/acting/window": {},
    }
    new = {7: Arrival(0, 1, "u0", "x", 1, "wechat"), 9: Arrival(1, 2, "u0", "x", 1, "wechat")}
    assert list(renamed(plan, new)) == [
        "0/user.pay_late/u0/k0",
        "1/channel.callback_loss/wechat/order-u0-k0/c1/n1/2",
        "2/user.static_code/u0/k1",
        "3/channel.callback_delay/wechat/Q-u0-1/n1",
        "4/node.crash/acting/window",
    ]
