"""I-07 on tiny histories."""

from __future__ import annotations

from tests.chaos.histories import Story


def test_balanced_postings_hold() -> None:
    """Debits = credits."""
    verdict = Story().plain().verdict("I-07")
    assert (verdict.outcome, verdict.checked) == ("holds", 2)


def test_an_unbalanced_posting_violates() -> None:
    """The witness names the posting, the order and the difference."""
    story = Story().place().posting("O1", "capture", ("channel:wechat", 1000), ("suspense", -900))
    (witness,) = story.verdict("I-07").witnesses
    assert (witness.words, witness.amount_fen, witness.data["order"]) == ("unbalanced", 100, "O1")
    assert witness.data["off_fen"] == 100
    assert witness.users == ("u1",)


def test_a_wallet_below_zero_violates() -> None:
    """X-33: paid twice from one balance."""
    (witness,) = Story().wallet("u1", -250).verdict("I-07").witnesses
    assert (witness.words, witness.id, witness.amount_fen, witness.users) == (
        "below_zero",
        "u1",
        250,
        ("u1",),
    )


def test_provisional_credit_below_zero_violates() -> None:
    """Credit that cannot be spent yet cannot be negative either."""
    verdict = Story().wallet("u1", 0, -1).verdict("I-07")
    assert (verdict.outcome, verdict.checked) == ("violated", 1)


def test_a_posting_without_lines_is_undecided() -> None:
    """The checker fails on it, says so, and takes nobody along."""
    verdicts = (
        Story().plain().state("postings", "P9", {"posting": "?", "order_id": "O1"}, "insert").verdicts()
    )
    assert verdicts["I-07"].outcome == "unknown"
    assert "lines" in verdicts["I-07"].witnesses[0].data["error"]


def test_a_posting_that_a_failover_took_back_is_not_judged() -> None:
    """Nor is a wallet whose row is gone."""
    story = Story().place().posting("O1", "capture", ("channel:wechat", 1000), ("suspense", -1000))
    story.state("postings", "P2", None, "revert").state("wallets", "u1", None, "revert")
    verdict = story.verdict("I-07")
    assert (verdict.outcome, verdict.checked) == ("holds", 1)


def test_an_empty_wallet_is_no_debt() -> None:
    """Zero is not below zero, and one fen below is."""
    assert Story().wallet("u1", 0, 0).verdict("I-07").outcome == "holds"
    assert Story().wallet("u1", -1, 0).verdict("I-07").witnesses[0].amount_fen == 1
