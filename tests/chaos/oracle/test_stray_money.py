"""K-03, K-04, K-05: money that came too often, for nothing, or too late."""

from __future__ import annotations

from tests.chaos.oracle.lives import Life

# ---------------------------------------------------------------- K-03


def twice() -> Life:
    """Paid in minutes 1 and 3, delivered."""
    return Life().order().captured(1).status(1.1, "paid").completed(2).captured(3, "O1/c2")


def test_the_second_capture_comes_back_within_half_an_hour() -> None:
    """One order, one payment."""
    life = twice().promises(4, "K-03", refund="O1/r1").refunded(32.9, "O1/c2")
    assert life.verdicts() == ["exact"]


def test_it_does_not_matter_which_of_the_two_comes_back() -> None:
    """What matters is that one is kept."""
    assert twice().promises(4, "K-03", refund="O1/r1").refunded(5, "O1/c1").verdicts() == ["exact"]


def test_the_one_of_the_wrong_amount_may_come_back_whole() -> None:
    """1 fen short in minute 1, the right amount in minute 3: the short one is the extra."""
    life = Life().order().captured(1, fen=999).status(1.1, "held").captured(3, "O1/c2").completed(4)
    life.promises(4, "K-03", refund="O1/r1").refunded(5, "O1/c1", 999)
    assert life.verdicts() == ["exact"]


def test_a_second_capture_that_is_kept_is_missed() -> None:
    """The member paid twice."""
    (finding,) = twice().audit().wrong()
    assert (finding.rule, finding.verdict, finding.owed_fen) == ("K-03", "missed", 1000)


def test_a_refund_after_half_an_hour_is_late() -> None:
    """30 minutes from the extra capture."""
    assert twice().refunded(33.1, "O1/c2").verdicts() == ["late"]


def test_a_partial_refund_of_the_extra_is_the_wrong_amount() -> None:
    """In full."""
    life = twice().promises(4, "K-03", refund="O1/r1").refunded(5, "O1/c2", 400)
    assert life.verdicts() == ["wrong_amount"]


def test_giving_back_both_captures_of_a_delivered_order_is_doubled() -> None:
    """The goods would be free."""
    life = twice().promises(4, "K-03", refund="O1/r1").refunded(5, "O1/c2")
    life = life.promises(6, "K-03", refund="O1/r2").refunded(7, "O1/c1", refund_no="O1/r2")
    assert life.verdicts() == ["exact", "doubled"]


def test_refunding_the_only_capture_as_an_extra_is_undue() -> None:
    """There was nothing extra."""
    life = Life().order().captured(1).completed(2).promises(4, "K-03", refund="O1/r1").refunded(5)
    assert life.verdicts("K-03") == ["undue"]


def test_three_captures_owe_two_refunds() -> None:
    """Each extra is a debt of its own."""
    life = twice().captured(4, "O1/c3").refunded(5, "O1/c2")
    assert life.verdicts("K-03") == ["exact", "missed"]


def test_a_payment_after_the_order_was_refunded_comes_back_as_well() -> None:
    """A refunded order keeps nothing; the refund of the first payment does not pay for the second."""
    back = Life().order().captured(1).status(1.1, "paid").wants_refund(2).status(2, "refunding")
    life = back.refunded(2.5).status(3, "refunded").captured(4, "O1/c2")
    assert life.verdicts("K-03") == ["missed"]
    life = life.promises(5, "K-03", refund="O1/r2").refunded(6, "O1/c2", refund_no="O1/r2")
    assert life.verdicts("K-03") == ["exact"]


def test_a_second_payment_that_replaces_a_returned_one_is_not_an_extra() -> None:
    """The goods stay, the first payment went back, the second is the only one."""
    life = Life().order().captured(1).completed(2).refunded(3).captured(4, "O1/c2")
    assert life.verdicts("K-03") == []


def test_giving_back_the_last_payment_of_a_delivered_order_as_an_extra_is_undue() -> None:
    """The other one had gone back already."""
    life = twice().status(4, "refunding", qty=1).refunded(5, "O1/c1")
    life = life.promises(6, "K-03", refund="O1/r2").refunded(7, "O1/c2", refund_no="O1/r2")
    assert life.verdicts("K-03") == ["undue"]


def test_an_order_still_to_be_delivered_keeps_one_payment() -> None:
    """Taking the last one for an extra would leave the order unpaid."""
    life = Life().order().captured(1).status(1.1, "paid").captured(3, "O1/c2").refunded(5, "O1/c1")
    life = life.promises(6, "K-03", refund="O1/r2").refunded(7, "O1/c2", refund_no="O1/r2")
    assert life.verdicts("K-03") == ["undue"]


def test_a_third_payment_after_both_went_back_is_the_only_one() -> None:
    """Nothing is too many at that moment."""
    life = twice().refunded(5, "O1/c2").refunded(6, "O1/c1").captured(7, "O1/c3")
    assert life.verdicts("K-03") == ["exact"]


def test_one_refund_does_not_pay_for_two_extras() -> None:
    """Whether it carries the rule's name or not."""
    life = twice().captured(4, "O1/c3").promises(5, "K-03", refund="O1/r1").refunded(6, "O1/c2")
    assert life.verdicts("K-03") == ["exact", "missed"]


def test_without_an_order_no_payment_is_an_extra() -> None:
    """Lost in a failover: every capture is an orphan, and K-04's."""
    life = Life().order().captured(1).forgotten(2).captured(3, "O1/c2")
    life = life.promises(4, "K-03", refund="O1/r1").refunded(5, "O1/c2")
    assert life.verdicts("K-03") == ["undue"]


def test_a_policy_that_waits_moves_the_debt() -> None:
    """K-03 and K-04 due only after ten minutes, K-05 likewise."""
    wait = {"after_us": 10 * 60_000_000}
    policy = {"K-03": wait, "K-04": wait, "K-05": wait}
    life = Life(policy=policy).order().captured(1).completed(2).captured(3, "O1/c2")
    assert life.refunded(42.9, "O1/c2").verdicts("K-03") == ["exact"]
    life = Life(policy=policy).captured(1, "Q-ann-1").refunded(40.9, "Q-ann-1")
    assert life.verdicts("K-04") == ["exact"]
    life = Life(policy=policy).order().status(15, "closed").captured(16).refunded(55.9)
    assert life.verdicts("K-05") == ["exact"]


# ---------------------------------------------------------------- K-04


def test_a_payment_on_the_static_code_comes_back_in_full() -> None:
    """No order, so the money goes back."""
    life = Life().captured(1, "Q-ann-1", 500)
    life = life.promises(4, "K-04", refund="Q-ann-1/r1", fen=500, order_id="Q-ann-1")
    assert life.refunded(5, "Q-ann-1", 500, "Q-ann-1/r1").verdicts() == ["exact"]


def test_an_orphan_that_is_kept_is_missed_and_people_are_not_told() -> None:
    """Two promises broken: the refund and the ticket."""
    audit = Life().captured(1, "Q-ann-1", 500).audit()
    assert [(finding.rule, finding.verdict) for finding in audit.findings] == [
        ("K-04", "missed"),
        ("K-16", "missed"),
    ]


def test_an_order_written_after_its_capture_ends_the_orphanhood() -> None:
    """A callback may overtake the order's commit."""
    assert Life().captured(1).order(1.01).status(1.02, "paid").completed(2).verdicts("K-04") == []


def test_an_order_lost_in_a_failover_leaves_an_orphan() -> None:
    """The channel has the money, the platform has no order."""
    life = Life().order().captured(1).fault(2, "start", "database.failover").forgotten(2)
    life = life.fault(3, "end", "database.failover")
    assert life.verdicts("K-04") == ["missed"]
    (debt,) = [debt for debt in life.audit().debts if debt.rule == "K-04"]
    assert (debt.due_us, debt.by_us) == (2 * 60_000_000, 33 * 60_000_000)


def test_refunding_an_order_that_exists_as_an_orphan_is_undue() -> None:
    """There is an order, and it waits for delivery."""
    life = Life().order().captured(1).status(1.1, "paid").promises(2, "K-04", refund="O1/r1").refunded(2.5)
    assert life.verdicts("K-04") == ["undue"]


def test_an_orphan_refunded_in_part_is_the_wrong_amount() -> None:
    """In full."""
    life = Life().captured(1, "Q-ann-1", 500).promises(4, "K-04", refund="Q-ann-1/r1", order_id="Q-ann-1")
    assert life.refunded(5, "Q-ann-1", 300, "Q-ann-1/r1").verdicts("K-04") == ["wrong_amount"]


# ---------------------------------------------------------------- K-05


def late() -> Life:
    """Closed in minute 15, paid in minute 16."""
    return Life().order().status(15, "closed").captured(16)


def test_a_late_capture_can_be_fulfilled() -> None:
    """Reserve again and deliver."""
    assert late().status(16.1, "paid_late").promises(16.1, "K-05").completed(17).verdicts("K-05") == ["exact"]


def test_a_late_capture_can_be_refunded() -> None:
    """No stock left: all of it goes back."""
    life = late().status(16.1, "paid_late").promises(16.1, "K-05", refund="O1/r1").status(16.2, "refunding")
    assert life.refunded(17).verdicts("K-05") == ["exact"]


def test_a_late_capture_that_is_ignored_is_missed() -> None:
    """The classic: the order is closed, the callback is refused, the money is gone."""
    assert late().verdicts("K-05") == ["missed"]
    assert late().verdicts("K-01") == []


def test_a_capture_that_reached_a_closed_order_counts_as_late() -> None:
    """Paid at 14, closed blindly at 15, the callback came after."""
    assert Life().order().captured(14).status(15, "closed").verdicts("K-05") == ["missed"]


def test_a_late_capture_refunded_after_half_an_hour_is_late() -> None:
    """30 minutes from the capture."""
    assert late().status(16.1, "paid_late").refunded(47).verdicts("K-05") == ["late"]


def test_goods_under_way_when_time_is_up_may_take_twelve_hours() -> None:
    """A supplier attempt that is still open keeps the debt open."""
    life = late().status(16.1, "paid_late").status(16.2, "fulfilling").attempt(16.3, "processing")
    assert life.supplied(300).attempt(300, "success").status(300, "completed", qty=1).verdicts("K-05") == [
        "exact"
    ]


def test_a_late_capture_both_fulfilled_and_refunded_is_doubled() -> None:
    """Either, not both."""
    life = late().status(16.1, "paid_late").completed(17)
    assert "doubled" in life.promises(18, "K-05", refund="O1/r1").refunded(19).verdicts("K-05")


def test_refunding_a_capture_in_time_as_late_is_undue() -> None:
    """The order was open."""
    life = Life().order().captured(1).status(1.1, "paid").promises(2, "K-05", refund="O1/r1").refunded(2.5)
    assert life.verdicts("K-05") == ["undue"]


def test_a_late_capture_of_the_wrong_amount_is_for_people_to_settle() -> None:
    """Suspense (K-16), whether the platform holds it or not."""
    assert Life().order().status(15, "closed").captured(16, fen=900).verdicts("K-05") == []
    assert late().status(16.1, "held").verdicts("K-05") == []


def test_a_refund_decided_before_the_capture_was_late_is_undue() -> None:
    """It was closed only afterwards."""
    life = Life().order().captured(1).promises(2, "K-05", refund="O1/r1").refunded(3).status(5, "closed")
    assert life.verdicts("K-05") == ["undue"]


def test_a_late_capture_refunded_in_part_is_the_wrong_amount() -> None:
    """In full."""
    life = late().status(16.1, "paid_late").promises(16.1, "K-05", refund="O1/r1").refunded(17, fen=400)
    assert life.verdicts("K-05") == ["wrong_amount"]


def test_an_order_that_was_lost_and_written_again_owes_each_extra_capture_once() -> None:
    """It existed twice, the money came too often once."""
    life = Life().order().captured(1).completed(2).captured(3, "O1/c2").forgotten(4).order(5)
    assert life.status(5, "completed", qty=1).verdicts("K-03") == ["missed"]


def test_a_capture_that_came_before_its_order_is_owed_once_the_order_is_lost_for_good() -> None:
    """Without an order for a minute and then for ever: the second time somebody has to act, and once."""
    (finding,) = [
        found
        for found in Life().captured(1).order(2).forgotten(10).order(11).forgotten(20).audit().wrong()
        if found.rule == "K-04"
    ]
    assert (finding.verdict, finding.by_us) == ("missed", 50 * 60_000_000)


def test_a_late_order_that_people_held_for_a_while_is_still_owed_its_goods_or_its_money() -> None:
    """Late for a minute, on hold, late again and for ever."""
    life = Life().order().status(15, "closed").captured(16).status(16.1, "paid_late")
    assert life.status(17, "held").status(20, "paid").verdicts("K-05") == ["missed"]


def closed_then_paid() -> Life:
    return Life().order(kind="topup").status(15, "closed").captured(16).status(16.1, "paid_late")


def test_a_late_capture_waits_for_a_silent_supplier() -> None:
    """K-05 hangs on the supplier's word: half an hour from when it speaks again."""
    silent = closed_then_paid().fault(17, "start", "supplier.down").fault(30, "end", "supplier.down")
    assert silent.supplied(59).status(59, "completed", qty=1).verdicts("K-05") == ["exact"]
    silent = closed_then_paid().fault(17, "start", "supplier.down").fault(30, "end", "supplier.down")
    assert silent.supplied(61).status(61, "completed", qty=1).verdicts("K-05") == ["late"]


def test_a_part_refunded_in_the_rules_name_is_the_wrong_amount() -> None:
    """What the named refunds came to is what was paid."""
    life = closed_then_paid().promises(17, "K-05", refund="O1/r1").promises(17, "K-05", refund="O1/r2")
    life.refunded(18, fen=300, refund_no="O1/r1").refunded(19, fen=400, refund_no="O1/r2")
    (finding,) = [found for found in life.audit().wrong() if found.rule == "K-05"]
    assert (finding.verdict, finding.owed_fen, finding.paid_fen) == ("wrong_amount", 1000, 700)


def test_parts_refunded_in_the_rules_name_that_make_the_whole_are_exact() -> None:
    """Decided with the first, true with the last."""
    life = closed_then_paid().promises(17, "K-05", refund="O1/r1").promises(17.5, "K-05", refund="O1/r2")
    life.refunded(18, fen=300, refund_no="O1/r1").refunded(19, fen=700, refund_no="O1/r2")
    (act,) = [act for act in life.audit().acts if act.rule == "K-05"]
    assert (act.decided_us, act.done_us, act.named) == (17 * 60_000_000, 19 * 60_000_000, True)
    assert life.verdicts("K-05") == ["exact"]


def test_a_refund_without_the_rules_name_was_decided_when_it_was_done() -> None:
    """There is no row to say otherwise."""
    (act,) = [act for act in closed_then_paid().refunded(19).audit().acts if act.rule == "K-05"]
    assert (act.decided_us, act.done_us, act.named) == (19 * 60_000_000, 19 * 60_000_000, False)


def test_an_orphan_refunded_after_the_half_hour_is_late() -> None:
    """Captured in minute 1: minute 31 is in time, the next second is not."""
    assert Life().captured(1, "Q-ann-1/c1", 500).refunded(31, "Q-ann-1/c1", 500).verdicts("K-04") == ["exact"]
    late = Life().captured(1, "Q-ann-1/c1", 500).refunded(31 + 1 / 60, "Q-ann-1/c1", 500)
    assert late.verdicts("K-04") == ["late"]


def test_an_orphan_refunded_twice_in_the_rules_name_is_doubled() -> None:
    """The second one is the platform's own money."""
    life = Life().captured(1, "Q-ann-1/c1", 500)
    for n in (1, 2):
        life.promises(2, "K-04", refund=f"r{n}", fen=500, order_id="Q-ann-1")
    for n in (1, 2):
        life.refunded(2 + n, "Q-ann-1/c1", 500, refund_no=f"r{n}")
    assert life.verdicts("K-04") == ["exact", "doubled"]


def test_more_than_the_extra_capture_in_the_rules_name_is_the_wrong_amount() -> None:
    """A fen too much is the platform's own."""
    life = Life().order().captured(1).completed(2).captured(3, "O1/c2").promises(4, "K-03", refund="O1/r1")
    (finding,) = [found for found in life.refunded(5, "O1/c2", 1001).audit().wrong() if found.rule == "K-03"]
    assert (finding.verdict, finding.reason, finding.at_risk_fen) == ("wrong_amount", "too_much", 1)
