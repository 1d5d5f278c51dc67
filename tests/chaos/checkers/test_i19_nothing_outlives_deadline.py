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


def test_a_ticket_that_came_too_late_excuses_no_late_end() -> None:
    """For an hour nobody had it."""
    story = ticket(Story().place().pay().wait(90 * MINUTE)).sell().end()
    assert [witness.words for witness in story.verdict("I-19").witnesses] == ["too_late"]


def test_a_ticket_that_came_too_late_excuses_no_order_that_never_ends() -> None:
    """It has an owner now; the promise was broken before."""
    story = ticket(Story().place().pay().wait(90 * MINUTE)).end()
    assert [witness.words for witness in story.verdict("I-19").witnesses] == ["stuck"]


def moved_after_the_faults(us: int, *, ticket_us: int | None = None, status: str = "fulfilling") -> Story:
    """Paid, and moved on so long after the faults ended (minute 30); `paid` may last 10 minutes."""
    story = Story().place().pay()
    if ticket_us is not None:
        story.now_us = 30 * MINUTE + ticket_us
        ticket(story)
    story.now_us = 30 * MINUTE + us
    return story.move("O1", status).move("O1", "completed").end()


def test_the_deadline_itself_is_in_time_for_the_order_and_for_its_ticket() -> None:
    """Ten minutes after the faults, and not a moment more."""
    assert moved_after_the_faults(10 * MINUTE).verdict("I-19").outcome == "holds"
    assert moved_after_the_faults(10 * MINUTE + 1).verdict("I-19").outcome == "violated"
    late = 20 * MINUTE
    assert moved_after_the_faults(late, ticket_us=10 * MINUTE).verdict("I-19").outcome == "holds"
    assert moved_after_the_faults(late, ticket_us=10 * MINUTE + 1).verdict("I-19").outcome == "violated"


def test_a_history_that_was_cut_at_the_deadline_is_undecided() -> None:
    """A moment later it is decided."""
    for late_us, outcome in ((0, "unknown"), (1, "violated")):
        story = Story().place().pay()
        story.now_us = 40 * MINUTE + late_us
        verdict = story.fault("user.drop").verdict("I-19")
        assert (verdict.outcome, verdict.checked) == (outcome, 2)


def test_an_order_with_time_left_at_the_end_of_the_run_holds() -> None:
    """It was placed just before; nothing was promised for so soon."""
    story = Story()
    story.now_us = story.header.end_us - 5 * MINUTE
    assert story.place().end().verdict("I-19").outcome == "holds"


def test_an_order_may_rest_where_its_life_ends() -> None:
    """Closed, completed and refunded have no deadline, and late money may revive a closed order."""
    for status in ("closed", "completed", "refunded"):
        assert Story().place().move("O1", status).end().verdict("I-19").outcome == "holds"
    story = Story().place().move("O1", "closed").wait(90 * MINUTE).move("O1", "paid_late")
    assert story.move("O1", "completed").end().verdict("I-19").outcome == "holds"


def test_a_state_without_a_deadline_of_its_own_has_that_of_the_run() -> None:
    """Two hours."""

    def left_at(us: int) -> str:
        story = Story(facts={"state_deadlines_us": {}}).place()
        story.now_us = us
        return story.move("O1", "closed").end().verdict("I-19").outcome

    assert (left_at(120 * MINUTE), left_at(120 * MINUTE + 1)) == ("holds", "violated")


def test_the_money_at_risk_is_what_was_paid_else_the_price() -> None:
    """700 fen were captured of 1000; of another order nothing."""
    assert Story().place().capture(paid_fen=700).end().verdict("I-19").amount_fen == 700
    assert Story().place().end().verdict("I-19").amount_fen == 1000


def test_the_witness_shows_when_the_state_began_and_when_it_was_found_out() -> None:
    """Two events."""
    (witness,) = Story().place().pay().end().verdict("I-19").witnesses
    assert len(witness.events) == 2
