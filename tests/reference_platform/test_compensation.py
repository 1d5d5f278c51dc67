"""The compensation engine, rule by rule: what is owed is paid once, on time, and nothing else is."""

from __future__ import annotations

import pytest

from reference_platform.ports import MINUTE, OutcomeUnknown, SupplierReply, Unreachable
from reference_platform.tables import ATTEMPTS, CARDS, COMPENSATIONS, JOBS, ORDERS, POSTINGS, REFUNDS, TICKETS
from tests.reference_platform.floor import CARD, TOPUP, VIP, Floor
from tests.reference_platform.scripted import UNKNOWN

FAIL = SupplierReply("fail")
PROCESSING = SupplierReply("processing")


def silent(floor: Floor, quantity: int = 1, minutes: float = 0) -> str:
    """A paid top-up whose supplier says nothing, some minutes later."""
    floor.alpha.script.next("submit", UNKNOWN)
    floor.alpha.script.next("query", *[OutcomeUnknown("silence")] * 20)
    order_id = floor.buy(TOPUP, quantity)
    floor.run_for(minutes * 60)
    return order_id


def rules(floor: Floor) -> list[tuple[str, str, int]]:
    rows = sorted(floor.rows(COMPENSATIONS), key=lambda row: str(row["rule"]))
    return [(row["rule"], row["status"], row["amount_fen"]) for row in rows]


def wallet(floor: Floor) -> tuple[int, int]:
    body = floor.ask("view_wallet").body
    return body["balance_fen"], body["provisional_fen"]


# ---------------------------------------------------------------- K-01 and K-17


def test_five_minutes_undelivered_is_made_good() -> None:
    """K-01: equal value, and not to be spent while the supplier may still deliver."""
    floor = Floor()
    order_id = silent(floor, quantity=2, minutes=4.9)
    assert rules(floor) == []
    floor.run_for(10)
    assert rules(floor) == [("K-01", "provisional", 1000)]
    assert wallet(floor) == (0, 1000)
    assert floor.status(order_id) == "fulfilling", "the order stays open"
    assert floor.row(COMPENSATIONS)["evidence"]["captured_fen"] == 1000
    assert "compensation" in floor.notices.topics()


def test_made_good_once() -> None:
    """I-29: two nodes, many looks, one credit."""
    floor = Floor(nodes=2)
    silent(floor, minutes=30)
    assert rules(floor) == [("K-01", "provisional", 500)]


def test_a_rule_looked_at_twice_pays_once() -> None:
    """X-39: two workers, one incident."""
    floor = Floor()
    order_id = silent(floor, minutes=5.5)
    shop = floor.platforms["platform-1"].shop
    floor.kernel.spawn(shop.jobs.handlers["rule"](f"K-01|{order_id}|{order_id}", 1), "again")  # type: ignore[arg-type]
    floor.run_for(1)
    assert rules(floor) == [("K-01", "provisional", 500)]
    assert wallet(floor) == (0, 500)


def test_nothing_is_owed_for_a_delivery_in_time() -> None:
    """K-01 precision: the job is cancelled with the delivery."""
    floor = Floor()
    floor.buy(TOPUP)
    floor.run_for(2)
    assert floor.rows(JOBS, job="rule") == []
    floor.run_for(600)
    assert rules(floor) == []


def test_nothing_is_owed_inside_a_disclosed_wait_and_everything_after_it() -> None:
    """X-40: who was told to wait an hour is owed after an hour."""
    floor = Floor(wait_us=60 * MINUTE)
    silent(floor, minutes=59)
    assert rules(floor) == []
    floor.run_for(90)
    assert [rule for rule, _, _ in rules(floor)] == ["K-01"]


def test_nothing_is_owed_for_a_wallet_order() -> None:
    """There is no capture at any channel."""
    floor = Floor(wallet_fen=1000)
    floor.alpha.script.next("submit", UNKNOWN)
    floor.alpha.script.next("query", *[OutcomeUnknown("silence")] * 5)
    floor.order(TOPUP, pay_with="wallet")
    floor.run_for(400)
    assert rules(floor) == []


def test_the_original_succeeds_and_the_provisional_credit_is_void() -> None:
    """K-17: the credit goes as it came."""
    floor = Floor()
    order_id = silent(floor, minutes=5.5)
    floor.send(floor.alpha.callback(f"{order_id}/s1", floor.alpha.deliver(f"{order_id}/s1")))
    floor.run_for(1)
    assert rules(floor) == [("K-01", "voided", 500), ("K-17", "done", 500)]
    assert wallet(floor) == (0, 0)
    assert floor.status(order_id) == "completed"
    assert floor.balance("compensation_cost") == 0
    assert floor.balance("suspense") == 0
    assert floor.notices.topics()[-2:] == ["order_completed", "compensation_voided"]


def spendable(floor: Floor) -> str:
    """A paid top-up that no supplier has been asked for yet, made good with money that can be spent."""
    floor.alpha.script.next("submit", FAIL)
    floor.suppliers["beta"].script.next("submit", PROCESSING)
    order_id = floor.buy(TOPUP, quantity=2)
    floor.run_for(1)
    shop = floor.platforms["platform-1"].shop
    # Between two suppliers nothing is undecided: put the order there by hand and let the rule look.
    run = shop.transactions.run

    async def set_aside(tx: object) -> None:
        await tx.update(ATTEMPTS, f"{order_id}/s2", {"status": "fail"})  # type: ignore[attr-defined]

    floor.kernel.spawn(run(set_aside), "set aside")
    floor.run_for(150)

    async def put_back(tx: object) -> None:
        await tx.update(ATTEMPTS, f"{order_id}/s2", {"status": "processing"})  # type: ignore[attr-defined]

    async def decide(tx: object) -> None:
        engine = shop.remedies
        await engine.decide(tx, engine.rules["K-01"], order_id, order_id)  # type: ignore[attr-defined]

    floor.kernel.spawn(run(decide), "decide")
    floor.run_for(1)
    floor.kernel.spawn(run(put_back), "put back")
    floor.run_for(200)
    return order_id


def test_a_credit_that_was_spent_is_our_loss() -> None:
    """K-17: what is left is taken back, the rest is booked as the platform's loss."""
    floor = Floor()
    order_id = spendable(floor)
    assert wallet(floor) == (1000, 0)
    floor.order(VIP, key="k2", pay_with="wechat")
    spent = floor.ask("place_order", client_key="k3", sku=TOPUP, quantity=1, pay_with="wallet", account="139")
    assert spent.status == 200
    assert wallet(floor) == (500, 0)
    beta = floor.suppliers["beta"]
    floor.send(beta.callback(f"{order_id}/s2", beta.deliver(f"{order_id}/s2", 2)))
    floor.run_for(2)
    assert rules(floor) == [("K-01", "loss", 1000), ("K-17", "done", 1000)]
    assert wallet(floor) == (0, 0)
    assert floor.balance("platform_loss") == 500
    assert floor.balance("compensation_cost") == 0


def test_the_original_fails_for_good_and_the_credit_is_the_refund() -> None:
    """No second refund: the provisional credit becomes the member's own."""
    floor = Floor(suppliers=("alpha",))
    order_id = silent(floor, minutes=5.5)
    floor.send(floor.alpha.callback(f"{order_id}/s1", FAIL))
    floor.run_for(2)
    assert floor.status(order_id) == "refunded"
    assert rules(floor) == [("K-01", "done", 500)]
    assert wallet(floor) == (500, 0)
    assert floor.channel.refunds == {}
    assert floor.rows(REFUNDS) == []
    assert floor.balance("suspense") == 0
    assert floor.balance("compensation_cost") == 0


def test_a_credited_order_is_not_refunded_on_request() -> None:
    """The member has had the value already."""
    floor = Floor()
    order_id = silent(floor, minutes=5.5)
    assert floor.ask("request_refund", order_id=order_id).status == 409


# ---------------------------------------------------------------- K-03, K-04, K-05


def test_the_second_payment_of_an_order_goes_back_in_full() -> None:
    """K-03: one order, two channels, one of them refunded."""
    floor = Floor()
    order_id = floor.order()
    floor.ask("new_charge", order_id=order_id, channel="alipay")
    floor.pay(order_id)
    floor.send(floor.channels["alipay"].pay(f"{order_id}/c2"))
    floor.run_for(60)
    assert rules(floor) == [("K-03", "done", 1000)]
    assert floor.channels["alipay"].refunded_fen() == 1000
    assert floor.channel.refunds == {}
    assert len(floor.rows(CARDS, status="sold")) == 1
    assert floor.row(ORDERS)["refunded_qty"] == 0
    assert floor.balance("suspense") == 0


def test_a_third_payment_goes_back_as_well() -> None:
    """K-03: each extra charge is an incident of its own."""
    floor = Floor()
    order_id = floor.order()
    for channel in ("alipay", "wechat"):
        floor.ask("new_charge", order_id=order_id, channel=channel)
    floor.pay(order_id)
    floor.send(floor.channels["alipay"].pay(f"{order_id}/c2"))
    floor.pay(order_id, n=3)
    floor.run_for(100)
    assert rules(floor) == [("K-03", "done", 1000)] * 2
    assert floor.balance("suspense") == 0


def test_the_right_amount_after_a_wrong_one_pays_the_order() -> None:
    """K-03 and I-04: the wrong amount was the extra one."""
    floor = Floor()
    order_id = floor.order()
    floor.ask("new_charge", order_id=order_id, channel="wechat")
    floor.pay(order_id, paid_fen=999)
    floor.pay(order_id, n=2)
    floor.run_for(60)
    assert floor.path(order_id) == ["created", "held", "paid", "completed"]
    assert floor.channel.refunds == {f"{order_id}/r1": (f"{order_id}/c1", 999, "SUCCESS")}
    assert rules(floor) == [("K-03", "done", 999)]
    assert floor.balance("suspense") == 0


def test_money_without_an_order_goes_back() -> None:
    """K-04: the shop's static code; confirmed with the channel first."""
    floor = Floor()
    assert floor.send(floor.channel.pay("Q-ann-1", 700)).status == 200
    floor.run_for(60)
    assert rules(floor) == [("K-04", "done", 700)]
    assert floor.channel.refunds == {"Q-ann-1/r1": ("Q-ann-1", 700, "SUCCESS")}
    assert floor.balance("suspense") == 0
    floor.run_for(2000)
    assert floor.rows(TICKETS) == []


def closed(floor: Floor, quantity: int = 1) -> str:
    """An order that expired unpaid, its code payable still."""
    order_id = floor.order(CARD, quantity)
    floor.run_for(905)
    assert floor.status(order_id) == "closed"
    return order_id


def test_a_late_payment_is_fulfilled_from_new_stock() -> None:
    """K-05, X-04: reserve again and deliver."""
    floor = Floor()
    order_id = closed(floor)
    floor.pay(order_id)
    floor.run_for(1)
    assert floor.path(order_id) == ["created", "closing", "closed", "paid_late", "completed"]
    assert rules(floor) == [("K-05", "done", 1000)]


def test_a_late_payment_without_stock_goes_back_in_full() -> None:
    """K-05, I-21: the card went to somebody else meanwhile."""
    floor = Floor(cards=1)
    order_id = closed(floor)
    floor.buy(key="k2")
    floor.pay(order_id)
    floor.run_for(60)
    assert floor.path(order_id)[-3:] == ["paid_late", "refunding", "refunded"]
    assert rules(floor) == [("K-05", "done", 1000)]
    assert floor.balance("suspense") == 0


def test_a_late_payment_with_too_little_stock_is_fulfilled_in_part() -> None:
    """K-05 delivers what is there and K-06 refunds the rest."""
    floor = Floor(cards=2)
    order_id = closed(floor, quantity=2)
    floor.buy(key="k2")
    floor.pay(order_id)
    floor.run_for(60)
    row = floor.row(ORDERS, order_id=order_id)
    assert (row["status"], row["delivered_qty"], row["refunded_qty"]) == ("completed", 1, 1)
    assert [rule for rule, _, _ in rules(floor)] == ["K-05", "K-06"]


# ---------------------------------------------------------------- K-06, K-13, K-16


def test_missing_pieces_are_refunded_by_the_piece() -> None:
    """K-06, X-25: 3 of 4 delivered, one piece's price back, the order complete."""
    floor = Floor()
    floor.alpha.script.next("submit", SupplierReply("success", 3, 240))
    order_id = floor.buy(TOPUP, quantity=4)
    floor.run_for(60)
    row = floor.row(ORDERS, order_id=order_id)
    assert (row["status"], row["delivered_qty"], row["refunded_qty"]) == ("completed", 3, 1)
    assert floor.channel.refunds == {f"{order_id}/r1": (f"{order_id}/c1", 500, "SUCCESS")}
    assert rules(floor) == [("K-06", "done", 500)]
    assert floor.balance("suspense") == 0
    assert floor.notices.topics() == ["order_partly_refunded"]


def test_a_false_success_is_found_out_and_paid_back() -> None:
    """K-13, X-23, I-15: the confirming query says fail; delivery and cost leave the books again."""
    floor = Floor()
    floor.alpha.script.next("submit", SupplierReply("success", 2, 160))
    floor.alpha.script.next("query", FAIL)
    order_id = floor.buy(TOPUP, quantity=2)
    floor.run_for(1)
    assert floor.status(order_id) == "completed"
    floor.run_for(260)
    row = floor.row(ORDERS, order_id=order_id)
    assert (row["status"], row["delivered_qty"], row["refunded_qty"]) == ("completed", 0, 2)
    assert rules(floor) == [("K-13", "done", 1000)]
    assert [floor.balance(name) for name in ("revenue", "supplier_cost", "suspense")] == [0, 0, 0]


def test_a_late_success_is_checked_twice_as_well() -> None:
    """K-13: the supplier claims success 40 minutes on, confirms it once, and then admits the truth."""
    floor = Floor()
    floor.alpha.script.next("submit", SupplierReply("processing"))
    floor.buy(TOPUP)
    success = SupplierReply("success", 1, 80)
    floor.alpha.script.next("query", *[SupplierReply("processing")] * 13, success, success, FAIL)
    floor.run_for(75 * 60)
    assert ("K-13", "done", 500) in rules(floor)


def test_suspense_of_thirty_minutes_is_a_ticket_for_two_teams() -> None:
    """K-16: not a minute earlier."""
    floor = Floor()
    order_id = floor.order()
    floor.pay(order_id, paid_fen=1)
    floor.run_for(29.5 * 60)
    assert floor.rows(TICKETS) == []
    floor.run_for(40)
    assert floor.row(TICKETS)["team"] == "finance+engineering"
    assert rules(floor) == [("K-16", "done", 1)]


def test_an_orphan_that_cannot_be_refunded_is_a_ticket() -> None:
    """K-16: money that matches nothing and will not leave."""
    floor = Floor()
    floor.channel.script.next("refund", *[Unreachable("down")] * 40)
    floor.send(floor.channel.pay("Q-ann-1", 700))
    floor.run_for(1805)
    assert floor.row(TICKETS)["reason"] == "unmatched"


# ---------------------------------------------------------------- without it


@pytest.mark.parametrize("design", ["naive", "outbox", "supplier_fence"])
def test_without_the_engine_nothing_is_made_good(design: str) -> None:
    """The step of the ladder that `compensated` adds."""
    floor = Floor(design)
    silent(floor, minutes=10)
    assert rules(floor) == []


def test_every_posting_balances_and_no_wallet_is_negative() -> None:
    """I-07, I-08 after a bit of everything."""
    floor = Floor(wallet_fen=2000)
    silent(floor, minutes=6)
    floor.order(key="w", pay_with="wallet")
    floor.buy(VIP, key="v")
    assert all(sum(fen for _, fen in row["lines"]) == 0 for row in floor.rows(POSTINGS))
    balance, provisional = wallet(floor)
    assert (balance, provisional) == (1000, 500)
    assert floor.balance("wallet:ann") == 1000, "the opening balance of 2000 was never posted"
