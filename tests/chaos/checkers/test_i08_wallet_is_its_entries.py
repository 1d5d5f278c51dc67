"""I-08 on tiny histories."""

from __future__ import annotations

from chaos.history import State
from chaos.recent_rows import RecentRows
from tests.chaos.histories import Story


def test_balance_and_entries_agree() -> None:
    """Opening balance + entries = balance."""
    verdict = Story().place().pay().credit().verdict("I-08")
    assert (verdict.outcome, verdict.checked) == ("holds", 1)


def test_the_opening_balance_counts() -> None:
    """The header says what a wallet held when the run began."""
    story = Story().place(user="rich")
    with story:
        story.posting("O1", "wallet_payment", ("wallet:rich", 1000), ("suspense", -1000)).wallet("rich", 9000)
    assert story.verdict("I-08").outcome == "holds"


def test_a_lost_update_violates() -> None:
    """Two credits were posted, the balance shows one."""
    story = Story().place().pay().credit()
    with story:
        story.posting("O1", "credit", ("compensation_cost", 500), ("wallet:u1", -500)).wallet("u1", 1000)
    (witness,) = story.verdict("I-08").witnesses
    assert (witness.id, witness.amount_fen, witness.users) == ("u1", 500, ("u1",))
    assert (witness.data["balance_fen"], witness.data["entries_fen"]) == (1000, 1500)


def test_a_balance_without_an_entry_violates() -> None:
    """Money out of nothing."""
    assert Story().wallet("u1", 1).verdict("I-08").outcome == "violated"


def test_provisional_credit_is_kept_apart() -> None:
    """Spendable and provisional must each equal their own entries."""
    story = Story().place()
    with story:
        story.posting("O1", "credit", ("compensation_cost", 500), ("provisional:u1", -500)).wallet(
            "u1", 300, 100
        )
    (witness,) = story.verdict("I-08").witnesses
    assert (witness.amount_fen, witness.data) == (700, {"balance_fen": 400, "entries_fen": 500})


def test_a_failover_that_takes_back_entry_and_balance_holds() -> None:
    """Shadow sums follow a revert."""
    story = Story().place().pay().credit()
    posting = next(
        e.key for e in story.events if isinstance(e, State) and e.row and e.row.get("posting") == "credit"
    )
    with story:
        story.state("postings", posting, None, "revert").state("wallets", "u1", None, "revert")
    assert story.verdict("I-08").outcome == "holds"


def test_entries_lost_beyond_memory_are_undecided() -> None:
    """A revert of a posting that is no longer remembered leaves the sums unknown."""
    story = Story().place().state("postings", "long ago", None, "revert").wallet("u1", 5)
    verdict = story.verdict("I-08")
    assert (verdict.outcome, verdict.witnesses[0].words) == ("unknown", "entries_lost")


def test_recent_rows_forget_only_the_oldest_generation() -> None:
    """Memory is bounded, and what was just written can always be taken back."""
    rows = RecentRows(limit=2)
    for n in range(4):
        rows.replace(f"k{n}", {"n": n})
    assert rows.replace("k1", None) == {"n": 1}
    rows.replace("k4", {"n": 4})
    assert rows.replace("k0", None) is None
    assert rows.replace("k3", None) == {"n": 3}


def test_provisional_credit_without_an_entry_violates() -> None:
    """What can be spent is right, what cannot be spent yet is made up."""
    (witness,) = Story().wallet("rich", 10_000, 300).verdict("I-08").witnesses
    assert (witness.amount_fen, witness.entity) == (300, "wallet")


def test_a_wallet_that_a_failover_forgot_is_what_it_was_when_the_run_began() -> None:
    """No row and no entries: the opening balance."""
    story = Story().wallet("rich", 10_000).state("wallets", "rich", None, "revert")
    verdict = story.verdict("I-08")
    assert (verdict.outcome, verdict.checked) == ("holds", 2)
