"""I-17 on tiny histories."""

from __future__ import annotations

import pytest

from chaos.checkers.i17_monotonic_reads import PENDING
from tests.chaos.histories import EPOCH_US, HOUR, Story


def test_seeing_progress_holds() -> None:
    """paid, then completed."""
    story = Story().place().pay().view(status="paid").sell().view(status="completed").end()
    verdict = story.verdict("I-17")
    assert (verdict.outcome, verdict.checked) == ("holds", 3)


def test_completed_then_pending_violates() -> None:
    """X-42: a stale replica takes the goods away again."""
    verdict = Story().plain().view(status="completed").view(status="paid").verdict("I-17")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.id, witness.amount_fen, witness.users) == (
        "violated",
        "O1",
        1000,
        ("u1",),
    )
    assert witness.data["status"] == "paid"
    assert len(witness.events) == 2


def test_a_look_that_began_earlier_may_show_the_past() -> None:
    """Two looks overlap: only what is asked after the answer counts."""
    story = Story().plain()
    slow = story.invoke("u1", "view_order", order_id="O1")
    story.view(status="completed").answer(slow, "u1", "view_order", order_id="O1", status="paid")
    assert story.verdict("I-17").outcome == "holds"


def test_a_notice_counts_as_seen() -> None:
    """Told that it is completed, then shown that it is not."""
    story = Story().plain().notice("u1", "order_completed").view(status="fulfilling")
    assert story.verdict("I-17").outcome == "violated"


def test_the_final_read_counts_as_a_look() -> None:
    """Also when it is the last look that goes back."""
    story = Story().plain().view().read("order", "O1", order_id="O1", status="created")
    assert story.verdict("I-17").outcome == "violated"


def member(until_us: int) -> Story:
    return Story().op("u1", "view_membership", {}, member=True, until_us=EPOCH_US + until_us)


def test_a_member_who_is_shown_as_none_violates() -> None:
    """The membership had an hour to run."""
    story = member(HOUR).op("u1", "view_membership", {}, member=False, until_us=0)
    (witness,) = story.verdict("I-17").witnesses
    assert (witness.words, witness.id, witness.users) == ("member_lost", "u1", ("u1",))


def test_a_membership_may_end_by_itself() -> None:
    """Its time was over."""
    story = (
        member(HOUR).wait(2 * HOUR).op("u1", "view_membership", {}, member=False, until_us=EPOCH_US + HOUR)
    )
    assert story.verdict("I-17").outcome == "holds"


def test_a_membership_may_be_taken_back_by_a_commit_but_not_by_a_failover() -> None:
    """A refund may end it; forgetting may not."""
    gone = {"user": "u1", "until_us": EPOCH_US}
    taken = (
        member(HOUR)
        .state("memberships", "u1", gone)
        .op("u1", "view_membership", {}, member=False, until_us=0)
    )
    assert taken.verdict("I-17").outcome == "holds"
    lost = member(HOUR).state("memberships", "u1", gone, "revert")
    assert (
        lost.op("u1", "view_membership", {}, member=False, until_us=0).verdict("I-17").outcome == "violated"
    )


def test_a_failed_final_read_of_a_completed_order_is_undecided() -> None:
    """What the user would see is not known."""
    verdict = Story().plain().view().read("order", "O1", error="503").verdict("I-17")
    assert (verdict.outcome, verdict.witnesses[0].words) == ("unknown", "not_read")


def test_a_longer_membership_counts_from_its_new_end() -> None:
    """Extended to three hours, shown as none after two."""
    story = (
        member(HOUR).op("u1", "view_membership", {}, member=True, until_us=EPOCH_US + 3 * HOUR).wait(2 * HOUR)
    )
    assert (
        story.op("u1", "view_membership", {}, member=False, until_us=0).verdict("I-17").outcome == "violated"
    )


def test_the_final_read_of_a_membership_counts_as_a_look() -> None:
    """And one that failed says nothing."""
    lost = member(HOUR).read("membership", "u1", member=False, until_us=0)
    assert lost.verdict("I-17").outcome == "violated"
    assert member(HOUR).read("membership", "u1", error="503").verdict("I-17").outcome == "holds"


def test_a_membership_may_be_deleted_by_a_commit_and_extended_by_one() -> None:
    """Deleting ends it; extending does not."""
    gone = member(HOUR).state("memberships", "u1", None, "delete")
    assert gone.op("u1", "view_membership", {}, member=False, until_us=0).verdict("I-17").outcome == "holds"
    longer = member(HOUR).state("memberships", "u1", {"user": "u1", "until_us": EPOCH_US + 2 * HOUR})
    assert (
        longer.op("u1", "view_membership", {}, member=False, until_us=0).verdict("I-17").outcome == "violated"
    )


@pytest.mark.parametrize("status", sorted(PENDING))
def test_no_state_on_the_way_may_be_shown_after_completed(status: str) -> None:
    """Created, closing, closed, paid, paid late, fulfilling, held."""
    assert Story().plain().view().view(status=status).verdict("I-17").outcome == "violated"


def test_a_refund_may_be_shown_after_completed() -> None:
    """Completed, then given back."""
    for status in ("refunding", "refunded"):
        assert Story().plain().view().view(status=status).verdict("I-17").outcome == "holds"


def test_what_is_asked_at_the_moment_of_the_answer_counts() -> None:
    """An order, and a membership: seen at one moment, asked for at the same one."""
    story = Story().plain().view()
    story.now_us -= 1_000_000
    assert story.view(status="paid").verdict("I-17").outcome == "violated"
    story = member(HOUR)
    story.now_us -= 1_000_000
    story.op("u1", "view_membership", {}, member=False, until_us=0)
    assert story.verdict("I-17").outcome == "violated"


def test_the_first_sight_of_completed_is_the_one_that_counts() -> None:
    """Seen again later, a look that began in between is still after the first."""
    story = Story().plain().view()
    first_at = len(story.events) - 1
    between = story.invoke("u1", "view_order", order_id="O1")
    story.view().answer(between, "u1", "view_order", order_id="O1", status="paid")
    (witness,) = story.verdict("I-17").witnesses
    assert witness.events[0] == first_at


def test_a_membership_question_that_was_asked_earlier_may_show_the_past() -> None:
    """Two looks overlap."""
    story = Story()
    slow = story.invoke("u1", "view_membership")
    story.op("u1", "view_membership", {}, member=True, until_us=EPOCH_US + HOUR)
    story.answer(slow, "u1", "view_membership", member=False, until_us=0)
    assert story.verdict("I-17").outcome == "holds"


def test_a_shorter_end_that_was_shown_later_takes_nothing_away() -> None:
    """What counts is the longest that the member was told; each look is counted."""
    story = Story().op("u1", "view_membership", {}, member=True, until_us=EPOCH_US + 3 * HOUR)
    story.op("u1", "view_membership", {}, member=True, until_us=EPOCH_US + HOUR).wait(2 * HOUR)
    verdict = story.op("u1", "view_membership", {}, member=False, until_us=0).verdict("I-17")
    assert (verdict.outcome, verdict.checked) == ("violated", 3)
    assert verdict.witnesses[0].data["left_us"] == 3 * HOUR - story.events[-1].t_us


def test_a_membership_is_over_at_its_end() -> None:
    """Not a moment before."""
    for left_us, outcome in ((0, "holds"), (1, "violated")):
        story = member(HOUR)
        story.now_us = HOUR - left_us
        story.read("membership", "u1", member=False, until_us=0)
        assert story.verdict("I-17").outcome == outcome


def test_a_membership_that_is_written_again_as_it_was_is_not_taken_back() -> None:
    """A commit ends it only by an earlier end."""
    same = member(HOUR).state("memberships", "u1", {"user": "u1", "until_us": EPOCH_US + HOUR})
    same.state("memberships", "u2", {"user": "u2", "until_us": 0})
    assert (
        same.op("u1", "view_membership", {}, member=False, until_us=0).verdict("I-17").outcome == "violated"
    )


def test_a_failed_read_of_what_nobody_saw_completed_says_nothing() -> None:
    """Nor does one of an order that no book knows."""
    assert Story().place().read("order", "O1", error="503").verdict("I-17").outcome == "holds"
    assert Story().read("order", "O9", error="503").verdict("I-17").outcome == "holds"
    assert Story().read("order", "O9", status="paid").verdict("I-17").outcome == "holds"


def test_a_look_at_an_order_that_was_forgotten_costs_what_was_paid() -> None:
    """Its price went with its row."""
    story = Story().place().capture(paid_fen=700).apply().sell().view()
    story.state("orders", "O1", None, "revert").view(status="paid")
    assert story.verdict("I-17").witnesses[0].amount_fen == 700
