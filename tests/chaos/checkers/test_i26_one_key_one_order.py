"""I-26 on tiny histories."""

from __future__ import annotations

from chaos.history import Unknown
from tests.chaos.histories import EPOCH_US, SECOND, Story

KEY = {"client_key": "k1", "sku": "card", "quantity": 1}


def test_a_repeat_with_its_own_order_holds() -> None:
    """Two keys, two orders."""
    verdict = Story().place("O1").place("O2").verdict("I-26")
    assert (verdict.outcome, verdict.checked) == ("holds", 2)


def test_two_orders_under_one_key_violate() -> None:
    """X-16: clicking again bought again."""
    verdict = Story().place("O1", client_key="k1").place("O2", client_key="k1").verdict("I-26")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.id, witness.amount_fen, witness.users) == (
        "violated",
        "O2",
        1000,
        ("u1",),
    )
    assert (witness.data["first"], len(witness.events)) == ("O1", 2)


def test_the_same_key_of_another_user_is_another_key() -> None:
    """Keys belong to users."""
    assert (
        Story().place("O1", client_key="k").place("O2", "u2", client_key="k").verdict("I-26").outcome
        == "holds"
    )


def test_a_key_whose_order_a_failover_lost_is_free() -> None:
    """The order is gone; the repeat makes it anew."""
    story = Story().place("O1", client_key="k1").state("orders", "O1", None, "revert")
    assert story.place("O2", client_key="k1").verdict("I-26").outcome == "holds"


def crashed_holder() -> Story:
    """A request took the key for 30 s and died."""
    story = Story()
    lease = {"key": "u1:k1", "status": "running", "lease_until_us": EPOCH_US + 30 * SECOND}
    story.state("idempotency", "u1:k1", lease, "insert")
    return story.op("u1", "place_order", KEY, Unknown, status=504)


def put_off(story: Story) -> Story:
    return story.op("u1", "place_order", KEY, Unknown, status=503, error="in_progress")


def test_waiting_within_the_lease_holds() -> None:
    """The holder might be alive."""
    assert put_off(crashed_holder()).end().verdict("I-26").outcome == "holds"


def test_being_put_off_after_the_lease_violates() -> None:
    """X-44: the holder is dead, the key stays taken."""
    verdict = put_off(crashed_holder().wait(60 * SECOND)).end().verdict("I-26")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.words, witness.id, witness.data["key"]) == (
        "violated", "refused_for_ever", "u1", "k1",
    )  # fmt: skip


def test_being_put_off_for_a_lease_given_back_meanwhile_holds() -> None:
    """The answer was on its way when the holder gave up the lease: it was right when it was given."""
    story = crashed_holder()
    op = story.invoke("u1", "place_order", **KEY)
    story.state("idempotency", "u1:k1", {"key": "u1:k1", "status": "running", "lease_until_us": 0})
    story.answer(op, "u1", "place_order", Unknown, status=503, error="in_progress")
    assert story.end().verdict("I-26").outcome == "holds"


def test_being_served_in_the_end_holds() -> None:
    """Put off once, then served."""
    story = put_off(crashed_holder().wait(60 * SECOND)).op(
        "u1", "place_order", KEY, order_id="O1", status="created"
    )
    assert story.end().verdict("I-26").outcome == "holds"


def test_an_unfinished_run_leaves_it_undecided() -> None:
    """They may still be served."""
    assert put_off(crashed_holder().wait(60 * SECOND)).verdict("I-26").outcome == "unknown"


def test_a_node_whose_clock_is_behind_sees_a_lease_end_later() -> None:
    """Its clock is two seconds behind; more than that is no excuse."""
    behind = crashed_holder().fault("node.clock_skew", "start", offset_us=-2 * SECOND)
    assert put_off(behind.wait(29 * SECOND)).end().verdict("I-26").outcome == "holds"
    behind = crashed_holder().fault("node.clock_skew", "start", offset_us=-2 * SECOND)
    assert put_off(behind.wait(60 * SECOND)).end().verdict("I-26").outcome == "violated"
