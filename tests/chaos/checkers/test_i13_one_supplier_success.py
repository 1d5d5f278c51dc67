"""I-13 on tiny histories."""

from __future__ import annotations

from tests.chaos.histories import Story


def bought(times: int) -> Story:
    story = Story().place(sku="topup").pay()
    for n in range(1, times + 1):
        story.book("SUP", "attempt_received", f"O1/s{n}", sku="topup", account="a", quantity=1)
        story.book("SUP", "delivered", f"O1/s{n}", account="a", quantity=1, cost_fen=2800)
    return story


def test_one_delivery_holds() -> None:
    """Bought once."""
    verdict = bought(1).verdict("I-13")
    assert (verdict.outcome, verdict.checked) == ("holds", 1)


def test_two_attempts_one_success_hold() -> None:
    """A false success or a failure is no success."""
    story = Story().place(sku="topup").pay().book("SUP", "attempt_received", "O1/s1", sku="topup", quantity=1)
    story.book("SUP", "answered", "O1/s1", call="submit", status="success", delivered=1).book(
        "SUP", "failed", "O1/s1"
    )
    assert story.book("SUP", "delivered", "O1/s2", quantity=1).verdict("I-13").outcome == "holds"


def test_two_deliveries_violate() -> None:
    """X-20: a time-out that succeeded, then rerouted."""
    verdict = bought(2).verdict("I-13")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.id, witness.amount_fen, witness.users) == (
        "violated",
        "O1",
        3000,
        ("u1",),
    )
    assert witness.data["attempts"] == "O1/s1, O1/s2"
    assert len(witness.events) == 2


def test_one_number_delivered_twice_violates() -> None:
    """X-22: after a failure the same number opens a new order."""
    assert bought(1).book("SUP", "delivered", "O1/s1", quantity=1).verdict("I-13").outcome == "violated"


def test_a_damaged_supplier_entry_is_undecided() -> None:
    """A delivery without a quantity may be a delivery or not."""
    assert bought(1).book("SUP", "delivered", "O1/s2").verdict("I-13").outcome == "unknown"


def test_a_delivery_of_nothing_or_taken_back_is_no_success() -> None:
    """Zero or fewer units are not counted, nor shown."""
    verdict = bought(1).book("SUP", "delivered", "O1/s2", quantity=0).verdict("I-13")
    assert (verdict.outcome, verdict.checked) == ("holds", 1)
    story = bought(1).book("SUP", "attempt_received", "O1/s8", sku="topup", quantity=1)
    story.book("SUP", "delivered", "O1/s1", quantity=-1).book("SUP", "delivered", "O1/s9", quantity=1)
    (witness,) = story.verdict("I-13").witnesses
    assert (witness.data["attempts"], len(witness.events)) == ("O1/s9", 2)


def test_what_an_order_without_a_row_was_bought_for_twice_is_its_cost() -> None:
    """The price is not known; the supplier's book says what it cost, or nothing."""
    story = Story()
    for attempt in ("O9/s1", "O9/s2"):
        story.book("SUP", "delivered", attempt, quantity=1, cost_fen=800)
    assert story.verdict("I-13").witnesses[0].amount_fen == 800
    bare = Story().book("SUP", "delivered", "O9/s1", quantity=1).book("SUP", "delivered", "O9/s2", quantity=1)
    assert bare.verdict("I-13").witnesses[0].amount_fen == 0
