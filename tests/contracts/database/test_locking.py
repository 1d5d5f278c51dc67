"""Statements that meet locked rows: wait, skip, fail, look again, deadlock."""

from __future__ import annotations

import pytest

from reference_platform.ports import DeadlockDetected, Isolation, LockNotAvailable
from tests.contracts.database.worlds import CARDS, ITEMS, World, card, committed, fill, ids, item, values


def test_skip_locked_takes_the_next_free_row(world: World) -> None:
    """Workers with SKIP LOCKED share a queue: neither waits, none gets the other's row."""
    fill(world, CARDS, card(1), card(2), card(3))
    available = {"sku": "game", "status": "available"}
    one, two, three = world.session(), world.session(), world.session()
    assert ids(one.run(one.tx.select(CARDS, available, limit=1, lock="skip_locked"))) == [1]
    assert ids(two.run(two.tx.select(CARDS, available, limit=1, lock="skip_locked"))) == [2]
    one.run(one.tx.update(CARDS, 1, {"status": "sold"}))
    assert ids(three.run(three.tx.select(CARDS, available, lock="skip_locked"))) == [3]
    two.run(two.tx.rollback())
    one.run(one.tx.commit())
    two.begin()
    assert ids(two.run(two.tx.select(CARDS, available, lock="skip_locked"))) == [2]


def test_nowait_fails_on_a_locked_row_and_aborts(world: World) -> None:
    """NOWAIT raises at once; reading without a lock is never in the way."""
    fill(world, ITEMS, item(1, 10))
    one, two = world.session(), world.session()
    one.run(one.tx.get(ITEMS, 1, lock="wait"))
    assert two.run(two.tx.get(ITEMS, 1)) == item(1, 10)
    with pytest.raises(LockNotAvailable):
        two.run(two.tx.get(ITEMS, 1, lock="nowait"))


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_for_update_waits_and_then_sees_the_newest_version(world: World, end: str) -> None:
    """READ COMMITTED: the lock comes when the holder ends, with the row as it then is."""
    fill(world, ITEMS, item(1, 10))
    one, two = world.session(), world.session()
    one.run(one.tx.update(ITEMS, 1, {"value": 11}))
    step = two.start(two.tx.get(ITEMS, 1, lock="wait"))
    assert step.blocked()
    one.run(getattr(one.tx, end)())
    assert step.result() == item(1, 11 if end == "commit" else 10)


def test_a_waiting_update_checks_its_predicate_again(world: World) -> None:
    """READ COMMITTED: a row that no longer matches when the wait is over is left alone."""
    fill(world, CARDS, card(1))
    one, two = world.session(), world.session()
    one.run(one.tx.update(CARDS, 1, {"status": "sold"}))
    step = two.start(two.tx.update(CARDS, 1, {"status": "void"}, where={"status": "available"}))
    assert step.blocked()
    one.run(one.tx.commit())
    assert step.result() is None
    two.run(two.tx.commit())
    assert [row["status"] for row in committed(world, CARDS)] == ["sold"]


def test_a_predicate_that_fails_beforehand_does_not_wait(world: World) -> None:
    """A row that the statement's snapshot does not match is not waited for, whatever it becomes."""
    fill(world, CARDS, card(1, status="sold"))
    one, two = world.session(), world.session()
    one.run(one.tx.update(CARDS, 1, {"status": "available"}))
    step = two.start(two.tx.update(CARDS, 1, {"status": "void"}, where={"status": "available"}))
    assert not step.blocked()
    assert step.result() is None


def test_a_function_of_the_row_sees_the_version_it_changes(world: World) -> None:
    """`n = n + 1` by two at once counts both."""
    fill(world, ITEMS, item(1, 10))
    one, two = world.session(), world.session()
    one.run(one.tx.update(ITEMS, 1, lambda row: {"value": row["value"] + 1}))
    step = two.start(two.tx.update(ITEMS, 1, lambda row: {"value": row["value"] + 1}))
    assert step.blocked()
    one.run(one.tx.commit())
    assert step.result() == item(1, 12)


def test_update_where_waits_for_each_row_in_turn(world: World) -> None:
    """The rows are those of the statement's snapshot; each is checked again after its wait."""
    fill(world, ITEMS, item(1, 10), item(2, 20))
    one, two = world.session(), world.session()
    one.run(one.tx.update_where(ITEMS, {}, lambda row: {"value": row["value"] + 10}))
    step = two.start(two.tx.delete_where(ITEMS, {"value": 20}))
    assert step.blocked()
    one.run(one.tx.commit())
    assert step.result() == 0, "row 1 has 20 now but was not found, row 2 was found and has 30 now"
    two.run(two.tx.commit())
    assert values(committed(world, ITEMS)) == [20, 30]


def test_waiters_get_the_row_in_the_order_they_came(world: World) -> None:
    """Row locks are first come, first served."""
    fill(world, ITEMS, item(1, 0))
    one, two, three = world.session(), world.session(), world.session()
    one.run(one.tx.get(ITEMS, 1, lock="wait"))
    second = two.start(two.tx.update(ITEMS, 1, lambda row: {"value": row["value"] * 10 + 2}))
    third = three.start(three.tx.update(ITEMS, 1, lambda row: {"value": row["value"] * 10 + 3}))
    assert second.blocked()
    assert third.blocked()
    one.run(one.tx.commit())
    assert second.result() == item(1, 2)
    assert third.blocked()
    two.run(two.tx.commit())
    assert third.result() == item(1, 23)


@pytest.mark.parametrize("isolation", Isolation)
def test_a_deadlock_fails_exactly_one(world: World, isolation: Isolation) -> None:
    """Two who wait for each other: one is told, the other goes on."""
    fill(world, ITEMS, item(1, 10), item(2, 20))
    one, two = world.session(isolation), world.session(isolation)
    one.run(one.tx.update(ITEMS, 1, {"value": 11}))
    two.run(two.tx.update(ITEMS, 2, {"value": 22}))
    steps = [
        one.start(one.tx.update(ITEMS, 2, {"value": 21})),
        two.start(two.tx.update(ITEMS, 1, {"value": 12})),
    ]
    outcomes = []
    for step in steps:
        try:
            outcomes.append(step.result()["value"])
        except DeadlockDetected:
            outcomes.append("deadlock")
    assert outcomes.count("deadlock") == 1
    survivor = one if outcomes[1] == "deadlock" else two
    survivor.run(survivor.tx.commit())
    expected = [11, 21] if survivor is one else [12, 22]
    assert values(committed(world, ITEMS)) == expected
