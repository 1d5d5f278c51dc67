"""I-21 on tiny histories."""

from __future__ import annotations

from tests.chaos.histories import HOUR, MINUTE, SECOND, Story


def late() -> Story:
    return Story().place().book("CH", "closed", "O1/c1").move("O1", "closed").capture()


def test_a_late_capture_fulfilled_holds() -> None:
    """K-05: reserved again and delivered."""
    verdict = late().apply(to="paid_late").sell().end().verdict("I-21")
    assert (verdict.outcome, verdict.checked) == ("holds", 1)


def test_a_late_capture_refunded_holds() -> None:
    """K-05: the stock was gone."""
    assert late().apply(to="paid_late").refund().end().verdict("I-21").outcome == "holds"


def test_a_late_capture_kept_violates() -> None:
    """X-03: closed, paid later, and nothing happened."""
    verdict = late().end().verdict("I-21")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.id, witness.amount_fen, witness.users) == (
        "violated",
        "O1",
        1000,
        ("u1",),
    )


def test_a_capture_before_a_blind_close_kept_violates() -> None:
    """The money came first, the order was closed over it."""
    assert Story().place().capture().move("O1", "closed").end().verdict("I-21").outcome == "violated"


def test_settled_after_the_deadline_is_too_late() -> None:
    """30 minutes from the capture, when that is later than the run's deadline."""
    story = late().wait(3 * HOUR).apply(to="paid_late").refund().end()
    assert story.verdict("I-21").outcome == "violated"
    story = Story().place().book("CH", "closed", "O1/c1").move("O1", "closed")
    story.now_us = 3 * HOUR
    story.capture().wait(29 * MINUTE).apply(to="paid_late").refund().end()
    assert story.verdict("I-21").outcome == "holds"


def test_an_order_closed_and_never_paid_is_not_judged() -> None:
    """No money, no answer owed; nor for one that was paid and never closed."""
    story = Story().place().book("CH", "closed", "O1/c1").move("O1", "closed").plain("O2", "u2")
    assert story.end().verdict("I-21").checked == 0


def test_before_the_deadline_nothing_is_decided() -> None:
    """There is still time."""
    verdict = late().verdict("I-21")
    assert (verdict.outcome, verdict.witnesses[0].words) == ("unknown", "not_due")


def test_after_the_deadline_an_unfinished_run_is_decided() -> None:
    """Nothing that comes later could help."""
    assert late().wait(3 * HOUR).place("O2").verdict("I-21").outcome == "violated"


def test_a_violation_is_dated_to_the_deadline() -> None:
    """That is when the promise broke, not when the run was over."""
    verdict = late().end().verdict("I-21")
    assert verdict.first_us == verdict.witnesses[0].data["due_us"]


def test_the_last_moment_of_the_thirty_minutes_is_in_time_and_the_next_second_is_not() -> None:
    """For money back, and for goods."""

    def settled_after(us: int, *, goods: bool) -> str:
        story = Story().place().book("CH", "closed", "O1/c1").move("O1", "closed")
        captured_us = story.now_us = 3 * HOUR
        story.capture()
        story.now_us = captured_us + us
        if goods:
            story.card("O1-card0", "sold", "O1")
        else:
            story.book("CH", "refund_accepted", "O1/c1", refund_no="r", amount_fen=1000)
        return story.end().verdict("I-21").outcome

    for goods in (False, True):
        assert settled_after(30 * MINUTE, goods=goods) == "holds"
        assert settled_after(30 * MINUTE + SECOND, goods=goods) == "violated"


def test_a_refund_that_failed_gave_nothing_back() -> None:
    """Accepted, then refused by the bank."""
    story = late().refund(done=False)
    story.book("CH", "refund_failed", "O1/c1", refund_no="O1/r1", amount_fen=1000, code="CLOSED").end()
    assert story.verdict("I-21").outcome == "violated"


def test_at_the_end_of_the_run_time_is_up() -> None:
    """Captured ten minutes before all was quiet: nothing more can come."""
    story = Story().place().book("CH", "closed", "O1/c1").move("O1", "closed")
    story.now_us = story.header.end_us - 10 * MINUTE
    assert story.capture().end().verdict("I-21").outcome == "violated"


def test_a_history_that_was_cut_at_the_deadline_is_decided() -> None:
    """A second earlier it is not."""

    def cut_at(us: int) -> str:
        story = late()
        story.now_us = story.header.settle_by_us + us
        return story.notice("u1", "order_completed").verdict("I-21").outcome

    assert (cut_at(0), cut_at(-SECOND)) == ("violated", "unknown")


def test_money_taken_at_the_moment_of_the_close_is_late() -> None:
    """And an order that was paid, closed and opened again before it is not judged for the early money."""
    story = Story().place().book("CH", "closed", "O1/c1").move("O1", "closed")
    story.now_us -= SECOND
    assert story.capture().end().verdict("I-21").checked == 1
    early = Story().place().capture().move("O1", "closed").move("O1", "paid_late").end()
    assert early.verdict("I-21").checked == 0


def test_a_late_capture_for_an_order_that_a_failover_lost_is_undecided_once_goods_went_out() -> None:
    """Their price is not known; without goods the money is owed."""
    lost = late().apply(to="paid_late").sell().state("orders", "O1", None).end().verdict("I-21")
    assert (lost.outcome, [doubt.words for doubt in lost.witnesses]) == ("unknown", ["row_lost"])
    owed = late().state("orders", "O1", None).end().verdict("I-21")
    assert [witness.words for witness in owed.witnesses] == ["kept"]


def test_a_single_late_fen_is_owed() -> None:
    """One more than the price."""
    story = Story().place().book("CH", "closed", "O1/c1").move("O1", "closed").capture(paid_fen=1001)
    assert story.apply(to="paid_late").sell().end().verdict("I-21").amount_fen == 1
