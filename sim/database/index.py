"""One index of a table: values of some columns → primary keys, in order.

As in PostgreSQL an entry exists for every row version that somebody may still see, so a reader
checks the version it sees against its predicate. Finding the rows of one value is a dict look-up;
the order over the last column costs something to keep, so it is kept only once a range or an
`order_by` asked for it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from sortedcontainers import SortedList

# Above this many keys under one value, moving a plain list's tail costs more than a SortedList.
PLAIN_LEAF_MAX = 512

Leaf = Any  # a bare key (the common case), a sorted list of keys, or a SortedList of keys


class Index:
    """Entries (values, key); `values` is a scalar for one column, else a tuple."""

    __slots__ = ("columns", "values_of", "leaves", "ordered", "single")

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self.single = len(columns) == 1
        self.values_of = itemgetter(*columns)
        self.leaves: dict[Any, Leaf] = {}
        self.ordered: dict[tuple[Any, ...], Any] | None = None

    def add(self, values: Any, key: Any) -> None:
        """Put the entry in; nothing happens when it is there already."""
        leaf = self.leaves.get(values)
        if leaf is None:
            self.leaves[values] = key
            if self.ordered is not None:
                self._order(values)
        elif type(leaf) is list:
            if leaf[-1] < key:
                leaf.append(key)
            else:
                place = bisect_left(leaf, key)
                if leaf[place] != key:
                    leaf.insert(place, key)
            if len(leaf) > PLAIN_LEAF_MAX:
                self.leaves[values] = SortedList(leaf)
        elif type(leaf) is SortedList:
            if key not in leaf:
                leaf.add(key)
        elif leaf != key:
            self.leaves[values] = [leaf, key] if leaf < key else [key, leaf]

    def remove(self, values: Any, key: Any) -> None:
        """Take the entry out; it must be there."""
        leaf = self.leaves[values]
        if type(leaf) is list:
            if leaf[0] == key:
                del leaf[0]
            else:
                del leaf[bisect_left(leaf, key)]
            if len(leaf) == 1:
                self.leaves[values] = leaf[0]
        elif type(leaf) is SortedList:
            leaf.remove(key)
            if len(leaf) == PLAIN_LEAF_MAX // 2:
                self.leaves[values] = list(leaf)
        else:
            del self.leaves[values]
            if self.ordered is not None:
                self._unorder(values)

    def find(self, values: Any) -> list[Any]:
        """The keys under exactly these values, ascending, as a list the caller must not change."""
        leaf = self.leaves.get(values)
        if leaf is None:
            return []
        keys: list[Any] = leaf if type(leaf) is list or type(leaf) is SortedList else [leaf]
        return keys

    def after(self, values: Any, key: Any) -> Iterator[Any]:
        """The keys under these values that are greater than `key`."""
        leaf = self.find(values)
        if type(leaf) is SortedList:
            return leaf.irange(key, None, (False, True))  # type: ignore[no-any-return, attr-defined]
        return iter(leaf[bisect_right(leaf, key) :])

    def in_order(self, prefix: tuple[Any, ...], low: int | None, high: int | None) -> Iterator[Any]:
        """Values of the last column under `prefix` within the bounds, ascending, NULL left out."""
        if self.ordered is None:
            self.ordered = {}
            for values in self.leaves:
                self._order(values)
        last_values = self.ordered.get(prefix)
        return iter(()) if last_values is None else last_values.irange(low, high)

    def joined(self, prefix: tuple[Any, ...], last: Any) -> Any:
        """The `values` of prefix and last column together."""
        return last if self.single else (*prefix, last)

    def _order(self, values: Any) -> None:
        assert self.ordered is not None
        prefix, last = ((), values) if self.single else (values[:-1], values[-1])
        if last is None:
            return
        last_values = self.ordered.get(prefix)
        if last_values is None:
            last_values = self.ordered[prefix] = SortedList()
        last_values.add(last)

    def _unorder(self, values: Any) -> None:
        assert self.ordered is not None
        prefix, last = ((), values) if self.single else (values[:-1], values[-1])
        if last is None:
            return
        last_values = self.ordered[prefix]
        last_values.remove(last)
        if not last_values:
            del self.ordered[prefix]
