"""Single statements of the port: what they find, in which order, and what they leave behind."""

from __future__ import annotations

from typing import Any

import pytest

from reference_platform.ports import AtLeast, AtMost, OneOf, TransactionAborted, UniqueViolation
from tests.contracts.database.worlds import (
    CARDS,
    ITEMS,
    Session,
    World,
    card,
    committed,
    fill,
    ids,
    item,
    values,
)


def test_select_answers_in_primary_key_order_unless_told_otherwise(world: World) -> None:
    """Without `order_by`, rows come in the order of their keys, whatever the order of insertion."""
    fill(world, CARDS, card(3), card(1), card(2, status="sold"))
    session = world.session()
    assert ids(session.run(session.tx.select(CARDS, {"sku": "game"}))) == [1, 2, 3]
    assert ids(session.run(session.tx.select(CARDS, {"sku": "game", "status": "available"}))) == [1, 3]
    assert ids(session.run(session.tx.select(CARDS, {}, limit=2))) == [1, 2]


def test_order_by_puts_null_last_and_breaks_ties_by_key(world: World) -> None:
    """`order_by` ascends, rows without a value come last, equal values by primary key."""
    fill(world, CARDS, card(1), card(2, due_us=5), card(3, due_us=9), card(4, due_us=5))
    session = world.session()
    found = session.run(session.tx.select(CARDS, {"status": "available"}, order_by="due_us"))
    assert ids(found) == [2, 4, 3, 1]
    found = session.run(session.tx.select(CARDS, {"status": "available"}, order_by="due_us", limit=3))
    assert ids(found) == [2, 4, 3]
    found = session.run(session.tx.select(CARDS, {"sku": "game"}, order_by="due_us", limit=1))
    assert ids(found) == [2], "an order no index serves is sorted"


def test_range_predicates_leave_null_out(world: World) -> None:
    """NULL is neither at most nor at least anything."""
    fill(world, CARDS, card(1), card(2, due_us=5), card(3, due_us=9))
    session = world.session()
    pending: dict[str, Any] = {"status": "available"}
    assert ids(session.run(session.tx.select(CARDS, {**pending, "due_us": AtMost(5)}))) == [2]
    assert ids(session.run(session.tx.select(CARDS, {**pending, "due_us": AtLeast(5)}))) == [2, 3]
    assert ids(session.run(session.tx.select(CARDS, {"due_us": AtLeast(6)}, order_by="due_us"))) == [3]
    assert ids(session.run(session.tx.select(CARDS, {"due_us": None}))) == [1], "None asks for NULL"


def test_one_of_finds_the_rows_of_every_value_once(world: World) -> None:
    """Membership works on keys, on indexed columns and on others."""
    fill(world, CARDS, card(1), card(2, status="sold"), card(3, status="void"), card(4, sku="music"))
    session = world.session()
    tx = session.tx
    assert ids(session.run(tx.select(CARDS, {"id": OneOf((3, 1, 9, 3))}))) == [1, 3]
    wanted: dict[str, Any] = {"sku": "game", "status": OneOf(("sold", "available"))}
    assert ids(session.run(tx.select(CARDS, wanted))) == [1, 2]
    assert ids(session.run(tx.select(CARDS, {"sku": OneOf(("music", "none"))}))) == [4]


def test_a_transaction_sees_its_own_changes(world: World) -> None:
    """By key, by index and by range, before anybody else does."""
    fill(world, CARDS, card(1), card(2))
    one, two = world.session(), world.session()
    one.run(one.tx.insert(CARDS, card(3)))
    one.run(one.tx.update(CARDS, 1, {"status": "sold", "due_us": 4}))
    assert one.run(one.tx.delete_where(CARDS, {"id": 2})) == 1
    available = {"sku": "game", "status": "available"}
    assert ids(one.run(one.tx.select(CARDS, available))) == [3]
    sold = one.run(one.tx.select(CARDS, {"status": "sold"}, order_by="due_us"))
    assert ids(sold) == [1]
    assert one.run(one.tx.get(CARDS, 2)) is None
    assert ids(two.run(two.tx.select(CARDS, available))) == [1, 2]
    assert two.run(two.tx.get(CARDS, 3)) is None
    one.run(one.tx.commit())
    assert ids(two.run(two.tx.select(CARDS, available))) == [3], "a new statement sees the commit"


def test_a_row_may_change_more_than_once_in_a_transaction(world: World) -> None:
    """The last version counts, and the indexes know only that one."""
    fill(world, CARDS, card(1))
    session = world.session()
    for status in ("reserved", "sold", "available", "void"):
        session.run(session.tx.update(CARDS, 1, {"status": status}))
    session.run(session.tx.commit())
    session.begin()
    for status in ("available", "reserved", "sold"):
        assert session.run(session.tx.select(CARDS, {"sku": "game", "status": status})) == []
    assert ids(session.run(session.tx.select(CARDS, {"sku": "game", "status": "void"}))) == [1]


def test_rollback_leaves_nothing(world: World) -> None:
    """Insert, update and delete are all undone, in the indexes too."""
    fill(world, CARDS, card(1), card(2))
    before = committed(world, CARDS)
    session = world.session()
    session.run(session.tx.insert(CARDS, card(3)))
    session.run(session.tx.update(CARDS, 1, {"status": "sold", "code": "other"}))
    session.run(session.tx.delete_where(CARDS, {"id": 2}))
    session.run(session.tx.rollback())
    assert committed(world, CARDS) == before
    session.begin()
    assert ids(session.run(session.tx.select(CARDS, {"sku": "game", "status": "available"}))) == [1, 2]
    assert session.run(session.tx.select(CARDS, {"code": "other"})) == []
    assert session.run(session.tx.insert(CARDS, card(4, code="other")))


def test_update_answers_with_the_new_row_or_none(world: World) -> None:
    """A missing row and a predicate that fails change nothing."""
    fill(world, ITEMS, item(1, 10))
    session = world.session()
    tx = session.tx
    assert session.run(tx.update(ITEMS, 1, lambda row: {"value": row["value"] + 1})) == item(1, 11)
    assert session.run(tx.update(ITEMS, 1, {"value": 0}, where={"value": 10})) is None
    assert session.run(tx.update(ITEMS, 2, {"value": 0})) is None
    assert session.run(tx.get(ITEMS, 1)) == item(1, 11)


def test_update_where_changes_each_row_once(world: World) -> None:
    """Rows that the change moves along the index are not met again."""
    fill(world, ITEMS, *(item(key, key) for key in range(1, 6)))
    session = world.session()
    where = {"value": AtLeast(3)}
    assert session.run(session.tx.update_where(ITEMS, where, lambda row: {"value": row["value"] + 10})) == 3
    session.run(session.tx.commit())
    assert values(committed(world, ITEMS)) == [1, 2, 13, 14, 15]


def test_an_error_ends_the_transaction(world: World) -> None:
    """After an error every statement is refused, and commit too; nothing remains."""
    fill(world, CARDS, card(1))
    session = world.session()
    session.run(session.tx.insert(CARDS, card(2)))
    with pytest.raises(UniqueViolation):
        session.run(session.tx.insert(CARDS, card(3, code="code-1")))
    with pytest.raises(TransactionAborted):
        session.run(session.tx.get(CARDS, 1))
    with pytest.raises(TransactionAborted):
        session.run(session.tx.commit())
    assert ids(committed(world, CARDS)) == [1]


def test_leaving_the_block_commits_or_rolls_back(world: World) -> None:
    """`async with` commits when the block ends well and rolls back when it raises."""

    async def insert_then(session: Session, key: int, error: Exception | None) -> None:
        async with session.database.transaction() as tx:
            await tx.insert(CARDS, card(key))
            if error is not None:
                raise error

    session = world.session()
    session.run(insert_then(session, 1, None))
    with pytest.raises(RuntimeError, match="changed my mind"):
        session.run(insert_then(session, 2, RuntimeError("changed my mind")))
    assert ids(committed(world, CARDS)) == [1]


def test_null_values_never_collide(world: World) -> None:
    """A unique key admits any number of rows without a value."""
    fill(world, CARDS, card(1, code=None), card(2, code=None))
    assert ids(committed(world, CARDS)) == [1, 2]
