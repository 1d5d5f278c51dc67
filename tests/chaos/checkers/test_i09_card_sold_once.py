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


def test_a_look_that_shows_no_secrets_sells_none() -> None:
    """The buyer looked at the order before the failover, and was shown its status alone."""
    story = Story().plain().view(status="completed")
    assert resold_after_failover(story).verdict("I-09").outcome == "holds"


def test_a_card_that_goes_back_to_the_buyer_who_may_have_seen_it_is_theirs() -> None:
    """Perhaps shown to u1, sold to u1 again: one buyer either way."""
    story = Story().plain().op("u1", "view_order", {"order_id": "O1"}, Unknown)
    story.card("O1-card0", "available", "", "revert").card("O1-card0", "sold", "O1")
    assert story.verdict("I-09").outcome == "holds"


def test_a_card_that_was_only_reserved_when_a_failover_came_was_never_sold() -> None:
    """What is taken back is a reservation, and the sale before it stands."""
    story = Story().plain("O1").place("O2", "u2")
    story.card("O2-card0", "available", "", "revert").card("O2-card0", "sold", "O1")
    assert story.verdict("I-09").outcome == "holds"


def test_the_witness_shows_both_sales() -> None:
    """The first to its owner, the second to the next buyer, and nothing in between."""
    story = Story().plain("O1").place("O2", "u2")
    story.card("O1-card0", "available").card("again", "sold", "O1").card("O1-card0", "sold", "O2")
    (witness,) = story.verdict("I-09").witnesses
    first, second = (story.events[event] for event in witness.events)
    assert (first.row["order_id"], second.row["order_id"]) == ("O1", "O2")  # type: ignore[union-attr,index]
    assert witness.amount_fen == 1000


def test_a_card_sold_again_to_an_order_that_nobody_placed_costs_what_the_first_one_paid() -> None:
    """The second order has no row; without either row nobody knows the price."""
    story = Story().plain().card("O1-card0", "sold", "O9")
    assert story.verdict("I-09").witnesses[0].amount_fen == 1000
    story = Story().card("x", "sold", "O8").card("x", "sold", "O9")
    assert story.verdict("I-09").witnesses[0].amount_fen == 0
