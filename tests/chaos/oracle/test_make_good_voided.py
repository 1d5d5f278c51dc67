"""K-17: what becomes of the credit when the original arrives after all."""

from __future__ import annotations

from tests.chaos.oracle.lives import Life


def paid(**more: object) -> Life:
    """An order captured in minute 1."""
    return Life().order(0, **more).captured(1).status(1.1, "paid")  # type: ignore[arg-type]


def _last_key(life: Life) -> str:
    return life.history.events[-1].key  # type: ignore[union-attr]


def test_a_provisional_credit_kept_beside_the_goods_is_missed_too() -> None:
    """It cannot be spent yet, but it is still there."""
    life = paid(kind="topup").attempt(1.2, "unknown").posting(6.5, "credit", to="provisional").supplied(7)
    assert life.attempt(8, "success").status(8, "completed", qty=1).verdicts("K-17") == ["missed"]


def test_a_credit_given_after_the_goods_goes_back_within_five_minutes_of_the_credit() -> None:
    """There was nothing to take back before."""
    credited = paid().completed(2).posting(10, "credit")
    assert credited.posting(14.9, "credit_void").verdicts("K-17") == ["exact"]
    assert paid().completed(2).posting(10, "credit").posting(15.1, "credit_void").verdicts("K-17") == ["late"]


def test_a_credit_that_was_all_spent_is_booked_as_a_loss_alone() -> None:
    """There is nothing left to void."""
    assert paid().posting(6.5, "credit").completed(9).posting(10, "credit_loss").verdicts("K-17") == ["exact"]


def test_the_part_of_a_credit_that_stays_settles_nothing_by_itself() -> None:
    """Three of five came and 20 yuan became the refund, but nobody took back the 30."""
    life = Life().order(quantity=5).captured(1, fen=5000).status(1.1, "paid").posting(6.5, "credit", 5000)
    assert life.delivered(9, 3).posting(10, "credit_final", 2000).verdicts("K-17") == ["missed"]


def test_goods_that_were_lost_and_came_again_cost_the_credit_when_they_came_to_stay() -> None:
    """Delivered for a minute, taken back by a failover, delivered for ever."""
    life = paid().posting(6.5, "credit").delivered(9)
    key = _last_key(life)
    life.at(10).history.state(99, "db", "STK", "cards", "revert", key, None)
    (finding,) = [found for found in life.delivered(20).audit().wrong() if found.rule == "K-17"]
    assert (finding.verdict, finding.by_us) == ("missed", 25 * 60_000_000)


def test_a_lie_about_the_goods_obliges_nobody_to_take_the_credit_back() -> None:
    """Allowed is not owed: only goods that really came must cost the credit."""
    life = paid(kind="topup").attempt(1.2, "unknown").posting(6.5, "credit", to="provisional")
    assert life.said(8, "success").status(8, "completed", qty=1).verdicts("K-17") == []


def test_a_skewed_clock_may_see_the_goods_before_they_came() -> None:
    """20 s of skew excuse a void 10 s early, and not one of half a minute."""

    def voided(minute: float) -> list[str]:
        life = paid(kind="topup").fault(1.2, "start", "node.clock_skew", "platform-1", offset_us=20_000_000)
        life.attempt(1.2, "unknown").posting(6.5, "credit", to="provisional")
        life.posting(minute, "credit_void", to="provisional").supplied(9).attempt(9, "success")
        return life.status(9, "completed", qty=1).verdicts("K-17")

    assert (voided(9 - 10 / 60), voided(8.5)) == (["exact"], ["undue"])


def test_the_original_after_the_credit_voids_it_within_five_minutes() -> None:
    """Not both."""
    credited = paid().posting(6.5, "credit").completed(9)
    assert credited.posting(13.9, "credit_void").verdicts("K-17") == ["exact"]


def test_a_credit_kept_beside_the_goods_is_missed() -> None:
    """The platform pays twice."""
    (finding,) = paid().posting(6.5, "credit").completed(9).audit().wrong()
    assert (finding.rule, finding.verdict, finding.by_us) == ("K-17", "missed", 14 * 60_000_000)


def test_a_void_after_five_minutes_is_late() -> None:
    """The deadline of K-17."""
    assert paid().posting(6.5, "credit").completed(9).posting(14.1, "credit_void").verdicts("K-17") == [
        "late"
    ]


def test_what_was_already_spent_is_booked_as_a_loss() -> None:
    """Void what is left, write off the rest, in one transaction."""
    life = paid().posting(6.5, "credit").completed(9)
    assert life.posting(10, "credit_void", 400).posting(10, "credit_loss", 600).verdicts("K-17") == ["exact"]


def test_a_void_of_half_the_credit_is_the_wrong_amount() -> None:
    """The rest stays with the member."""
    life = paid().posting(6.5, "credit").completed(9).posting(10, "credit_void", 500)
    assert life.verdicts("K-17") == ["wrong_amount"]


def test_a_void_while_nothing_has_arrived_is_undue() -> None:
    """The member would have neither goods nor credit."""
    assert "undue" in paid().posting(6.5, "credit").posting(8, "credit_void").verdicts("K-17")


def test_a_void_without_any_credit_is_undue() -> None:
    """It takes the member's own money."""
    assert paid().completed(2).posting(3, "credit_void").verdicts("K-17") == ["undue"]


def test_a_void_on_a_suppliers_word_is_allowed_even_if_it_was_a_lie() -> None:
    """The platform could not know better; the lie itself is K-13's."""
    life = paid(kind="topup").attempt(1.2, "unknown").posting(6.5, "credit", to="provisional")
    life = life.said(8, "success").attempt(8, "success").status(8, "completed", qty=1)
    life = life.posting(9, "credit_void", to="provisional")
    assert life.verdicts("K-17") == ["exact"]
    assert life.verdicts("K-13") == ["missed"]


def test_a_credit_beside_a_part_of_the_goods_may_stay_as_the_refund_of_the_rest() -> None:
    """Three of five came: 30 yuan back, 20 kept as the refund."""
    life = Life().order(quantity=5).captured(1, fen=5000).status(1.1, "paid").posting(6.5, "credit", 5000)
    life = life.delivered(9, 3).posting(10, "credit_void", 3000).posting(10, "credit_final", 2000)
    assert life.verdicts("K-17") == ["exact"]
    assert life.verdicts("K-06") == ["exact"]


def test_a_credit_that_became_the_refund_cannot_also_settle_a_void() -> None:
    """All the goods came, so all of the credit has to go."""
    life = paid().posting(6.5, "credit").completed(9)
    life = life.posting(10, "credit_void", 400).posting(10, "credit_final", 600)
    assert life.verdicts("K-17") == ["wrong_amount"]


def test_a_second_void_is_doubled() -> None:
    """It would take money that is the member's own."""
    life = paid().posting(6.5, "credit").completed(9).posting(10, "credit_void").posting(11, "credit_void")
    assert life.verdicts("K-17") == ["exact", "doubled"]


def test_a_supplier_success_counts_from_when_the_platform_knew() -> None:
    """Delivered at 7, learned at 20: the credit goes back by 25."""
    life = paid(kind="topup").attempt(1.2, "unknown").posting(6.5, "credit", to="provisional").supplied(7)
    life = life.attempt(20, "success").status(20, "completed", qty=1)
    assert life.posting(24.5, "credit_void", to="provisional").verdicts("K-17") == ["exact"]


def test_a_void_of_more_than_the_credit_is_the_wrong_amount() -> None:
    """The rest was the member's own."""
    (finding,) = paid().posting(6.5, "credit").completed(9).posting(10, "credit_void", 1001).audit().wrong()
    assert (finding.rule, finding.reason, finding.at_risk_fen) == ("K-17", "too_much", 1)
