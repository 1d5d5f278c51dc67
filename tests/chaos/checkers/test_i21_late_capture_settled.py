"""I-21 on tiny histories."""

from __future__ import annotations

from tests.chaos.histories import HOUR, MINUTE, Story


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
