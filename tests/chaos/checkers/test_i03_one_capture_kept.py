"""I-03 on tiny histories."""

from __future__ import annotations

from tests.chaos.histories import HOUR, MINUTE, SECOND, Story


def paid_twice() -> Story:
    return Story().plain().open_charge("O1/c2", "alipay").capture("O1/c2")


def test_one_capture_is_fine() -> None:
    """The plain order."""
    assert Story().plain().end().verdict("I-03").outcome == "holds"


def test_a_second_capture_given_back_is_fine() -> None:
    """K-03 refunds the extra one."""
    assert paid_twice().refund("O1/c2", intent="extra:O1/c2").end().verdict("I-03").outcome == "holds"


def test_an_accepted_refund_is_in_time() -> None:
    """The money may move some seconds after the deadline."""
    assert paid_twice().refund("O1/c2", done=False).end().verdict("I-03").outcome == "holds"


def test_a_second_capture_kept_violates() -> None:
    """X-15: two channels pay one order."""
    verdict = paid_twice().end().verdict("I-03")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.id, witness.amount_fen, witness.users) == (
        "violated",
        "O1",
        1000,
        ("u1",),
    )
    assert witness.data["charges"] == "O1/c1, O1/c2"


def test_a_refund_after_the_deadline_is_too_late() -> None:
    """A capture late in the run has 30 minutes, not for ever."""
    story = Story().plain()
    story.now_us = 3 * HOUR
    story.open_charge("O1/c2").capture("O1/c2").wait(31 * MINUTE).refund("O1/c2").end()
    assert story.verdict("I-03").outcome == "violated"


def test_a_refund_within_thirty_minutes_of_a_late_capture_is_in_time() -> None:
    """The run's own deadline was long over."""
    story = Story().plain()
    story.now_us = 3 * HOUR
    story.open_charge("O1/c2").capture("O1/c2").wait(29 * MINUTE).refund("O1/c2")
    assert story.end().verdict("I-03").outcome == "holds"


def test_half_a_refund_gives_nothing_back() -> None:
    """In full, or it was kept."""
    assert paid_twice().refund("O1/c2", 500).end().verdict("I-03").outcome == "violated"


def paid_from_both(refunded: int) -> Story:
    """From the wallet and at the channel; `refunded` fen of it back in the wallet."""
    story = Story().place(user="rich")
    story.posting("O1", "wallet_payment", ("wallet:rich", 1000), ("suspense", -1000)).capture().apply()
    return (
        story.posting("O1", "wallet_refund", ("suspense", refunded), ("wallet:rich", -refunded)).sell().end()
    )


def test_a_wallet_payment_is_a_capture_and_its_refund_goes_to_the_wallet() -> None:
    """Paid from two purses, one given back in full."""
    assert paid_from_both(refunded=1000).verdict("I-03").outcome == "holds"
    assert paid_from_both(refunded=500).verdict("I-03").outcome == "violated"


def test_two_captures_on_one_number_need_two_refunds() -> None:
    """One refund cannot stand for both."""
    story = Story().plain().capture("O1/c1").capture("O1/c1").refund("O1/c1", intent="extra").end()
    (witness,) = story.verdict("I-03").witnesses
    assert (witness.data["kept"], witness.amount_fen) == (2, 1000)


def test_every_paid_order_is_counted() -> None:
    """`checked` says how many."""
    assert Story().plain("O1").plain("O2").verdict("I-03").checked == 2


def test_a_failed_refund_gives_nothing_back() -> None:
    """Accepted and then refused by the bank is still kept."""
    story = paid_twice().refund("O1/c2", done=False)
    story.book("CH", "refund_failed", "O1/c2", refund_no="O1/r1", amount_fen=1000, code="CLOSED").end()
    assert story.verdict("I-03").outcome == "violated"


def test_before_the_deadline_nothing_is_decided() -> None:
    """The run stopped while there was still time."""
    verdict = paid_twice().verdict("I-03")
    assert (verdict.outcome, verdict.witnesses[0].words) == ("unknown", "not_due")


def test_after_the_deadline_an_unfinished_run_is_decided() -> None:
    """Nothing that comes later could help."""
    assert paid_twice().wait(3 * HOUR).place("O2").verdict("I-03").outcome == "violated"


def test_a_violation_is_dated_to_the_deadline() -> None:
    """The run's, or 30 minutes after the last capture."""
    story = paid_twice()
    assert story.end().verdict("I-03").first_us == story.header.settle_by_us
    story = Story().plain()
    story.now_us = 3 * HOUR
    captured_us = story.open_charge("O1/c2").capture("O1/c2").now_us
    assert abs((story.end().verdict("I-03").first_us or 0) - captured_us - 30 * MINUTE) < MINUTE


def test_the_last_moment_of_the_thirty_minutes_is_in_time_and_the_next_second_is_not() -> None:
    """K-03: 30 minutes, not a second more."""

    def given_back_after(us: int) -> str:
        story = Story().plain()
        story.now_us = 3 * HOUR
        story.open_charge("O1/c2")
        captured_us = story.now_us
        story.capture("O1/c2")
        story.now_us = captured_us + us
        story.book("CH", "refund_accepted", "O1/c2", refund_no="r", amount_fen=1000)
        return story.end().verdict("I-03").outcome

    assert given_back_after(30 * MINUTE) == "holds"
    assert given_back_after(30 * MINUTE + SECOND) == "violated"


def test_at_the_end_of_the_run_time_is_up_for_everybody() -> None:
    """All is quiet and the final reads are done: nothing can come any more."""
    story = Story().plain()
    story.now_us = story.header.end_us - 10 * MINUTE
    assert story.open_charge("O1/c2").capture("O1/c2").end().verdict("I-03").outcome == "violated"


def test_the_deadline_itself_belongs_to_the_decided() -> None:
    """A history that was cut at the very deadline is judged; a second earlier it is not."""

    def cut_at(us: int) -> str:
        story = paid_twice()
        story.now_us = story.header.settle_by_us + us
        return story.notice("u1", "order_completed").verdict("I-03").outcome

    assert cut_at(0) == "violated"
    assert cut_at(-SECOND) == "unknown"


def test_orders_that_nobody_paid_are_not_counted_and_open_charges_not_kept() -> None:
    """Only captures count: O2 is unpaid, and the third charge of O1 was opened and left."""
    story = paid_twice().refund("O1/c2").open_charge("O1/c3").place("O2").end()
    verdict = story.verdict("I-03")
    assert (verdict.outcome, verdict.checked) == ("holds", 1)
    (witness,) = paid_twice().open_charge("O1/c3").end().verdict("I-03").witnesses
    assert (witness.data["kept"], witness.amount_fen) == (2, 1000)


def test_what_went_back_to_the_wallet_stands_for_one_wallet_payment() -> None:
    """Paid twice from the wallet and given back once is kept once; three times is kept twice."""

    def paid_from_wallet(times: int) -> str:
        story = Story().place(user="rich")
        for _ in range(times):
            story.posting("O1", "wallet_payment", ("wallet:rich", 1000), ("suspense", -1000))
        story.posting("O1", "wallet_refund", ("suspense", 1000), ("wallet:rich", -1000))
        return story.sell().end().verdict("I-03").outcome

    assert (paid_from_wallet(2), paid_from_wallet(3)) == ("holds", "violated")


def test_what_went_back_to_the_wallet_gives_no_channel_its_money_back() -> None:
    """Two captures of the channel, and a wallet that was filled for one of them: both are still kept."""
    story = paid_twice().posting("O1", "wallet_refund", ("suspense", 1000), ("wallet:u1", -1000))
    assert story.end().verdict("I-03").outcome == "violated"
