"""What a statement sees: rows by key or by predicate, as of its snapshot, locked if asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reference_platform.ports import LockMode, SerializationFailure
from sim.database.access import abort, claim
from sim.database.scan import Access, Plan, candidates, candidates_after, given_keys, plan_for
from sim.database.store import LATEST, Row, Store, Version, matches, visible

if TYPE_CHECKING:
    from sim.database.transaction import SimTransaction


def look_up(tx: SimTransaction, store: Store, key: Any) -> Row | None:
    """The version of one row that this statement sees."""
    seq = LATEST if tx.latest else tx.server.open_snapshot(tx)
    if tx.node is not None:
        try:
            tx.server.graph.read_key(tx.node, store.name, key)
        except SerializationFailure as error:
            raise abort(tx, error) from None
    return visible(store.rows.get(key), seq, tx)


def matching(
    tx: SimTransaction, store: Store, where: Mapping[str, Any], order_by: str | None, limit: int | None
) -> list[Row]:
    """The matching rows that this statement sees, in the order asked for."""
    seq = LATEST if tx.latest else tx.server.open_snapshot(tx)
    if tx.node is not None:
        note_predicate(tx, store, where)
    plan = plan_for(store, where, order_by)
    if plan.access is Access.LEAF and plan.in_order:
        return _matching_leaf(tx, store, plan, where, limit, seq)
    found: list[Row] = []
    rows, exact, enough = store.rows, plan.exact, limit if plan.in_order else None
    for value, key in candidates(store, plan, where):
        row: Any = rows[key]
        if type(row) is not dict:
            row = _match(tx, store, plan, where, value, key, seq)
            if row is None:
                continue
        elif not exact and not matches(row, where):
            continue
        found.append(row)
        if len(found) == enough:
            break
    if not plan.in_order and len(found) > 1:
        _sort(found, order_by or store.key, store.key)
        if limit is not None:
            del found[limit:]
    return found


def _matching_leaf(
    tx: SimTransaction, store: Store, plan: Plan, where: Mapping[str, Any], limit: int | None, seq: int
) -> list[Row]:
    """The commonest question: all columns of an index given, in primary key order."""
    found: list[Row] = []
    rows = store.rows
    exact = plan.exact
    for key in given_keys(plan, where):
        row = rows[key]
        if type(row) is Version:
            row = visible(row, seq, tx)
            if row is None or not matches(row, where):
                continue
        elif not exact and not matches(row, where):
            continue
        found.append(row)
        if len(found) == limit:
            break
    return found


async def lock_matching(
    tx: SimTransaction,
    store: Store,
    where: Mapping[str, Any],
    order_by: str | None,
    limit: int | None,
    lock: LockMode,
) -> list[Row]:
    """Lock the matching rows one by one in the order asked for, until `limit` are locked."""
    plan = plan_for(store, where, order_by)
    if not plan.in_order:
        found: list[Row] = []
        for seen in matching(tx, store, where, order_by, None):
            row = await claim(tx, store, seen[store.key], seen, where, lock)
            if row is not None:
                found.append(row)
                if len(found) == limit:
                    break
        return found
    if tx.node is not None:
        note_predicate(tx, store, where)
    seq = tx.server.seq if tx.latest else tx.server.open_snapshot(tx)
    try:
        return await _lock_walk(tx, store, plan, where, limit, lock, seq)
    finally:
        if tx.latest:
            tx.server.close_snapshot(tx)


async def _lock_walk(
    tx: SimTransaction,
    store: Store,
    plan: Plan,
    where: Mapping[str, Any],
    limit: int | None,
    lock: LockMode,
    seq: int,
) -> list[Row]:
    """Along the index, with the statement's snapshot, starting over after each wait.

    While it waits the index changes, so the walk is resumed by position; and under READ COMMITTED
    the snapshot is held open, or the versions it sees might be forgotten meanwhile.
    """
    found: list[Row] = []
    rows = store.rows
    walk = candidates(store, plan, where)
    while len(found) != limit:
        place = next(walk, None)
        if place is None:
            break
        value, key = place
        head = rows[key]
        held = type(head) is Version and head.holder is not None and head.holder is not tx
        if held and lock == "skip_locked":
            continue
        seen = _match(tx, store, plan, where, value, key, seq)
        if seen is None:
            continue
        if held:
            tx.server.hold_snapshot(tx, seq)
        row = await claim(tx, store, key, seen, where, lock)
        if held:
            walk = candidates_after(store, plan, where, place)
        if row is not None:
            found.append(row)
    return found


def _match(
    tx: SimTransaction, store: Store, plan: Plan, where: Mapping[str, Any], value: Any, key: Any, seq: int
) -> Row | None:
    """The version this snapshot sees of a candidate, if it matches."""
    row: Any = store.rows[key]
    if type(row) is dict:
        return row if plan.exact or matches(row, where) else None
    row = visible(row, seq, tx)
    if row is None or not matches(row, where):
        return None
    # A row whose versions differ in the ordering column stands at several places of the walk.
    if plan.last is not None and row[plan.last] != value:
        return None
    return row  # type: ignore[no-any-return]


def note_predicate(tx: SimTransaction, store: Store, where: Mapping[str, Any]) -> None:
    """Remember the predicate of a serializable transaction, and what it missed by its snapshot."""
    assert tx.node is not None
    try:
        tx.server.graph.read_predicate(tx.node, store.name, dict(where))
    except SerializationFailure as error:
        raise abort(tx, error) from None


def _sort(found: list[Row], column: str, key: str) -> None:
    """Ascending by a column, NULL last, ties by primary key."""
    if column == key:
        found.sort(key=lambda row: row[key])
    else:
        found.sort(key=lambda row: (row[column] is None, row[column], row[key]))
