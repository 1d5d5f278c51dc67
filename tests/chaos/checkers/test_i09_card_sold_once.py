"""I-09 on tiny histories."""

from __future__ import annotations

from chaos.history import Unknown
from tests.chaos.histories import Story


def test_each_card_to_its_buyer() -> None:
    """Two orders, two cards."""
    verdict = Story().plain("O1").plain("O2", "u2").verdict("I-09")
    assert (verdict.outcome, verdict.checked) == ("holds", 2)


def test_one_card_for_two_buyers_violates() -> None:
    """X-29: the last card, sold twice."""
    story = Story().plain("O1").place("O2", "u2").pay("O2/c1")
    verdict = story.card("O1-card0", "sold", "O2").verdict("I-09")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.id, witness.amount_fen, witness.users) == (
        "violated", "O1-card0", 1000, ("u1", "u2"),
    )  # fmt: skip
    assert (witness.data["first"], witness.data["second"]) == ("O1", "O2")
    assert len(witness.events) == 2


def resold_after_failover(story: Story) -> Story:
    return story.card("O1-card0", "available", "", "revert").card("O1-card0", "sold", "O2")


def test_a_sale_that_a_failover_took_back_unseen_is_none() -> None:
    """Nobody had read the secret."""
    assert resold_after_failover(Story().plain()).verdict("I-09").outcome == "holds"


def test_a_secret_that_was_read_is_sold_for_ever() -> None:
    """The failover forgot the sale; the buyer did not."""
    story = resold_after_failover(Story().plain().view(cards=("O1-card0",)))
    assert story.verdict("I-09").outcome == "violated"


def test_a_look_without_an_answer_leaves_it_undecided() -> None:
    """Perhaps the buyer saw the secret before the failover."""
    story = Story().plain().op("u1", "view_order", {"order_id": "O1"}, Unknown)
    verdict = resold_after_failover(story).verdict("I-09")
    assert (verdict.outcome, verdict.witnesses[0].words) == ("unknown", "perhaps_shown")
