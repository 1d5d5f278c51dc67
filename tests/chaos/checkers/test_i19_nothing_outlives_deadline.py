"""I-19 on tiny histories: faults end at 30 min; `paid` may last 10 min, `created` 25 min."""

from __future__ import annotations

from tests.chaos.histories import MINUTE, Story


def ticket(story: Story, status: str = "open") -> Story:
    row = {
        "ticket_id": "T1",
        "ref": "O1",
        "order_id": "O1",
        "reason": "suspense",
        "team": "finance",
        "status": status,
    }
    return story.state("tickets", "T1", row, "insert")


def test_an_order_that_ends_in_time_holds() -> None:
    """The plain order."""
    assert Story().plain().end().verdict("I-19").outcome == "holds"


def test_an_order_that_never_ends_violates() -> None:
    """X-45: the capture was booked, then nothing."""
    verdict = Story().place().pay().end().verdict("I-19")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.words, witness.id, witness.amount_fen) == (
        "violated",
        "stuck",
        "O1",
        1000,
    )
    assert (witness.data["status"], witness.data["due_us"]) == ("paid", 40 * MINUTE)


def test_an_order_that_ends_too_late_violates() -> None:
    """It did end, an hour after its deadline."""
    (witness,) = Story().place().pay().wait(90 * MINUTE).sell().end().verdict("I-19").witnesses
    assert (witness.words, witness.data["status"]) == ("too_late", "paid")


def test_time_under_faults_does_not_count() -> None:
    """25 minutes late, but the faults lasted as long."""
    assert Story().place().pay().wait(35 * MINUTE).sell().end().verdict("I-19").outcome == "holds"


def test_an_open_ticket_owns_the_order() -> None:
    """Somebody has it on the desk."""
    assert ticket(Story().place().pay()).end().verdict("I-19").outcome == "holds"


def test_a_closed_ticket_owns_nothing() -> None:
    """The desk is empty and the order still open."""
    assert ticket(Story().place().pay(), "closed").end().verdict("I-19").outcome == "violated"


def test_a_ticket_opened_in_time_excuses_a_late_end() -> None:
    """People may take their time; the order was never without an owner."""
    story = ticket(Story().place().pay()).wait(90 * MINUTE)
    assert story.sell().end().verdict("I-19").outcome == "holds"


def test_before_the_deadline_nothing_is_decided() -> None:
    """The run stopped while there was still time."""
    verdict = Story().place().pay().verdict("I-19")
    assert (verdict.outcome, verdict.witnesses[0].words) == ("unknown", "not_due")


def test_a_change_that_leaves_the_status_alone_is_no_leaving() -> None:
    """Judged once, when it moves or at the end, not at each change in between."""
    verdict = Story().place().pay().wait(90 * MINUTE).order("O1", account="x").sell().end().verdict("I-19")
    assert (verdict.outcome, verdict.count, verdict.checked) == ("violated", 1, 2)


def test_a_violation_is_dated_to_the_deadline() -> None:
    """Whether it was seen when the order moved at last or at the end of the run."""
    for story in (Story().place().pay(), Story().place().pay().wait(90 * MINUTE).sell()):
        assert story.end().verdict("I-19").first_us == 40 * MINUTE
