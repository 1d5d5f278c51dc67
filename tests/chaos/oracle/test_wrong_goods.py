"""K-06, K-13: goods that came short, and goods that were only said to have come."""

from __future__ import annotations

from tests.chaos.oracle.lives import Life


def short() -> Life:
    """Five ordered and paid, three delivered."""
    return Life().order(quantity=5).captured(1, fen=5000).status(1.1, "paid").completed(2, 3)


def test_missing_pieces_are_refunded_at_their_price() -> None:
    """Two of five at 10 yuan."""
    life = short().promises(2, "K-06", refund="O1/r1", fen=2000).refunded(3, fen=2000)
    assert life.verdicts() == ["exact"]


def test_pieces_that_came_before_the_money_are_missing_only_once_it_was_paid() -> None:
    """Nothing is owed to who has not paid."""
    life = Life().order(quantity=5).delivered(2, 3).captured(10, fen=5000)
    (debt,) = [debt for debt in life.audit().debts if debt.rule == "K-06"]
    assert debt.due_us == 10 * 60_000_000


def test_more_pieces_count_from_the_last_one_and_owe_the_rest() -> None:
    """Three at 2, one more at 20: one missing, due by 50."""
    life = short().delivered(20, 1).promises(21, "K-06", refund="O1/r1", fen=1000).refunded(49.9, fen=1000)
    assert life.verdicts("K-06") == ["exact"]


def test_everything_refunded_at_once_because_nothing_came_is_right() -> None:
    """The platform may be quicker than the make-good."""
    life = Life().order(quantity=5).captured(1, fen=5000).status(1.1, "paid")
    life = life.promises(2, "K-06", refund="O1/r1", fen=5000).wants_refund(2).refunded(3, fen=5000)
    assert life.verdicts() == ["exact"]


def test_missing_pieces_of_an_order_paid_from_the_wallet_go_back_there() -> None:
    """The wallet refund is committed with the compensation row."""
    life = Life().order(quantity=5).posting(1, "wallet_payment", 5000).status(1, "paid").completed(2, 3)
    life = life.promises(3, "K-06", refund="O1/r1", fen=2000).posting(3, "wallet_refund", 2000)
    assert life.verdicts("K-06") == ["exact"]


def test_missing_pieces_nobody_refunds_are_missed() -> None:
    """The member paid for five."""
    (finding,) = short().audit().wrong()
    assert (finding.rule, finding.verdict, finding.owed_fen) == ("K-06", "missed", 2000)


def test_a_refund_of_all_five_for_two_missing_is_too_much() -> None:
    """Wrong in either direction."""
    life = short().promises(2, "K-06", refund="O1/r1", fen=5000).refunded(3, fen=5000)
    assert life.verdicts("K-06") == ["wrong_amount"]
    life = short().promises(2, "K-06", refund="O1/r1", fen=1000).refunded(3, fen=1000)
    assert life.verdicts("K-06") == ["wrong_amount"]


def test_a_refund_of_the_missing_pieces_after_half_an_hour_is_late() -> None:
    """30 minutes from the last piece."""
    assert short().promises(2, "K-06", refund="O1/r1", fen=2000).refunded(32.1, fen=2000).verdicts() == [
        "late"
    ]


def test_restocked_first_owes_nothing() -> None:
    """The missing pieces came after all."""
    assert short().delivered(20, 2).verdicts() == []


def test_a_refund_for_a_complete_order_is_undue() -> None:
    """Nothing was missing."""
    life = Life().order(quantity=5).captured(1, fen=5000).completed(2, 5)
    assert life.promises(3, "K-06", refund="O1/r1", fen=2000).refunded(4, fen=2000).verdicts() == ["undue"]


def test_two_refunds_of_the_same_missing_pieces_are_doubled() -> None:
    """Once per incident."""
    life = short().promises(2, "K-06", refund="O1/r1", fen=2000).refunded(3, fen=2000)
    life = life.promises(4, "K-06", refund="O1/r2", fen=2000).refunded(5, fen=2000, refund_no="O1/r2")
    assert life.verdicts() == ["exact", "doubled"]


# ---------------------------------------------------------------- K-13


def deceived() -> Life:
    """A top-up that the supplier calls done and never did."""
    life = Life().order(kind="topup").captured(1).status(1.1, "paid").attempt(1.2, "sending")
    return life.said(2, "success").attempt(2, "success").status(2, "completed", qty=1)


def test_a_false_success_that_nobody_checks_is_missed() -> None:
    """The platform believes it, the member has nothing."""
    (finding,) = deceived().audit().wrong()
    assert (finding.rule, finding.verdict, finding.owed_fen) == ("K-13", "missed", 1000)


def test_a_false_success_found_out_is_refunded() -> None:
    """Queried under the same number, revoked, paid back."""
    assert deceived().said(5, "fail").promises(5, "K-13", refund="O1/r1").refunded(6).verdicts() == ["exact"]


def test_a_redelivery_repairs_a_false_success() -> None:
    """Goods are as good as money."""
    assert deceived().supplied(20, 1, "O1/s2").verdicts() == []


def test_the_clock_runs_from_the_last_lie() -> None:
    """Who asks again and is lied to again could not know."""
    life = deceived().said(5, "success").promises(34, "K-13", refund="O1/r1").refunded(34.9)
    assert life.verdicts() == ["exact"]
    life = deceived().said(5, "success").promises(34, "K-13", refund="O1/r1").refunded(35.1)
    assert life.verdicts() == ["late"]


def test_a_true_success_is_no_lie() -> None:
    """A refund although the supplier's book proves the delivery is undue."""
    life = Life().order(kind="topup").captured(1).status(1.1, "paid").supplied(2).said(2, "success")
    life = life.status(2, "completed", qty=1).promises(5, "K-13", refund="O1/r1").refunded(6)
    assert life.verdicts("K-13") == ["undue"]


def test_goods_on_another_account_are_not_delivered_to_the_member() -> None:
    """The platform sent them to somebody else."""
    life = Life().order(kind="topup").captured(1).status(1.1, "paid").at(2)
    data = {"supplier": "acme", "account": "other", "quantity": 1, "cost_fen": 800}
    life.history.book("SUP", "delivered", "O1/s1", data)
    assert life.verdicts() == ["missed"]


def test_a_make_good_that_became_the_refund_pays_for_a_false_success() -> None:
    """The credit stays for good: the member has the money back in the wallet."""
    life = Life().order(kind="topup").captured(1).status(1.1, "fulfilling").said(2, "success")
    life.status(2, "completed", qty=1)
    assert life.posting(20, "credit_final").verdicts("K-13") == ["exact"]


def test_missing_pieces_wait_for_a_silent_supplier() -> None:
    """K-06 hangs on the supplier's word: half an hour from when it speaks again."""

    def short(minute: float) -> list[str]:
        life = Life().order(kind="topup", quantity=5).captured(1, fen=5000).status(1.1, "fulfilling")
        life.supplied(2, 3).fault(3, "start", "supplier.down").fault(20, "end", "supplier.down")
        return life.refunded(minute, fen=2000).verdicts("K-06")

    assert (short(49.9), short(50.1)) == (["exact"], ["late"])


def test_missing_pieces_are_counted_from_the_last_piece_that_came() -> None:
    """Each one that arrives in time starts the half hour anew, and is owed no more."""

    def short(minute: float, fen: int) -> list[str]:
        life = Life().order(quantity=5).captured(1, fen=5000).status(1.1, "fulfilling")
        return life.delivered(2, 2).delivered(20, 1).refunded(minute, fen=fen).verdicts("K-06")

    assert (short(49.9, 2000), short(50.1, 2000)) == (["exact"], ["late"])
    assert short(49, 1999) == ["missed"]


def test_pieces_that_a_failover_took_back_are_missing_after_all() -> None:
    """Short at first, complete for a while, short again and for ever."""
    life = Life().order(quantity=2).captured(1, fen=2000).status(1.1, "fulfilling").delivered(2).delivered(5)
    key = life.history.events[-1].key  # type: ignore[union-attr]
    life.at(6).history.state(99, "db", "STK", "cards", "revert", key, None)
    assert life.verdicts("K-06") == ["missed"]


def test_a_false_success_that_was_corrected_and_told_again_is_owed() -> None:
    """The platform stopped believing it for a moment, then believed it for ever."""
    life = Life().order(kind="topup").captured(1).status(1.1, "fulfilling").said(2, "success")
    life.status(2, "completed", qty=1).status(3, "fulfilling").status(4, "completed", qty=1)
    assert life.verdicts("K-13") == ["missed"]


def test_a_piece_that_comes_after_the_half_hour_is_too_late_to_help() -> None:
    """The promise about what was missing then is broken already."""
    life = Life().order(quantity=5).captured(1, fen=5000).status(1.1, "fulfilling").delivered(2, 3)
    (finding,) = [found for found in life.delivered(40, 1).audit().wrong() if found.rule == "K-06"]
    assert (finding.verdict, finding.owed_fen, finding.by_us) == ("missed", 2000, 32 * 60_000_000)


def test_a_short_order_whose_whole_price_went_back_was_paid_what_it_was_owed() -> None:
    """More than the missing pieces, without the rule's name: the goods may have been taken back as well."""
    life = Life().order(quantity=5).captured(1, fen=5000).status(1.1, "fulfilling").delivered(2, 3)
    assert life.refunded(10, fen=5000).verdicts("K-06") == ["exact"]


def test_the_refund_of_an_extra_capture_pays_for_no_missing_piece() -> None:
    """One of two whole charges went back: that is K-03's."""
    life = Life().order(quantity=5).captured(1, fen=5000).status(1.1, "fulfilling").delivered(2, 3)
    life.captured(3, "O1/c2", 5000).refunded(10, "O1/c2", 5000)
    assert (life.verdicts("K-06"), life.verdicts("K-03")) == (["missed"], ["exact"])


def test_missing_pieces_may_be_refunded_in_parts() -> None:
    """Two refunds on the order's own charge; done with the second."""
    life = Life().order(quantity=5).captured(1, fen=5000).status(1.1, "fulfilling").delivered(2, 3)
    life.refunded(10, fen=1500).refunded(11, fen=500, refund_no="O1/r2")
    (act,) = [act for act in life.audit().acts if act.rule == "K-06"]
    assert (act.amount_fen, act.done_us, act.named) == (2000, 11 * 60_000_000, False)


def test_a_refund_in_the_name_of_missing_pieces_that_all_came_is_undue() -> None:
    """Nothing was short for a moment."""
    life = Life().order(quantity=5).captured(1, fen=5000).status(1.1, "paid").completed(2, 5)
    life.promises(10, "K-06", refund="O1/r1", fen=2000).refunded(11, fen=2000)
    assert life.verdicts("K-06") == ["undue"]


def test_a_refund_in_the_name_of_missing_pieces_may_come_before_any_piece() -> None:
    """Not one arrived: the platform may be quicker than K-01, and owes all of them."""
    life = Life().order(quantity=5).captured(1, fen=5000).status(1.1, "fulfilling")
    life.promises(3, "K-06", refund="O1/r1", fen=5000).status(3, "refunding").refunded(4, fen=5000)
    assert life.verdicts("K-06") == ["exact"]


def lied(minute: float = 2) -> Life:
    life = Life().order(kind="topup").captured(1).status(1.1, "fulfilling").said(minute, "success")
    return life.status(minute, "completed", qty=1)


def test_the_last_lie_is_the_one_that_the_half_hour_counts_from() -> None:
    """Told again in minute 20: the money back by minute 50."""
    assert lied().said(20, "success").refunded(49.9).verdicts("K-13") == ["exact"]
    assert lied().said(20, "success").refunded(50.1).verdicts("K-13") == ["late"]


def test_a_lie_that_is_told_when_time_is_up_gives_no_more_time() -> None:
    """In minute 33 the promise of minute 2 is broken already."""
    assert lied().said(33, "success").refunded(34).verdicts("K-13") == ["late"]


def test_nothing_but_another_lie_gives_more_time() -> None:
    """A ticket in minute 20 does not."""
    assert lied().ticket(20).refunded(33).verdicts("K-13") == ["late"]


def test_a_false_success_waits_for_a_silent_supplier() -> None:
    """K-13 asks it again under the same number."""
    silent = lied().fault(10, "start", "supplier.down").fault(20, "end", "supplier.down")
    assert silent.refunded(49.9).verdicts("K-13") == ["exact"]
    silent = lied().fault(10, "start", "supplier.down").fault(20, "end", "supplier.down")
    assert silent.refunded(50.1).verdicts("K-13") == ["late"]


def test_a_lie_that_nobody_believed_may_be_refunded_and_need_not() -> None:
    """The order never called itself delivered."""
    doubted = Life().order(kind="topup").captured(1).status(1.1, "fulfilling").said(2, "success")
    assert doubted.verdicts("K-13") == []
    doubted = Life().order(kind="topup").captured(1).status(1.1, "fulfilling").said(2, "success")
    doubted.promises(3, "K-13", refund="O1/r1").status(3, "refunding").refunded(4)
    assert doubted.verdicts("K-13") == ["exact"]


def test_a_part_refunded_for_a_false_success_is_the_wrong_amount() -> None:
    """In full, or the goods."""
    life = lied().promises(3, "K-13", refund="O1/r1").refunded(4, fen=400)
    (finding,) = [found for found in life.audit().wrong() if found.rule == "K-13"]
    assert (finding.verdict, finding.reason, finding.at_risk_fen) == ("wrong_amount", "too_little", 600)
