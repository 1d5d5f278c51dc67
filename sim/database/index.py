"""Indexes of a table: values of some columns → primary keys, in order.

As in PostgreSQL an entry exists for every row version that somebody may still see, so a reader
checks the version it sees against its predicate. An index of one column finds by hash and orders
its values only once a range asks for it; one of several columns keeps, for each value of all but
its last column, the entries in order of the last. Most such groups have one entry or a few, so
they stay plain until they are large. A large one has no order until somebody asks for it: most are
heaps of finished things, which nobody ever walks along.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from sortedcontainers import SortedList

# Above this many, moving a plain list's tail costs more than a dict, or a SortedList once ordered.
PLAIN_MAX = 512
_SEVERAL = frozenset((list, dict, SortedList))  # what holds several items; anything else is the one item

Entry = tuple[Any, Any]  # value of the last column, primary key


class HashIndex:
    """One column. A leaf is a bare key (the common case), or several keys: see `_add`."""

    __slots__ = ("columns", "values_of", "leaves", "ordered")

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self.values_of = itemgetter(*columns)
        self.leaves: dict[Any, Any] = {}
        self.ordered: Any = None  # a SortedList of the values, once somebody asked for an order

    def add(self, values: Any, key: Any) -> None:
        """Put the entry in; nothing happens when it is there already."""
        leaf = self.leaves.get(values)
        if leaf is None:
            self.leaves[values] = key
            if self.ordered is not None and values is not None:
                self.ordered.add(values)
        elif type(leaf) in _SEVERAL:
            _add(self.leaves, values, leaf, key)
        elif leaf != key:
            self.leaves[values] = [leaf, key] if leaf < key else [key, leaf]

    def remove(self, values: Any, key: Any) -> None:
        """Take the entry out; it must be there."""
        leaf = self.leaves[values]
        if type(leaf) in _SEVERAL:
            _remove(self.leaves, values, leaf, key)
        else:
            del self.leaves[values]
            if self.ordered is not None and values is not None:
                self.ordered.remove(values)

    def find(self, values: Any) -> Sequence[Any]:
        """The keys under this value, ascending."""
        return _sorted(self.leaves, values)

    def after(self, values: Any, key: Any) -> Iterator[Any]:
        """The keys under this value that are greater than `key`."""
        keys: Any = _sorted(self.leaves, values)
        if type(keys) is SortedList:
            return iter(keys.irange(key, None, (False, True)))
        return iter(keys[bisect_right(keys, key) :])

    def walk(self, _prefix: Any, low: Any, high: Any, last: Entry | None) -> Iterator[Entry]:
        """Entries within the bounds in order, after `last`; NULL left out."""
        if self.ordered is None:
            self.ordered = SortedList(value for value in self.leaves if value is not None)
        if last is not None:
            for key in self.after(last[0], last[1]):
                yield last[0], key
            values = self.ordered.irange(last[0], high, (False, True))
        else:
            values = self.ordered.irange(low, high)
        for value in values:
            for key in self.find(value):
                yield value, key

    def nulls(self, _prefix: Any) -> Iterable[Any]:
        """The keys without a value."""
        return self.find(None)

    def under(self, _prefix: Any) -> Iterable[Entry]:
        """All entries in order, NULL left out."""
        return self.walk(_prefix, None, None, None)


class GroupIndex:
    """Several columns: the entries for each prefix. A group is a bare entry, or several: see `_add`."""

    __slots__ = ("columns", "values_of", "groups", "null_groups", "pair")

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self.values_of = itemgetter(*columns)
        self.pair = len(columns) == 2  # then the prefix is a scalar, which saves a tuple for each
        self.groups: dict[Any, Any] = {}
        self.null_groups: dict[Any, Any] = {}  # keys of the rows without a value in the last column

    def add(self, values: Any, key: Any) -> None:
        """Put the entry in; nothing happens when it is there already."""
        prefix = values[0] if self.pair else values[:-1]
        last = values[-1]
        if last is None:
            groups, entry = self.null_groups, key
        else:
            groups, entry = self.groups, (last, key)
        group = groups.get(prefix)
        if group is None:
            groups[prefix] = entry
        elif type(group) in _SEVERAL:
            _add(groups, prefix, group, entry)
        elif group != entry:
            groups[prefix] = [group, entry] if group < entry else [entry, group]

    def remove(self, values: Any, key: Any) -> None:
        """Take the entry out; it must be there."""
        prefix = values[0] if self.pair else values[:-1]
        last = values[-1]
        groups = self.null_groups if last is None else self.groups
        group = groups[prefix]
        if type(group) in _SEVERAL:
            _remove(groups, prefix, group, key if last is None else (last, key))
        else:
            del groups[prefix]

    def find(self, values: Any) -> Iterable[Any]:
        """The keys under exactly these values, ascending."""
        prefix = values[0] if self.pair else values[:-1]
        last = values[-1]
        if last is None:
            return self.nulls(prefix)
        group = self.groups.get(prefix)
        if group is None:
            return ()
        if type(group) is tuple:
            return (group[1],) if group[0] == last else ()
        return (key for _, key in _between(_sorted(self.groups, prefix), last, last, None))

    def after(self, values: Any, key: Any) -> Iterator[Any]:
        """The keys under these values that are greater than `key`."""
        prefix = values[0] if self.pair else values[:-1]
        last = values[-1]
        if last is None:
            return (other for other in self.nulls(prefix) if other > key)
        return (other for _, other in _between(_sorted(self.groups, prefix), last, last, (last, key)))

    def walk(self, prefix: Any, low: Any, high: Any, last: Entry | None) -> Iterator[Entry]:
        """Entries of a prefix within the bounds in order, after `last`; NULL left out."""
        return _between(_sorted(self.groups, prefix), low, high, last)

    def under(self, prefix: Any) -> Iterable[Entry]:
        """All entries of a prefix in order, NULL left out."""
        return _sorted(self.groups, prefix)

    def nulls(self, prefix: Any) -> Sequence[Any]:
        """The keys of a prefix without a value in the last column."""
        return _sorted(self.null_groups, prefix)


Index = HashIndex | GroupIndex


def index_of(columns: tuple[str, ...]) -> Index:
    """The kind of index that these columns need."""
    return HashIndex(columns) if len(columns) == 1 else GroupIndex(columns)


def _between(group: Any, low: Any, high: Any, last: Entry | None) -> Iterator[Entry]:
    """Entries of a sorted group from `low` to `high`, both included, and after `last`."""
    if type(group) is SortedList:
        if last is not None:
            entries = group.irange(last, None, (False, True))
        else:
            entries = iter(group) if low is None else group.irange((low,), None)
    elif last is not None:
        entries = iter(group[bisect_right(group, last) :])
    else:
        entries = iter(group if low is None else group[bisect_left(group, (low,)) :])
    if high is None:
        yield from entries
        return
    for entry in entries:
        if entry[0] > high:
            return
        yield entry


def _sorted(owner: dict[Any, Any], place: Any) -> Sequence[Any]:
    """What stands at a place of an index, as a sequence in order."""
    items = owner.get(place)
    if type(items) is dict:
        items = owner[place] = SortedList(items)
    elif items is None:
        return ()
    return items if type(items) in _SEVERAL else (items,)


def _add(owner: dict[Any, Any], place: Any, items: Any, item: Any) -> None:
    """Add to several items unless it is there.

    A few are a sorted list. A list that grew large becomes a dict, and that a SortedList when its
    order is asked for.
    """
    if type(items) is dict:
        items[item] = None
        return
    if type(items) is SortedList:
        if item not in items:
            items.add(item)
        return
    if items[-1] < item:
        items.append(item)
    else:
        position = bisect_left(items, item)
        if items[position] != item:
            items.insert(position, item)
    if len(items) > PLAIN_MAX:
        owner[place] = dict.fromkeys(items)


def _remove(owner: dict[Any, Any], place: Any, items: Any, item: Any) -> None:
    """Remove from several items; a few left become a sorted list again, one left stands bare."""
    if type(items) is list:
        position = bisect_left(items, item)
        assert items[position] == item, "an index lost an entry"
        del items[position]
        if len(items) == 1:
            owner[place] = items[0]
        return
    if type(items) is dict:
        del items[item]
    else:
        items.remove(item)
    if len(items) == PLAIN_MAX // 2:
        owner[place] = sorted(items)
