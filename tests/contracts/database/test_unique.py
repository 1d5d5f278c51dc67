"""Unique values that somebody else has in the making."""

from __future__ import annotations

import pytest

from reference_platform.ports import DeadlockDetected, Isolation, SerializationFailure, UniqueViolation
from tests.contracts.database.worlds import CARDS, ITEMS, World, card, committed, fill, ids, item

SNAPSHOT_LEVELS = [Isolation.REPEATABLE_READ, Isolation.SERIALIZABLE]


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_an_insert_waits_for_the_same_unique_value(world: World, end: str) -> None:
    """Whether a duplicate is one depends on the other's outcome, so the insert waits for it."""
    one, two = world.session(), world.session()
    one.run(one.tx.insert(CARDS, card(1)))
    step = two.start(two.tx.insert(CARDS, card(2, code="code-1")))
    assert step.blocked()
    one.run(getattr(one.tx, end)())
    if end == "commit":
        with pytest.raises(UniqueViolation):
            step.result()
    else:
        assert step.result() is True


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_an_insert_waits_for_a_deletion_of_its_key(world: World, end: str) -> None:
    """The value becomes free only if the deletion commits."""
    fill(world, CARDS, card(1))
    one, two = world.session(), world.session()
    one.run(one.tx.delete_where(CARDS, {"id": 1}))
    step = two.start(two.tx.insert(CARDS, card(1)))
    assert step.blocked()
    one.run(getattr(one.tx, end)())
    if end == "commit":
        assert step.result() is True
    else:
        with pytest.raises(UniqueViolation):
            step.result()


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_on_conflict_nothing_waits_and_then_inserts_or_not(world: World, end: str) -> None:
    """ON CONFLICT DO NOTHING answers False for a duplicate and leaves the transaction whole."""
    one, two = world.session(), world.session()
    one.run(one.tx.insert(CARDS, card(1)))
    step = two.start(two.tx.insert(CARDS, card(1), on_conflict="nothing"))
    assert step.blocked()
    one.run(getattr(one.tx, end)())
    assert step.result() is (end == "rollback")
    two.run(two.tx.commit())
    assert ids(committed(world, CARDS)) == [1]


@pytest.mark.parametrize("isolation", SNAPSHOT_LEVELS)
def test_on_conflict_nothing_fails_on_a_row_the_snapshot_does_not_show(
    world: World, isolation: Isolation
) -> None:
    """Doing nothing about a row that one cannot see would be no serial outcome."""
    one, two = world.session(), world.session(isolation)
    two.run(two.tx.get(CARDS, 9))
    one.run(one.tx.insert(CARDS, card(1)))
    one.run(one.tx.commit())
    with pytest.raises(SerializationFailure):
        two.run(two.tx.insert(CARDS, card(1), on_conflict="nothing"))


def test_on_conflict_nothing_knows_its_own_rows(world: World) -> None:
    """A duplicate of one's own insert is a conflict like any other, at any level."""
    session = world.session(Isolation.REPEATABLE_READ)
    assert session.run(session.tx.insert(CARDS, card(1))) is True
    assert session.run(session.tx.insert(CARDS, card(1), on_conflict="nothing")) is False


def test_a_mere_lock_does_not_delay_a_duplicate(world: World) -> None:
    """A locked row exists for certain, so the insert fails at once."""
    fill(world, CARDS, card(1))
    one, two = world.session(), world.session()
    one.run(one.tx.get(CARDS, 1, lock="wait"))
    with pytest.raises(UniqueViolation):
        two.run(two.tx.insert(CARDS, card(1)))


def test_moving_to_a_taken_unique_value_fails(world: World) -> None:
    """Unique keys hold for updates as well, and wait as inserts do."""
    fill(world, CARDS, card(1), card(2))
    one, two = world.session(), world.session()
    one.run(one.tx.update(CARDS, 1, {"code": "new"}))
    step = two.start(two.tx.update(CARDS, 2, {"code": "new"}))
    assert step.blocked()
    one.run(one.tx.commit())
    with pytest.raises(UniqueViolation):
        step.result()


def test_a_deadlock_over_unique_values_fails_exactly_one(world: World) -> None:
    """Waiting for a transaction's end closes cycles as waiting for rows does."""
    one, two = world.session(), world.session()
    one.run(one.tx.insert(ITEMS, item(1, 1)))
    two.run(two.tx.insert(ITEMS, item(2, 2)))
    steps = [
        one.start(one.tx.insert(ITEMS, item(2, 1))),
        two.start(two.tx.insert(ITEMS, item(1, 2))),
    ]
    outcomes = []
    for step in steps:
        try:
            outcomes.append(step.result())
        except DeadlockDetected:
            outcomes.append("deadlock")
    assert sorted(outcomes, key=str) == [True, "deadlock"]


def test_serializable_duplicate_after_both_looked_is_a_serialization_failure(world: World) -> None:
    """Who saw that a key was free and then finds it taken is told to retry, not that it is taken."""
    one, two = world.session(Isolation.SERIALIZABLE), world.session(Isolation.SERIALIZABLE)
    for session in (one, two):
        assert session.run(session.tx.get(ITEMS, 1)) is None
    one.run(one.tx.insert(ITEMS, item(1, 1)))
    step = two.start(two.tx.insert(ITEMS, item(1, 2)))
    assert step.blocked()
    one.run(one.tx.commit())
    with pytest.raises(SerializationFailure):
        step.result()
