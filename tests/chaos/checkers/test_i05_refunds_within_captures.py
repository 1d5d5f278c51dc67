"""I-05 on tiny histories."""

from __future__ import annotations

from tests.chaos.histories import Story


def test_one_full_refund_is_fine() -> None:
    """Refunds = captures."""
    verdict = Story().place().pay().refund().verdict("I-05")
    assert (verdict.outcome, verdict.checked) == ("holds", 2)


def test_a_failed_number_may_be_replaced() -> None:
    """A refund that failed for good paid nothing."""
    story = Story().place().pay().refund(done=False)
    story.book("CH", "refund_failed", "O1/c1", refund_no="O1/r1", amount_fen=1000, code="X")
    with story:
        story.refund_row("O1/r1", "O1/c1", 1000, "full", "failed")
        story.refund_row("O1/r2", "O1/c1", 1000, "full", "requested")
    story.book("CH", "refund_accepted", "O1/c1", refund_no="O1/r2", amount_fen=1000)
    assert story.verdict("I-05").outcome == "holds"


def test_a_retry_under_a_new_number_violates() -> None:
    """X-19."""
    story = Story().place().pay().refund_row("O1/r1", "O1/c1", 1000, "full", "requested")
    (witness,) = story.refund_row("O1/r2", "O1/c1", 1000, "full", "requested").verdict("I-05").witnesses
    assert (witness.words, witness.id, witness.amount_fen) == ("two_numbers", "O1", 1000)
    assert (witness.data["first"], witness.data["second"]) == ("O1/r1", "O1/r2")


def test_more_back_than_taken_violates() -> None:
    """Channel refund and wallet refund of the same money."""
    story = Story().place().pay().refund().credit().settle_credit("credit_final")
    (witness,) = story.verdict("I-05").witnesses
    assert (witness.words, witness.id, witness.amount_fen) == ("too_much", "O1", 1000)


def test_asking_for_more_than_taken_violates() -> None:
    """Pending counts too: two intents that together exceed the capture."""
    story = Story().place().pay().refund_row("O1/r1", "O1/c1", 1000, "full", "requested")
    (witness,) = story.refund_row("O1/r2", "O1/c1", 400, "short", "requested").verdict("I-05").witnesses
    assert (witness.words, witness.amount_fen, witness.data["captured_fen"]) == ("too_much", 400, 1000)


def test_a_damaged_refund_entry_is_undecided() -> None:
    """An entry without its amount cannot be summed; the checker says so instead of guessing."""
    story = Story().place().pay().book("CH", "refund_accepted", "O1/c1", refund_no="O1/r1")
    assert story.verdict("I-05").outcome == "unknown"


def test_a_refund_row_that_a_failover_took_back_asks_for_nothing() -> None:
    """The only row is gone, and with it the question."""
    story = Story().place().pay().refund_row("O1/r1", "O1/c1", 1000, "full", "requested")
    verdict = story.state("refunds", "O1/r1", None, "revert").verdict("I-05")
    assert (verdict.outcome, verdict.checked) == ("holds", 1)


def test_one_fen_too_much_is_too_much() -> None:
    """Asked for, or accepted by the channel."""
    asked = Story().place().pay().refund_row("O1/r1", "O1/c1", 1001, "full", "requested")
    assert [witness.amount_fen for witness in asked.verdict("I-05").witnesses] == [1]
    taken = Story().place().pay()
    taken.book("CH", "refund_accepted", "O1/c1", refund_no="x", amount_fen=1001)
    assert [witness.amount_fen for witness in taken.verdict("I-05").witnesses] == [1]


def test_money_is_counted_when_money_moved() -> None:
    """A change of the refund rows alone judges the rows alone."""
    story = Story().place(user="rich")
    story.posting("O1", "wallet_payment", ("wallet:rich", 1000), ("suspense", -1000))
    story.posting("O1", "wallet_refund", ("suspense", 1000), ("wallet:rich", -1000))
    once = story.verdict("I-05").checked
    assert story.refund_row("O1/r1", "O1/c1", 0, "full", "requested").verdict("I-05").checked == once + 1
