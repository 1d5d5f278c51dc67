"""Checkout: one key, one order, and nothing outside before everything is committed."""

from __future__ import annotations

from reference_platform.ports import Request, Response, Unreachable
from reference_platform.tables import CARDS, CHARGES, IDEMPOTENCY, ORDERS
from tests.reference_platform.floor import CARD, TOPUP, VIP, Floor
from tests.reference_platform.scripted import UNKNOWN


def place(key: str = "k1", **changes: object) -> Request:
    body = {"client_key": key, "sku": CARD, "quantity": 1, "pay_with": "wechat", "account": ""}
    return Request("place_order", "ann", body | changes)


def test_an_order_reserves_its_cards_and_opens_its_charge() -> None:
    """Order, reservation and charge come together; the charge carries the order's number."""
    floor = Floor()
    order_id = floor.order(quantity=2)
    assert floor.status(order_id) == "created"
    assert len(floor.rows(CARDS, order_id=order_id, status="reserved")) == 2
    assert floor.row(CHARGES)["status"] == "open"
    assert floor.channel.charges[f"{order_id}/c1"]["amount_fen"] == 2000


def test_the_order_is_committed_before_the_channel_hears_of_it() -> None:
    """X-10: a payment can never meet an order that is not there."""
    floor = Floor()
    answers: list[Response] = []
    floor.send_later(place(), answers)
    while not floor.channel.script.calls:
        floor.run_for(0.0001)
    assert not answers
    assert len(floor.rows(ORDERS)) == 1


def test_the_same_key_gives_the_same_order() -> None:
    """I-26: a repeat of a finished request is answered, not executed."""
    floor = Floor()
    first, second = floor.send(place()), floor.send(place())
    assert first.body["order_id"] == second.body["order_id"]
    assert len(floor.rows(ORDERS)) == 1
    assert floor.channel.script.count("create") == 1


def test_two_clicks_at_once_give_one_order() -> None:
    """I-26: the second click waits for the first and is told to come back."""
    floor = Floor(nodes=2)
    answers: list[Response] = []
    floor.send_later(place(), answers, "platform-1")
    floor.send_later(place(), answers, "platform-2")
    floor.run_for(1)
    assert sorted(answer.status for answer in answers) == [200, 503]
    assert len(floor.rows(ORDERS)) == 1


def test_a_key_with_another_body_is_refused() -> None:
    """A key stands for one request."""
    floor = Floor()
    floor.send(place())
    assert floor.send(place(quantity=2)).status == 409


def test_a_key_can_be_used_again_after_its_holder_died() -> None:
    """X-44: the lease of a crashed request runs out after 30 s, and a repeat finishes its work."""
    floor = Floor()
    answers: list[Response] = []
    floor.send_later(place(), answers)
    while not floor.rows(IDEMPOTENCY):
        floor.run_for(0.0001)
    floor.nodes["platform-1"].crash()
    floor.nodes["platform-1"].restart()
    assert floor.send(place()).status == 503
    floor.run_for(31)
    again = floor.send(place())
    assert again.status == 200
    assert len(floor.rows(ORDERS)) == 1
    assert floor.row(IDEMPOTENCY)["status"] == "done"


def test_a_channel_that_gives_no_answer_is_asked_again_by_the_same_number() -> None:
    """An unknown create is repeated under its own number; the user is told to try again."""
    floor = Floor()
    floor.channel.script.next("create", UNKNOWN)
    assert floor.send(place()).status == 503
    again = floor.send(place())
    assert again.status == 200
    assert [ref for call, ref in floor.channel.script.calls if call == "create"] == [
        again.body["charge_no"]
    ] * 2


def test_the_watch_opens_a_charge_that_its_request_could_not() -> None:
    """Even when the user never comes back, the charge is opened under its number."""
    floor = Floor()
    floor.channel.script.next("create", Unreachable("down"))
    floor.send(place())
    floor.run_for(40)
    assert floor.channel.script.count("create") == 2


def test_out_of_stock_leaves_nothing_behind() -> None:
    """A refusal has no effect: no order, no key, no card held."""
    floor = Floor(cards=1)
    answer = floor.send(place(quantity=2))
    assert (answer.status, answer.body["error"]) == (409, "out_of_stock")
    assert floor.rows(ORDERS) == []
    assert floor.rows(IDEMPOTENCY) == []
    assert floor.row(CARDS)["status"] == "available"


def test_the_last_card_goes_to_one_of_two_buyers() -> None:
    """X-29: whoever locks it first has it."""
    floor = Floor(cards=1, nodes=2)
    answers: list[Response] = []
    floor.send_later(place("a"), answers, "platform-1")
    floor.send_later(place("b"), answers, "platform-2")
    floor.run_for(1)
    assert sorted(answer.status for answer in answers) == [200, 409]


def test_bad_requests_are_refused_by_name() -> None:
    """4xx: certainly no effect."""
    floor = Floor()
    assert floor.send(place(quantity=0)).body["error"] == "bad_quantity"
    assert floor.send(place(quantity=True)).body["error"] == "bad_quantity"
    assert floor.send(place(pay_with="cash")).body["error"] == "unknown_channel"
    assert floor.send(place(sku="nothing")).status == 404
    assert floor.send(place(key="")).status == 400
    assert floor.ask("no_such_action").status == 404


def test_a_member_pays_the_member_price() -> None:
    """I-28: member price if and only if a member at order time."""
    floor = Floor(member_fen=900, member=True)
    row = floor.row(ORDERS, order_id=floor.order(key="m"))
    assert (row["unit_fen"], row["member_price"]) == (900, True)
    other = Floor(member_fen=900)
    row = other.row(ORDERS, order_id=other.order())
    assert (row["unit_fen"], row["member_price"]) == (1000, False)


def test_a_wallet_order_is_paid_and_delivered_at_once() -> None:
    """Wallet, order and goods are one transaction."""
    floor = Floor(wallet_fen=1500)
    order_id = floor.order(pay_with="wallet")
    assert floor.path(order_id) == ["created", "paid", "completed"]
    assert floor.ask("view_wallet").body["balance_fen"] == 500
    assert floor.send(place("k2", pay_with="wallet")).status == 402
    assert len(floor.rows(ORDERS)) == 1


def test_two_orders_cannot_spend_the_same_balance() -> None:
    """X-33: the wallet is locked while it is judged."""
    floor = Floor(wallet_fen=1500, nodes=2)
    answers: list[Response] = []
    floor.send_later(place("a", pay_with="wallet"), answers, "platform-1")
    floor.send_later(place("b", pay_with="wallet"), answers, "platform-2")
    floor.run_for(1)
    assert sorted(answer.status for answer in answers) == [200, 402]
    assert floor.ask("view_wallet").body["balance_fen"] == 500


def test_a_new_charge_has_its_own_number_and_only_while_unpaid() -> None:
    """The user changes channels; earlier charges are remembered."""
    floor = Floor()
    order_id = floor.order()
    answer = floor.ask("new_charge", order_id=order_id, channel="alipay")
    assert (answer.body["charge_no"], answer.body["channel"]) == (f"{order_id}/c2", "alipay")
    floor.pay(order_id)
    assert floor.ask("new_charge", order_id=order_id, channel="alipay").status == 409
    assert floor.ask("new_charge", "bob", order_id=order_id, channel="alipay").status == 404


def test_all_three_kinds_of_goods_are_delivered() -> None:
    """A calm day."""
    floor = Floor()
    orders = [floor.buy(sku, key=sku) for sku in (CARD, TOPUP, VIP)]
    floor.run_for(1)
    assert [floor.status(order_id) for order_id in orders] == ["completed"] * 3
    assert floor.ask("view_order", order_id=orders[0]).body["cards"] == ["secret-0"]
    assert floor.ask("view_membership").body["member"] is True
    assert floor.balance("suspense") == 0
