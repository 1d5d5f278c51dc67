"""I-23 on tiny histories."""

from __future__ import annotations

import pytest

from tests.chaos.histories import MINUTE, Story


def test_duplicates_that_are_acked_and_not_counted_hold() -> None:
    """One capture, three deliveries, one posting."""
    verdict = Story().place().pay().callback(n=2).callback(n=3).verdict("I-23")
    assert (verdict.outcome, verdict.checked) == ("holds", 3)


def test_a_capture_booked_twice_violates() -> None:
    """X-06: two callbacks within a second."""
    verdict = Story().place().capture().callback().apply().callback(n=2).apply().verdict("I-23")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.words, witness.id, witness.amount_fen) == (
        "violated",
        "counted_again",
        "O1",
        1000,
    )
    assert (witness.data["booked"], witness.data["captures"]) == (2, 1)


@pytest.mark.parametrize("status", [200, 409])
def test_a_processed_duplicate_refused_violates(status: int) -> None:
    """X-07: it would be retried for 24 hours."""
    (witness,) = Story().place().pay().callback(n=2, accepted=False, status=status).verdict("I-23").witnesses
    assert (witness.words, witness.id, witness.data["status"]) == ("duplicate_refused", "O1", status)


def test_a_duplicate_that_was_never_processed_may_be_refused() -> None:
    """Received is not processed."""
    story = Story().place().capture().inbox("O1/c1", "O1/c1.1", "received")
    assert story.callback(n=2, accepted=False, status=409).verdict("I-23").outcome == "holds"


def test_a_busy_platform_may_ask_to_try_again() -> None:
    """Twice 503 is no refusal."""
    story = Story().place().pay()
    for n in (2, 3):
        story.callback(n=n, accepted=False, status=503)
    assert story.verdict("I-23").outcome == "holds"


def test_asking_to_try_again_for_ever_violates() -> None:
    """Three times, with nothing in the way."""
    story = Story().place().pay()
    for n in (2, 3, 4):
        story.callback(n=n, accepted=False, status=500)
    assert story.verdict("I-23").outcome == "violated"


def test_failing_while_the_database_is_down_is_no_refusal() -> None:
    """A fault keeps the platform from answering; a minute after it ends the excuse is over."""
    story = Story().place().pay().fault("database.crash", "start")
    for n in (2, 3, 4):
        story.callback(n=n, accepted=False, status=500)
    assert story.verdict("I-23").outcome == "holds"
    story.fault("database.crash", "end").wait(2 * MINUTE)
    for n in (5, 6, 7):
        story.callback(n=n, accepted=False, status=500)
    assert story.verdict("I-23").outcome == "violated"


def test_captures_the_failover_forgot_are_undecided() -> None:
    """A posting taken back that nobody remembers: how often it counted is not known."""
    story = Story().place().capture().apply().state("postings", "long ago", None, "revert").apply()
    verdict = story.verdict("I-23")
    assert (verdict.outcome, verdict.witnesses[0].words) == ("unknown", "entries_lost")


def test_a_copy_of_the_first_attempt_refused_violates() -> None:
    """X-07: the network doubled it, so it bears the first attempt's number; it was processed all the same."""
    (witness,) = Story().place().pay().callback(n=1, accepted=False, status=409).verdict("I-23").witnesses
    assert (witness.words, witness.data["status"]) == ("duplicate_refused", 409)


def test_a_copy_that_was_under_way_before_the_first_was_processed_may_be_refused() -> None:
    """Two at once: the second cannot know yet that it will have been the second."""
    story = Story().place().capture()
    for _ in range(2):
        story.book(
            "CH", "callback_sent", "O1/c1", notify_id="O1/c1.1", attempt=1, event="SUCCESS", paid_fen=0
        )
    story.apply().inbox("O1/c1", "O1/c1.1")
    for accepted, status in ((True, 200), (False, 409)):
        data = {"notify_id": "O1/c1.1", "attempt": 1, "status": status, "accepted": accepted}
        story.book("CH", "callback_acked", "O1/c1", **data)
    assert story.verdict("I-23").outcome == "holds"


def test_a_notice_that_a_failover_forgot_is_no_duplicate() -> None:
    """Its row was taken back before it was sent again, and its earlier answer had been lost."""
    story = Story().place().pay()
    story.book("CH", "callback_sent", "O1/c1", notify_id="O1/c1.1", attempt=2, event="SUCCESS", paid_fen=0)
    story.state("inbox", "wechat:O1/c1.1", None, "revert")
    assert story.callback(n=3, accepted=False, status=409).verdict("I-23").outcome == "holds"


def test_only_orders_with_a_booked_capture_are_counted() -> None:
    """A delivery or a refund in the ledger is none."""
    assert (
        Story().place().posting("O1", "delivery", ("suspense", 1), ("revenue", -1)).verdict("I-23").checked
        == 0
    )


def test_a_capture_without_the_channel_is_another_matter() -> None:
    """I-22 judges it."""
    story = Story().place().posting("O1", "capture", ("channel:wechat", 1000), ("suspense", -1000))
    assert story.verdict("I-23").outcome == "holds"


def test_the_witness_of_a_capture_counted_again_shows_captures_alone() -> None:
    """The second charge was opened and left; what the capture brought is what was counted again."""
    story = Story().place().open_charge("O1/c0").capture("O1/c1", 700).open_charge("O1/c2").apply().apply()
    (witness,) = story.verdict("I-23").witnesses
    captured, booked = (story.events[event] for event in witness.events)
    assert (captured.entry, booked.row["posting"], witness.amount_fen) == ("captured", "capture", 700)  # type: ignore[union-attr,index]
