"""The rows of one table in all the versions that somebody may still see.

A row that is committed, unlocked and older than every open snapshot is *settled* and kept as its
bare dict: almost all rows, almost all the time. Any other row is a chain of `Version` objects,
newest first. Whatever ends a transaction or a snapshot settles rows again, so memory follows the
rows, not their history.

An index that is not unique sleeps until a plan first wants it, and is then built from the rows: most
runs never ask for most of them, and keeping them up is most of what a write costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from reference_platform.ports import AtLeast, AtMost, OneOf, Table
from sim.database.index import Index, index_of

if TYPE_CHECKING:
    from sim.database.transaction import SimTransaction

Row = dict[str, Any]

PENDING = 1 << 62  # the commit number of what is not committed
LATEST = PENDING - 1  # a snapshot that sees every commit


class Version(msgspec.Struct, eq=False):  # a struct: one is made for each row written
    """A version of a row: `row` is None for a deletion, `holder` has the row lock.

    `seq` is the number of the commit that made it; a pending version's holder is its writer.
    `moved` are the indexes whose values may differ from the version before.
    """

    row: Row | None
    seq: int
    prev: Row | Version | None
    holder: SimTransaction | None
    moved: tuple[Index, ...]


Head = Row | Version | None


def visible(head: Head, seq: int, reader: SimTransaction) -> Row | None:
    """The version that a snapshot sees: the reader's own, else the newest committed by `seq`."""
    while type(head) is Version:
        if head.seq <= seq or (head.seq == PENDING and head.holder is reader):
            return head.row
        head = head.prev
    return head  # type: ignore[return-value]


def matches(row: Row, where: Mapping[str, Any]) -> bool:
    """Does the row satisfy all predicates? A None predicate means IS NULL."""
    for column, wanted in where.items():
        have = row[column]
        if have == wanted:
            continue
        kind = type(wanted)
        if kind is AtMost:
            if have is None or have > wanted.bound:
                return False
        elif kind is AtLeast:
            if have is None or have < wanted.bound:
                return False
        elif kind is not OneOf or have not in wanted.values:
            return False
    return True


class Layout(NamedTuple):
    """What there is to plan with: the primary key, and the columns of each index."""

    key: str
    uniques: tuple[tuple[str, ...], ...]
    indexes: tuple[tuple[str, ...], ...]


class Store:
    """One table: its heads by primary key, and its indexes."""

    __slots__ = (
        "table",
        "layout",
        "name",
        "key",
        "booked",
        "rows",
        "indexes",
        "uniques",
        "sleeping",
        "indexed",
        "plans",
        "_moving",
    )

    def __init__(self, table: Table[Any]) -> None:
        self.table = table
        self.layout = Layout(table.key, table.unique, table.indexes)
        self.name = table.name
        self.key = table.key
        self.booked = table.book is not None
        self.rows: dict[Any, Any] = {}
        self.uniques = tuple(index_of(columns) for columns in table.unique)
        self.indexes: tuple[Index, ...] = self.uniques  # those that are kept up
        self.sleeping = tuple(index_of(columns) for columns in table.indexes)
        self.indexed = frozenset(column for index in self.indexes for column in index.columns)
        self.plans: dict[Any, Any] = {}
        self._moving: dict[tuple[str, ...], tuple[Index, ...]] = {}

    def index_on(self, columns: tuple[str, ...]) -> Index:
        """The index on these columns, awake."""
        for index in self.sleeping:
            if index.columns == columns:
                self.wake(index)
                return index
        return next(index for index in self.indexes if index.columns == columns)

    def wake(self, index: Index) -> None:
        """Build an index from every version there is, and keep it up from now on."""
        self.sleeping = tuple(other for other in self.sleeping if other is not index)
        self.indexes = (*self.indexes, index)
        self.indexed = self.indexed.union(index.columns)
        self._moving.clear()
        for key, head in self.rows.items():
            for row in rows_of(head):
                index.add(index.values_of(row), key)
            version = head
            while type(version) is Version:  # what it was written with leaves the new index out
                version.moved = self.indexes
                version = version.prev

    def moving(self, changes: Mapping[str, Any]) -> tuple[Index, ...]:
        """The indexes that a change of these columns may move a row in."""
        if self.indexed.isdisjoint(changes):
            return ()
        columns = tuple(changes)
        moved = self._moving.get(columns)
        if moved is None:
            moved = tuple(index for index in self.indexes if not set(columns).isdisjoint(index.columns))
            self._moving[columns] = moved
        return moved

    def together(self, moved: tuple[Index, ...], also: tuple[Index, ...]) -> tuple[Index, ...]:
        """The indexes of two changes of a row; too many do no harm."""
        return moved or also if moved is also or not moved or not also else self.indexes

    def add_entries(self, key: Any, before: Row | None, row: Row, indexes: tuple[Index, ...]) -> None:
        """Index a new version."""
        for index in indexes:
            values = index.values_of(row)
            if before is None or index.values_of(before) != values:
                index.add(values, key)

    def replace(self, key: Any, before: Row, row: Row, indexes: tuple[Index, ...]) -> None:
        """Forget the one version before a row, which settles it."""
        self.rows[key] = row
        for index in indexes:
            values = index.values_of(before)
            if index.values_of(row) != values:
                index.remove(values, key)

    def drop_entries(
        self, key: Any, dropped: Iterable[Row | None], kept: list[Row], indexes: tuple[Index, ...]
    ) -> None:
        """Remove the entries of dropped versions that no kept version of the row shares."""
        for index in indexes:
            values_of = index.values_of
            live = [values_of(row) for row in kept]
            for row in dropped:
                if row is not None:
                    values = values_of(row)
                    if values not in live:
                        index.remove(values, key)
                        live.append(values)  # two dropped versions may share one entry

    def settle(self, key: Any, horizon: int) -> None:
        """Forget the versions that no snapshot at or after commit `horizon` sees."""
        head = self.rows.get(key)
        if type(head) is not Version:
            return
        kept: list[Row] = []
        oldest: Any = head
        moved: tuple[Index, ...] = ()
        while True:
            if oldest.row is not None:
                kept.append(oldest.row)
            moved = self.together(moved, oldest.moved)
            if oldest.seq <= horizon:
                break
            if type(oldest.prev) is not Version:
                return
            oldest = oldest.prev
        if moved:
            self.drop_entries(key, rows_of(oldest.prev), kept, moved)
        oldest.prev = None
        if oldest is head and head.holder is None:
            if head.row is None:
                del self.rows[key]
            else:
                self.rows[key] = head.row

    def undo(self, key: Any, head: Version, horizon: int) -> None:
        """Take a pending version off the chain again."""
        rows = self.rows
        if head.prev is None:
            del rows[key]
        else:
            rows[key] = head.prev
        if head.moved:
            self.drop_entries(key, (head.row,), rows_of(head.prev), head.moved)
        if type(head.prev) is Version:
            head.prev.holder = None
            self.settle(key, horizon)

    def restore(self, key: Any, before: Row | None) -> None:
        """Put a row back to an earlier committed state; nobody may be reading or holding it."""
        chain = rows_of(self.rows.pop(key, None))
        kept = [] if before is None else [before]
        self.drop_entries(key, chain, kept, self.indexes)
        if before is not None:
            self.rows[key] = before
            self.add_entries(key, None, before, self.indexes)

    def versions(self) -> int:
        """How many row versions are kept, for the tests of pruning."""
        return sum(len(rows_of(head)) if type(head) is Version else 1 for head in self.rows.values())


def rows_of(head: Head) -> list[Row]:
    """The rows of a chain, newest first, deletions left out."""
    found: list[Row] = []
    while type(head) is Version:
        if head.row is not None:
            found.append(head.row)
        head = head.prev
    if head is not None:
        found.append(head)  # type: ignore[arg-type]
    return found
