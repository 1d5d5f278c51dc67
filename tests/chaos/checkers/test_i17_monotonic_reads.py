"""I-17 on tiny histories."""

from __future__ import annotations

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
