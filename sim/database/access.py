"""What one transaction does to single rows: lock, check, write. No time passes here but in waits.

Rules are PostgreSQL's. READ COMMITTED waits for a row lock, then looks at the newest version again;
the higher levels have one snapshot and fail when a row they change was changed after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reference_platform.ports import (
    DatabaseError,
    DeadlockDetected,
    DiskFull,
    LockMode,
    LockNotAvailable,
    ReadOnly,
    SerializationFailure,
    UniqueViolation,
)
from sim.database.index import Index
from sim.database.states import ACTIVE
from sim.database.store import PENDING, Row, Store, Version, matches, rows_of

if TYPE_CHECKING:
    from sim.database.transaction import SimTransaction

LOST_RACE = "could not serialize access due to concurrent update"


def abort(tx: SimTransaction, error: DatabaseError) -> DatabaseError:
    """Undo the transaction because a statement failed; returns the error, to be raised."""
    tx.server.fail(tx)
    return error


def require_writable(tx: SimTransaction) -> None:
    """Writes need the primary and room on its disk."""
    if tx.replica:
        raise abort(tx, ReadOnly("cannot write on a replica"))
    if tx.server.disk_full is not None:
        tx.server.disk_full.touched += 1
        raise abort(tx, DiskFull("no space left on device"))


async def claim(
    tx: SimTransaction, store: Store, key: Any, seen: Row, where: Mapping[str, Any] | None, mode: LockMode
) -> Row | None:
    """Lock a row of which the statement's snapshot saw `seen`; its newest version, None to skip it.

    `where` is checked again when the newest version is not the one seen.
    """
    rows = store.rows
    head = rows.get(key)
    if type(head) is dict:
        rows[key] = Version(head, 0, None, tx, ())
        tx.touched.append((store, key))
        newest = head
    elif head is None or not await _take(tx, store, key, head, mode):
        return None
    else:
        newest = rows[key].row
        if newest is None:
            return None  # deleted by this very transaction
    if newest is seen:
        return newest
    if not tx.latest and rows[key].seq != PENDING:
        raise abort(tx, SerializationFailure(LOST_RACE))
    return newest if where is None or matches(newest, where) else None


async def _take(tx: SimTransaction, store: Store, key: Any, head: Version, mode: LockMode) -> bool:
    """Take the lock of a row that is not settled; False to skip the row."""
    if not tx.latest and head.seq != PENDING and head.seq > tx.snapshot:
        raise abort(tx, SerializationFailure(LOST_RACE))
    if head.holder is tx:
        return True
    if head.holder is None:
        if head.row is None:
            return False
        head.holder = tx
        tx.touched.append((store, key))
        return True
    if mode == "skip_locked":
        return False
    if mode == "nowait":
        raise abort(tx, LockNotAvailable(f"row {key!r} of {store.name} is locked"))
    await wait_for_row(tx, store, key)
    now: Any = store.rows.get(key)
    if type(now) is Version and now.holder is tx:
        return True
    if not tx.latest:
        raise abort(tx, SerializationFailure("could not serialize access due to concurrent delete"))
    return False


async def wait_for_row(tx: SimTransaction, store: Store, key: Any) -> None:
    """Queue for the row."""
    try:
        await tx.server.locks.wait_for_row(tx, store, key)
    except DeadlockDetected as error:
        raise abort(tx, error) from None
    if tx.state != ACTIVE:  # killed in the very microsecond in which the wait was over
        raise tx.client.refusal(tx)


async def wait_for_end(tx: SimTransaction, other: SimTransaction) -> None:
    """Wait for the outcome of another transaction."""
    try:
        await tx.server.locks.wait_for_end(tx, other)
    except DeadlockDetected as error:
        raise abort(tx, error) from None
    if tx.state != ACTIVE:
        raise tx.client.refusal(tx)


async def find_conflict(tx: SimTransaction, store: Store, key: Any, row: Row, *, new: bool) -> Any:
    """The key of a row that holds one of the unique values of `row`, or None.

    An uncommitted change of such a row may still turn out either way, so it is waited for. The
    primary key counts only when the row is `new`.
    """
    while True:
        other = None
        head = store.rows.get(key) if new else None
        if type(head) is Version and head.seq == PENDING and head.holder is not tx:
            other = head.holder
        elif head is not None and (type(head) is dict or head.row is not None):
            return key
        if other is None and store.uniques:
            found, other = _unique_conflict(tx, store, key, row)
            if found is not None:
                return found
        if other is None:
            return None
        await wait_for_end(tx, other)


def _unique_conflict(
    tx: SimTransaction, store: Store, key: Any, row: Row
) -> tuple[Any, SimTransaction | None]:
    """(conflicting key, None), (None, transaction to wait for) or (None, None)."""
    for index in store.uniques:
        values = index.values_of(row)
        if values is None or (type(values) is tuple and None in values):
            continue
        for rival in index.find(values):
            if rival == key:
                continue
            head = store.rows[rival]
            if type(head) is dict:
                return rival, None
            if head.seq == PENDING and head.holder is not tx:
                newest_committed = rows_of(head.prev)[:1]
                if any(
                    index.values_of(version) == values for version in (head.row, *newest_committed) if version
                ):
                    return None, head.holder
            elif head.row is not None and index.values_of(head.row) == values:
                return rival, None
    return None, None


async def check_moved(tx: SimTransaction, store: Store, key: Any, row: Row, new: Row) -> None:
    """Before a change of unique columns: take the row, then see that nobody has the new values."""
    if any(index.values_of(row) != index.values_of(new) for index in store.uniques):
        await claim(tx, store, key, row, None, "wait")
        rival = await find_conflict(tx, store, key, new, new=False)
        if rival is not None:
            raise violation(tx, store, key, rival, new)


def violation(tx: SimTransaction, store: Store, key: Any, rival: Any, row: Row) -> DatabaseError:
    """The error for a duplicate; for a serializable reader of the rival, a serialization failure."""
    if tx.node is not None:
        try:
            tx.server.graph.write(tx.node, store.name, rival, None, row)
        except SerializationFailure as error:
            return abort(tx, error)
    return abort(tx, UniqueViolation(f"{store.name}: {key!r} duplicates a value of {rival!r}"))


def write(tx: SimTransaction, store: Store, key: Any, row: Row | None, moved: tuple[Index, ...]) -> None:
    """Put a new version on top; the row is ours, or does not exist. `moved`: see `Version`."""
    rows = store.rows
    head = rows.get(key)
    before = head.row if type(head) is Version else head
    if tx.node is not None:
        note_write(tx, store, key, before, row)
    if type(head) is not Version:
        tx.touched.append((store, key))
        rows[key] = Version(row, PENDING, head, tx, moved)
    elif head.seq == PENDING:
        head.row = row
        if moved:
            head.moved = store.together(head.moved, moved)
            if row is not None:
                store.add_entries(key, before, row, moved)
            store.drop_entries(key, (before,), rows_of(head), moved)
        return
    elif head.seq == 0 and head.prev is None:  # settled but for our lock: the lock becomes the version
        head.prev = before
        head.row = row
        head.seq = PENDING
        head.moved = moved
    else:
        if head.holder is not tx:  # a deleted row, kept for somebody's snapshot
            tx.touched.append((store, key))
        head.holder = None
        rows[key] = Version(row, PENDING, head, tx, store.together(moved, head.moved))
    tx.wrote = True
    if moved and row is not None:
        store.add_entries(key, before, row, moved)


def note_write(tx: SimTransaction, store: Store, key: Any, before: Row | None, after: Row | None) -> None:
    """Tell the conflict graph of a serializable transaction's write."""
    assert tx.node is not None
    try:
        tx.server.graph.write(tx.node, store.name, key, before, after)
    except SerializationFailure as error:
        raise abort(tx, error) from None
