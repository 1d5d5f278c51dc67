"""I-24 on tiny histories."""

from __future__ import annotations

from tests.chaos.histories import Story


def test_an_ack_after_the_inbox_row_holds() -> None:
    """Received, kept, acknowledged."""
    verdict = Story().place().capture().callback(received=True).verdict("I-24")
    assert (verdict.outcome, verdict.checked) == ("holds", 1)


def test_an_ack_with_nothing_kept_violates() -> None:
    """X-11: success was answered before anything was written."""
    verdict = Story().place().capture().callback().verdict("I-24")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.words, witness.id, witness.amount_fen) == (
        "violated",
        "nothing_kept",
        "O1",
        1000,
    )


def test_a_design_without_an_inbox_may_show_the_paid_charge() -> None:
    """The effect itself is durable."""
    assert Story().place().capture().apply().callback().verdict("I-24").outcome == "holds"


def test_a_refusal_promises_nothing() -> None:
    """The channel calls again."""
    verdict = Story().place().capture().callback(accepted=False, status=500).verdict("I-24")
    assert (verdict.outcome, verdict.checked) == ("holds", 0)


def test_an_inbox_row_lost_by_a_failover_violates() -> None:
    """Acknowledged, then forgotten."""
    story = Story().place().capture().callback(received=True)
    (witness,) = story.state("inbox", "wechat:O1/c1.1", None, "revert").verdict("I-24").witnesses
    assert (witness.words, witness.id, witness.amount_fen, len(witness.events)) == (
        "forgotten",
        "O1",
        1000,
        2,
    )


def test_a_paid_charge_lost_by_a_failover_violates() -> None:
    """The same without an inbox."""
    story = Story().place().capture().apply().callback()
    assert story.charge_row("O1/c1", "revert", status="open").verdict("I-24").outcome == "violated"


def test_an_inbox_row_lost_before_its_ack_is_no_matter() -> None:
    """Nothing was promised yet."""
    story = Story().place().capture().inbox("O1/c1", "O1/c1.1", "received")
    assert story.state("inbox", "wechat:O1/c1.1", None, "revert").verdict("I-24").outcome == "holds"


def test_a_refund_notice_needs_a_refund_that_is_known() -> None:
    """Its effect is the refund's row."""
    story = Story().place().pay().refund()
    story.book("CH", "callback_sent", "O1/c1", notify_id="r", attempt=1, event="REFUND", paid_fen=0)
    story.charges.clear()
    story.charge_row("O1/c1", status="closed")
    acked = story.book("CH", "callback_acked", "O1/c1", notify_id="r", attempt=1, status=200, accepted=True)
    assert acked.verdict("I-24").outcome == "holds"


def test_a_refund_known_does_not_excuse_a_payment_notice() -> None:
    """Another matter altogether; nor does a refund notice excuse itself."""
    story = Story().place().capture().refund_row("O1/r1", "O1/c1", 1000, "full", "requested")
    assert story.callback().verdict("I-24").outcome == "violated"
    story = Story().place().capture()
    story.book("CH", "callback_sent", "O1/c1", notify_id="r", attempt=1, event="REFUND", paid_fen=0)
    story.book("CH", "callback_acked", "O1/c1", notify_id="r", attempt=1, status=200, accepted=True)
    assert story.verdict("I-24").outcome == "violated"


def test_a_charge_that_a_failover_leaves_paid_is_safe() -> None:
    """Only what is lost is broken; a charge never acknowledged promised nothing."""
    story = Story().place().capture().apply().callback().charge_row("O1/c1", "revert", status="paid")
    assert story.verdict("I-24").outcome == "holds"
    story = Story().place().capture().apply().charge_row("O1/c1", "revert", status="open")
    assert story.verdict("I-24").outcome == "holds"


def test_an_ack_without_the_channels_judgement_is_undecided() -> None:
    """Whether the channel took it for a success is not in the book."""
    story = (
        Story().place().capture().book("CH", "callback_acked", "O1/c1", notify_id="x", attempt=1, status=200)
    )
    assert story.verdict("I-24").outcome == "unknown"


def test_only_a_failover_forgets_what_was_acknowledged() -> None:
    """A row that is cleared away, brought back to what it was, or was never acknowledged is none of it."""
    kept = Story().place().capture().callback(received=True)
    row = kept.events[-2].row  # type: ignore[union-attr]
    assert kept.state("inbox", "wechat:O1/c1.1", row, "revert").verdict("I-24").outcome == "holds"
    cleared = (
        Story().place().capture().callback(received=True).state("inbox", "wechat:O1/c1.1", None, "delete")
    )
    assert cleared.verdict("I-24").outcome == "holds"
    strange = Story().place().state("inbox", "wechat:x", None, "revert")
    assert strange.verdict("I-24").outcome == "holds"


def test_a_charge_that_nobody_wrote_down_is_not_paid() -> None:
    """The channel has it, the platform has no row of it: the ack kept nothing."""
    story = Story().place().open_charge("O1/c2").capture("O1/c2")
    assert [witness.words for witness in story.callback("O1/c2").verdict("I-24").witnesses] == [
        "nothing_kept"
    ]
    orphan = Story().book("CH", "captured", "O9/c1", paid_fen=5, payer="u1")
    orphan.book("CH", "callback_acked", "O9/c7", notify_id="n", attempt=1, status=200, accepted=True)
    assert [witness.words for witness in orphan.verdict("I-24").witnesses] == ["nothing_kept"]


def test_what_was_acknowledged_is_looked_at_when_the_charge_changes() -> None:
    """And once for each change that leaves it unpaid."""
    story = Story().place().capture().apply().callback().charge_row("O1/c1", "revert", status="open")
    story.order("O1", refunded_qty=0)
    assert story.verdict("I-24").count == 1
