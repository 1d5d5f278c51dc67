"""K-01: the credit for waiting too long."""

from __future__ import annotations

import pytest

from tests.chaos.oracle.lives import Life


def paid(**more: object) -> Life:
    """An order captured in minute 1."""
    return Life().order(0, **more).captured(1).status(1.1, "paid")  # type: ignore[arg-type]


def test_an_order_delivered_within_five_minutes_is_owed_nothing() -> None:
    """No trigger, no debt; the order is not even replayed."""
    audit = paid().completed(5.9).audit()
    assert audit.findings == []
    assert audit.replayed == 0


def test_an_order_nobody_paid_is_owed_nothing() -> None:
    """No capture, no compensation."""
    assert Life().order().status(16, "closed").verdicts() == []


def test_a_credit_in_the_sixth_minute_is_exact() -> None:
    """Five minutes to wait and one to act: the amount is the whole price."""
    assert paid().posting(6.5, "credit").verdicts("K-01") == ["exact"]


def test_no_credit_for_an_undelivered_order_is_missed() -> None:
    """The member paid and got neither goods nor credit."""
    (finding,) = paid().audit().wrong()
    assert (finding.rule, finding.verdict, finding.owed_fen) == ("K-01", "missed", 1000)
    assert (finding.due_us, finding.by_us) == (6 * 60_000_000, 7 * 60_000_000)
    assert (finding.user, finding.state) == ("ann", "paid")


def test_a_capture_the_platform_never_learned_of_still_obliges_it() -> None:
    """A lost callback is no excuse: the platform can ask the channel."""
    life = Life().order().captured(1).fault(1, "touch", "channel.callback_loss")
    assert life.verdicts() == ["missed"]


def held_then_paid() -> Life:
    """A wrong amount in minute 1, the right one on another charge in minute 3."""
    life = Life().order().captured(1, fen=999).status(1.1, "held").captured(3, "O1/c2")
    return life.status(3.1, "paid").refunded(3.2, fen=999)


def test_an_order_on_hold_waits_from_the_payment_that_redeems_it() -> None:
    """The wrong amount before it starts no clock and makes no credit undue."""
    assert held_then_paid().posting(8.5, "credit").verdicts("K-01") == ["exact"]
    assert held_then_paid().posting(6.5, "credit").verdicts("K-01") == ["undue"]
    assert held_then_paid().verdicts("K-01") == ["missed"]


def test_a_wrong_amount_alone_is_no_payment_to_make_good() -> None:
    """Finance decides about it."""
    assert Life().order().captured(1, fen=999).status(1.1, "paid").verdicts("K-01") == []


def test_a_credit_after_the_sixth_minute_is_late() -> None:
    """Late is wrong, but not missed."""
    assert paid().posting(7.1, "credit").verdicts() == ["late"]


@pytest.mark.parametrize("fen", [999, 1001])
def test_a_credit_of_another_amount_is_wrong(fen: int) -> None:
    """100% of face, not a fen more or less."""
    assert paid().posting(6.5, "credit", fen).verdicts() == ["wrong_amount"]


def test_a_credit_above_the_policys_cap_is_wrong() -> None:
    """The cap of the policy limits what is owed."""
    life = Life(policy={"K-01": {"cap_fen": 600}}).order().captured(1).status(1.1, "paid")
    assert life.posting(6.5, "credit", 600).verdicts() == ["exact"]


def test_a_credit_before_five_minutes_is_undue() -> None:
    """The trigger did not hold yet."""
    assert paid().posting(5.5, "credit").verdicts("K-01") == ["undue"]


def test_a_credit_for_a_delivered_order_is_undue() -> None:
    """The goods were there and known."""
    assert paid().completed(2).posting(6.5, "credit").verdicts("K-01") == ["undue"]


def test_a_second_credit_is_doubled() -> None:
    """Once per order."""
    assert paid().posting(6.5, "credit").posting(6.6, "credit").verdicts("K-01") == ["exact", "doubled"]


def test_a_delivery_while_time_is_running_makes_the_credit_optional() -> None:
    """Delivered before the deadline: nothing missed, and a credit given before it was right."""
    assert paid().completed(6.5).verdicts() == []
    assert paid().posting(6.4, "credit").completed(6.5).posting(7, "credit_void").verdicts() == [
        "exact",
        "exact",
    ]


def test_delivered_but_unknown_allows_a_provisional_credit_and_demands_none() -> None:
    """The supplier delivered, its answer was lost: the platform cannot know."""
    life = paid(kind="topup").attempt(1.2, "unknown").supplied(1.5)
    assert life.verdicts("K-01") == []
    life = paid(kind="topup").attempt(1.2, "unknown").supplied(1.5).posting(6.5, "credit", to="provisional")
    assert life.verdicts("K-01") == ["exact"]


def test_a_credit_that_can_be_spent_while_the_supplier_is_unknown_is_undue() -> None:
    """Unknown means provisional: otherwise the member may end up with both."""
    (finding,) = paid(kind="topup").attempt(1.2, "unknown").posting(6.5, "credit").audit().wrong()
    assert (finding.verdict, finding.reason) == ("undue", "spendable_while_unknown")


def test_a_refund_already_under_way_excludes_the_credit() -> None:
    """Who asked for the money back waits for nothing else."""
    assert paid().wants_refund(4).status(4, "refunding").verdicts("K-01") == []
    life = paid().wants_refund(4).status(4, "refunding").posting(6.5, "credit")
    assert life.verdicts("K-01") == ["undue"]


def test_the_refund_of_an_extra_capture_does_not_excuse_the_wait() -> None:
    """The order itself is still to be delivered."""
    assert paid().wants_refund(4, "extra:O1/c2").verdicts("K-01") == ["missed"]


def test_a_disclosed_wait_moves_the_promise() -> None:
    """Who was told to wait ten minutes is owed nothing in the sixth."""
    life = Life(wait=10).order().captured(1).status(1.1, "paid")
    assert life.posting(6.5, "credit").verdicts("K-01") == ["undue"]
    life = Life(wait=10).order().captured(1).status(1.1, "paid").posting(11.5, "credit")
    assert life.verdicts("K-01") == ["exact"]


def test_money_of_the_wrong_amount_is_suspense_not_waiting() -> None:
    """A wrong capture goes to people (K-16), not to the wallet."""
    life = Life().order().captured(1, fen=900).status(1.1, "held").posting(6.5, "credit", 900)
    assert life.verdicts("K-01") == ["undue"]


def test_a_wrong_amount_owes_no_credit_whatever_the_platform_calls_the_order() -> None:
    """Even a platform that takes it for paid."""
    life = Life().order().captured(1, fen=900).status(1.1, "paid")
    assert life.verdicts("K-01") == []
    assert life.posting(6.5, "credit", 900).verdicts("K-01") == ["undue"]


def test_an_order_on_its_way_back_is_owed_no_credit_even_without_a_refund_row() -> None:
    """The status alone says it."""
    assert paid().status(4, "refunding").posting(6.5, "credit").verdicts("K-01") == ["undue"]


def test_a_refund_that_was_decided_excludes_the_credit_before_the_status_follows() -> None:
    """The refund row alone says it."""
    assert paid().wants_refund(4).posting(6.5, "credit").verdicts("K-01") == ["undue"]


def test_a_user_who_was_told_that_the_money_comes_back_is_owed_no_credit() -> None:
    """What users are shown counts."""
    life = paid().at(4)
    life.history.ok(1, "ann", "request_refund", {"order_id": "O1", "status": "refunding"})
    assert life.verdicts("K-01") == []


def test_a_capture_after_the_close_is_never_a_make_good() -> None:
    """K-05 looks after it, even when it takes its time."""
    life = Life().order().status(15, "closed").captured(16).status(16.1, "fulfilling")
    assert life.verdicts("K-01") == []
    assert life.posting(22, "credit").verdicts("K-01") == ["undue"]


def test_an_order_paid_from_the_wallet_is_owed_no_credit() -> None:
    """Nothing was captured in the channel's book."""
    life = Life().order().posting(1, "wallet_payment").status(1, "paid")
    assert life.verdicts("K-01") == []
    assert life.posting(6.5, "credit").verdicts("K-01") == ["undue"]


def test_a_delivery_that_a_failover_took_back_owes_the_credit_after_all() -> None:
    """Delivered at 6.2, lost at 6.3, never again."""
    life = paid().delivered(6.2)
    card_id = _last_key(life)
    row = {"card_id": card_id, "sku": "netflix", "status": "reserved", "order_id": "O1"}
    life.at(6.3).history.state(99, "db", "STK", "cards", "revert", card_id, row)
    assert life.verdicts("K-01") == ["missed"]


def test_a_credit_while_a_false_success_is_believed_is_undue() -> None:
    """That case is K-13's."""
    life = paid(kind="topup").said(2, "success").status(2, "completed", qty=1)
    assert life.posting(6.5, "credit", to="provisional").verdicts("K-01") == ["undue"]


def test_a_dead_database_stops_the_clock() -> None:
    """After the outage the whole promise runs anew: six minutes."""
    down = paid().fault(3, "start", "database.crash").fault(8, "end", "database.crash")
    assert down.posting(13.9, "credit").verdicts() == ["exact"]
    down = paid().fault(3, "start", "database.crash").fault(8, "end", "database.crash")
    assert down.posting(14.1, "credit").verdicts() == ["late"]


def test_a_dead_supplier_does_not_stop_the_clock() -> None:
    """A credit needs no word of its; the header says who the suppliers are."""
    dead = paid(kind="topup").fault(1.2, "start", "node.crash", "acme").fault(9, "end", "node.crash", "acme")
    assert dead.verdicts() == ["missed"]


def test_cut_off_callbacks_do_not_stop_the_clock() -> None:
    """The platform's own calls get through, so it can know."""
    life = (
        paid()
        .fault(1.2, "start", "link.partition", "wechat->edge")
        .fault(9, "end", "link.partition", "wechat->edge")
    )
    assert life.verdicts() == ["missed"]
    life = paid().fault(1.2, "start", "link.partition", "platform-*->wechat")
    assert life.posting(20, "credit").verdicts() == ["exact"]


def test_a_skewed_clock_blurs_the_edges_by_its_offset() -> None:
    """A node whose clock runs 20 s ahead sees five minutes 20 s early."""
    life = paid().fault(1.2, "start", "node.clock_skew", "platform-1", offset_us=20_000_000)
    assert life.posting(5.8, "credit").verdicts("K-01") == ["exact"]
    life = paid().fault(1.2, "start", "node.clock_skew", "platform-1", offset_us=-20_000_000)
    assert life.posting(7.2, "credit").verdicts("K-01") == ["exact"]


def test_a_credit_lost_in_a_failover_was_never_given() -> None:
    """What a failover takes back the member does not have."""
    life = paid().posting(6.5, "credit")
    life.at(6.6).history.state(99, "db", "GL", "postings", "revert", _last_key(life), None)
    assert life.verdicts("K-01") == ["missed"]


def _last_key(life: Life) -> str:
    return life.history.events[-1].key  # type: ignore[union-attr]


def test_a_disabled_rule_is_not_judged() -> None:
    """A user who switches a rule off promises nothing."""
    audit = Life(policy={"K-01": {"enabled": False}}).order().captured(1).audit()
    assert audit.findings == []
    assert audit.disabled == ["K-01"]


def test_a_deadline_beyond_the_end_of_the_run_is_undecided() -> None:
    """No verdict without the evidence."""
    assert Life(end=6.5).order().captured(1).verdicts() == ["undecided"]


def test_goods_that_came_too_late_do_not_pay_for_the_wait() -> None:
    """Paid in minute 1, delivered and completed in minute 20, no credit: the promise was broken all the same."""
    assert paid().completed(20).verdicts() == ["missed"]


def test_an_order_called_complete_before_its_goods_came_is_owed_for_the_wait() -> None:
    """Completed in minute 2, delivered in minute 20: what counts is when the member had the goods."""
    assert paid(kind="topup").status(2, "completed", qty=1).supplied(20).verdicts("K-01") == ["missed"]


def test_a_delivery_at_the_very_deadline_is_no_delay() -> None:
    """Seven minutes: five of waiting after the capture in minute 1, and one to act."""
    assert paid().completed(7).verdicts() == []
    assert paid().completed(7.01).verdicts() == ["missed"]


def test_a_wait_that_was_too_long_stays_so_when_the_goods_come_and_go_again() -> None:
    """Delivered in minute 10, lost in minute 20, there again in minute 20.5: minute 7 was missed."""
    life = paid().delivered(10)
    card_id = _last_key(life)
    row = {"card_id": card_id, "sku": "netflix", "status": "reserved", "order_id": "O1"}
    life.at(20).history.state(99, "db", "STK", "cards", "revert", card_id, row)
    (finding,) = life.delivered(20.5).audit().wrong()
    assert (finding.rule, finding.verdict, finding.by_us) == ("K-01", "missed", 7 * 60_000_000)


def test_a_credit_for_an_order_that_nobody_paid_is_undue() -> None:
    """Neither a capture nor a compensation row: the ledger alone gives it away."""
    for account in ("wallet", "provisional"):
        assert Life().order().posting(9, "credit", to=account).verdicts("K-01") == ["undue"]


@pytest.mark.parametrize("status", ["held", "refunding", "refunded"])
def test_an_order_that_waits_for_people_or_went_back_is_owed_no_credit(status: str) -> None:
    """The right price was paid, but the order is not on its way any more."""
    assert paid().status(4, status).verdicts("K-01") == []
    assert paid().status(4, status).posting(6.5, "credit").verdicts("K-01") == ["undue"]


def test_a_policy_may_promise_another_deadline() -> None:
    """Who promised ten minutes to act is late after ten."""
    policy = {"K-01": {"deadline_us": 10 * 60_000_000}}
    slow = Life(policy=policy).order().captured(1).status(1.1, "paid").posting(15.9, "credit")
    assert slow.verdicts("K-01") == ["exact"]
