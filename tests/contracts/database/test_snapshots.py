"""What a snapshot shows, and what may be changed under it: repeatable read and serializable."""

from __future__ import annotations

import pytest

from reference_platform.ports import AtLeast, Isolation, SerializationFailure, Transaction
from tests.contracts.database.worlds import CARDS, ITEMS, World, card, committed, fill, ids, item, values

SNAPSHOT_LEVELS = [Isolation.REPEATABLE_READ, Isolation.SERIALIZABLE]


def test_a_walk_goes_on_where_it_waited(world: World) -> None:
    """READ COMMITTED: rows inserted before the place of the wait make no row come twice."""
    fill(world, CARDS, card(5), card(6), card(7))
    available = {"sku": "game", "status": "available"}
    one, two, three = world.session(), world.session(), world.session()
    one.run(one.tx.get(CARDS, 6, lock="wait"))
    step = two.start(two.tx.select(CARDS, available, lock="wait"))
    assert step.blocked()
    for key in (1, 2, 3):
        three.run(three.tx.insert(CARDS, card(key)))
    three.run(three.tx.commit())
    one.run(one.tx.rollback())
    assert ids(step.result()) == [5, 6, 7]


def test_a_statement_keeps_its_snapshot_while_it_waits(world: World) -> None:
    """READ COMMITTED: rows that came after the statement began are not in its result."""
    fill(world, CARDS, card(1), card(2), card(5))
    available = {"sku": "game", "status": "available"}
    one, two, three = world.session(), world.session(), world.session()
    one.run(one.tx.update(CARDS, 1, {"status": "sold"}))
    step = two.start(two.tx.select(CARDS, available, lock="wait"))
    assert step.blocked()
    three.run(three.tx.insert(CARDS, card(3)))
    three.run(three.tx.update(CARDS, 2, {"due_us": 7}))
    three.run(three.tx.delete_where(CARDS, {"id": 5}))
    three.run(three.tx.commit())
    one.run(one.tx.commit())
    found = step.result()
    assert ids(found) == [2]
    assert found[0]["due_us"] == 7, "row 2 changed meanwhile but still matches: its newest version is locked"


@pytest.mark.parametrize("isolation", SNAPSHOT_LEVELS)
def test_the_first_updater_wins(world: World, isolation: Isolation) -> None:
    """With one snapshot, changing or locking a row changed since then fails, waited for or not."""
    fill(world, ITEMS, item(1, 10), item(2, 20), item(3, 30))
    one, two, three = world.session(isolation), world.session(isolation), world.session(isolation)
    for session in (one, two, three):
        session.run(session.tx.get(ITEMS, 2))
    one.run(one.tx.update(ITEMS, 1, {"value": 11}))
    step = two.start(two.tx.update(ITEMS, 1, {"value": 12}))
    assert step.blocked()
    one.run(one.tx.commit())
    with pytest.raises(SerializationFailure):
        step.result()
    with pytest.raises(SerializationFailure):
        three.run(three.tx.get(ITEMS, 1, lock="wait"))


def test_an_updater_that_rolls_back_does_not_win(world: World) -> None:
    """REPEATABLE READ: after a rollback the waiting update goes on with the row it saw."""
    fill(world, ITEMS, item(1, 10))
    one, two = world.session(), world.session(Isolation.REPEATABLE_READ)
    one.run(one.tx.update(ITEMS, 1, {"value": 11}))
    step = two.start(two.tx.update(ITEMS, 1, lambda row: {"value": row["value"] + 5}))
    assert step.blocked()
    one.run(one.tx.rollback())
    assert step.result() == item(1, 15)


def test_a_mere_lock_does_not_make_a_snapshot_stale(world: World) -> None:
    """REPEATABLE READ: a row that was only locked, not changed, can be changed after the wait."""
    fill(world, ITEMS, item(1, 10))
    one, two = world.session(), world.session(Isolation.REPEATABLE_READ)
    one.run(one.tx.get(ITEMS, 1, lock="wait"))
    step = two.start(two.tx.update(ITEMS, 1, {"value": 12}))
    assert step.blocked()
    one.run(one.tx.commit())
    assert step.result() == item(1, 12)


@pytest.mark.parametrize("isolation", Isolation)
def test_waiting_for_a_row_that_is_then_deleted(world: World, isolation: Isolation) -> None:
    """READ COMMITTED finds nothing left to change; a snapshot that still shows the row must fail."""
    fill(world, ITEMS, item(1, 10))
    one, two = world.session(), world.session(isolation)
    one.run(one.tx.delete_where(ITEMS, {"id": 1}))
    step = two.start(two.tx.update(ITEMS, 1, {"value": 12}))
    assert step.blocked()
    one.run(one.tx.commit())
    if isolation is Isolation.READ_COMMITTED:
        assert step.result() is None
    else:
        with pytest.raises(SerializationFailure):
            step.result()


def test_a_read_only_transaction_can_complete_the_dangerous_structure(world: World) -> None:
    """Fekete's example: a reader sees the later of two commits without the earlier one's effect."""
    fill(world, ITEMS, item(1, 0), item(2, 0))
    withdraw, deposit, report = (world.session(Isolation.SERIALIZABLE) for _ in range(3))
    withdraw.run(withdraw.tx.select(ITEMS, {}))
    deposit.run(deposit.tx.update(ITEMS, 2, lambda row: {"value": row["value"] + 20}))
    deposit.run(deposit.tx.commit())
    seen = [row["value"] for row in report.run(report.tx.select(ITEMS, {}))]
    assert seen == [0, 20]
    report.run(report.tx.commit())
    with pytest.raises(SerializationFailure):
        withdraw.run(_write_and_commit(withdraw.tx))


async def _write_and_commit(tx: Transaction) -> None:
    """The failure may come with the write or with the commit."""
    await tx.update(ITEMS, 1, {"value": -11})
    await tx.commit()


def test_serializable_transactions_that_do_not_meet_both_commit(world: World) -> None:
    """Reading and writing different rows is no conflict."""
    fill(world, ITEMS, item(1, 10), item(2, 20))
    one, two = world.session(Isolation.SERIALIZABLE), world.session(Isolation.SERIALIZABLE)
    for session, key in ((one, 1), (two, 2)):
        session.run(session.tx.get(ITEMS, key))
        session.run(session.tx.update(ITEMS, key, {"value": 0}))
    one.run(one.tx.commit())
    two.run(two.tx.commit())
    assert values(committed(world, ITEMS)) == [0, 0]


def test_lost_update_is_allowed_or_prevented_by_level(world: World) -> None:
    """Read, compute, write: READ COMMITTED loses one; a predicate on the old value does not."""
    fill(world, ITEMS, item(1, 10))
    one, two = world.session(), world.session()
    for session in (one, two):
        assert session.run(session.tx.get(ITEMS, 1))["value"] == 10
    one.run(one.tx.update(ITEMS, 1, {"value": 11}, where={"value": 10}))
    one.run(one.tx.commit())
    assert two.run(two.tx.update(ITEMS, 1, {"value": 11}, where={"value": 10})) is None
    assert two.run(two.tx.update(ITEMS, 1, {"value": 11})) == item(1, 11)


def test_ranges_see_one_entry_for_each_row(world: World) -> None:
    """REPEATABLE READ: an old snapshot finds moved rows where they were, once."""
    fill(world, ITEMS, item(1, 10), item(2, 20))
    old, new = world.session(Isolation.REPEATABLE_READ), world.session()
    old.run(old.tx.get(ITEMS, 1))
    new.run(new.tx.update(ITEMS, 1, {"value": 30}))
    new.run(new.tx.commit())
    new.begin()
    for session, expected in ((old, [1, 2]), (new, [2, 1])):
        rows = session.run(session.tx.select(ITEMS, {"value": AtLeast(0)}, order_by="value"))
        assert [row["id"] for row in rows] == expected
