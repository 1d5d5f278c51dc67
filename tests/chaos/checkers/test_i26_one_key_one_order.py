"""I-26 on tiny histories."""

from __future__ import annotations

from chaos.history import Fail, Unknown
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


def test_a_refusal_puts_off_as_an_unknown_answer_does() -> None:
    """Certainly no effect, and still no order."""
    story = crashed_holder().wait(60 * SECOND).op("u1", "place_order", KEY, Fail, error="in_progress")
    verdict = story.end().verdict("I-26")
    assert [witness.words for witness in verdict.witnesses] == ["refused_for_ever"]
    assert (verdict.checked, verdict.witnesses[0].entity) == (1, "user")


def test_another_refusal_is_no_waiting() -> None:
    """Sold out, or a time-out: the key has nothing to do with it."""
    story = crashed_holder().wait(60 * SECOND).op("u1", "place_order", KEY, Fail, error="sold_out")
    verdict = story.end().verdict("I-26")
    assert (verdict.outcome, verdict.checked) == ("holds", 0)


def test_a_lease_that_ended_with_its_request_puts_nobody_off() -> None:
    """Its row says done, or is gone; being told to wait was another matter then."""
    for row in ({"key": "u1:k1", "status": "done", "lease_until_us": 0}, None):
        story = crashed_holder().state("idempotency", "u1:k1", row)
        assert put_off(story.wait(60 * SECOND)).end().verdict("I-26").outcome == "holds"


def test_the_lease_ends_a_second_after_its_last_moment() -> None:
    """Clocks differ by up to a second; asked later than that, the key must be free."""

    def asked(late_us: int) -> str:
        story = crashed_holder()
        story.now_us = 31 * SECOND + late_us
        return put_off(story).end().verdict("I-26").outcome

    assert (asked(0), asked(1)) == ("holds", "violated")


def test_a_lease_taken_at_the_moment_of_the_question_was_there() -> None:
    """It had run out before it was written: nobody needed to wait for it."""
    story = Story()
    op = story.invoke("u1", "place_order", **KEY)
    story.now_us = 0
    story.state("idempotency", "u1:k1", {"key": "u1:k1", "status": "running", "lease_until_us": 0}, "insert")
    story.answer(op, "u1", "place_order", Unknown, status=503, error="in_progress")
    assert story.end().verdict("I-26").outcome == "violated"


def test_only_the_member_who_was_served_is_done_waiting() -> None:
    """Another member's order, or another key's, is no help."""
    for user, key in (("u2", "k1"), ("u1", "k2")):
        story = put_off(crashed_holder().wait(60 * SECOND))
        story.op(user, "place_order", {**KEY, "client_key": key}, order_id="O7", status="created")
        assert story.end().verdict("I-26").outcome == "violated"


def test_an_order_that_changes_is_no_second_order() -> None:
    """One insert, many updates; a revert that leaves the row frees no key."""
    story = Story().place("O1", client_key="k1").move("O1", "paid").order("O1", "revert")
    assert story.verdict("I-26").checked == 1
    assert story.place("O2", client_key="k1").verdict("I-26").outcome == "violated"


def test_a_lost_order_frees_its_own_key_alone() -> None:
    """The other order of the member keeps its own."""
    story = Story().place("O1", client_key="k1").place("O2", client_key="k2")
    story.state("orders", "O1", None, "revert").place("O3", client_key="k2")
    (witness,) = story.verdict("I-26").witnesses
    assert (witness.id, witness.data["first"]) == ("O3", "O2")


def test_a_user_name_and_a_key_cannot_run_into_one_another() -> None:
    """Member `u` with key `1x` is not member `u1` with key `x`."""
    story = Story().place("O1", "u", client_key="1x").place("O2", "u1", client_key="x")
    assert story.verdict("I-26").outcome == "holds"
