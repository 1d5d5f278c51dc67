"""Which rows may match: choose an index for a `where`, then walk it in the order asked for.

A plan depends only on the shape of a question (columns, kinds of predicate, order), so each table
plans a shape once. Walking yields candidates; the caller looks at the version it sees of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from functools import cache
from itertools import chain
from typing import Any

from reference_platform.ports import AtLeast, AtMost, OneOf
from sim.database.index import Index
from sim.database.store import Layout, Store

Candidate = tuple[Any, Any]  # value of the ordering column (None unless a RANGE), primary key


class Access(IntEnum):
    """How the candidates are found."""

    KEY = 0  # the primary key is given
    LEAF = 1  # every column of an index is given
    RANGE = 2  # every column but the last is given; the last is bounded, or orders the result
    UNION = 3  # like LEAF or KEY, with one column given as several values
    FULL = 4  # no index helps


class Plan:
    """How to answer questions of one shape.

    `in_order`: candidates come in the order asked for. `exact`: the index alone decides for a
    settled row, so the predicates need no second look.
    """

    __slots__ = ("access", "on", "index", "columns", "last", "fan_out", "in_order", "exact")

    def __init__(self, access: Access, on: tuple[str, ...] = (), *, in_order: bool = False) -> None:
        self.access = access
        self.on = on  # the columns of its index; none without an index
        self.index: Index | None = None
        self.columns: tuple[str, ...] = ()  # the columns given by equality, in the index's order
        self.last: str | None = None
        self.fan_out: str | None = None
        self.in_order = in_order
        self.exact = False

    def bound_to(self, store: Store) -> Plan:
        """The same plan with this store's own index."""
        bound = Plan(self.access, self.on, in_order=self.in_order)
        bound.index = store.index_on(self.on) if self.on else None
        bound.columns, bound.last = self.columns, self.last
        bound.fan_out, bound.exact = self.fan_out, self.exact
        return bound


def plan_for(store: Store, where: Mapping[str, Any], order_by: str | None) -> Plan:
    """The plan for a question of this shape, made at its first occurrence."""
    shape = (tuple(where), tuple(map(type, where.values())), order_by)
    plan = store.plans.get(shape)
    if plan is None:
        plan = store.plans[shape] = _make_plan(store.layout, *shape).bound_to(store)
    return plan


@cache
def _make_plan(
    layout: Layout, columns: tuple[str, ...], kinds: tuple[type, ...], order_by: str | None
) -> Plan:
    """The best plan. It names its index by columns only, so one serves all stores of this layout: a run
    of few orders would otherwise spend more on planning than on looking.
    """
    by_key = order_by is None or order_by == layout.key
    asked = dict(zip(columns, kinds, strict=True))
    equal = {column for column, kind in asked.items() if kind not in (AtMost, AtLeast, OneOf)}
    several = {column for column, kind in asked.items() if kind is OneOf}
    if layout.key in equal:
        return Plan(Access.KEY, in_order=True)
    best: Plan | None = None
    best_score = (0, False, 0)
    for on in layout.uniques + layout.indexes:
        plan = _index_plan(layout, on, columns, equal, several, order_by)
        if plan is None:
            continue
        narrowing = len(plan.columns) + (plan.last in asked)
        if plan.access is Access.LEAF and on in layout.uniques:
            narrowing += len(columns)  # one row at most
        score = (narrowing, plan.in_order, -int(plan.access))
        if best is None or score > best_score:
            best, best_score = plan, score
    if best is not None:
        return best
    if layout.key in several:
        plan = Plan(Access.UNION, in_order=by_key)
        plan.fan_out = layout.key
        return plan
    return Plan(Access.FULL, in_order=by_key)


def _index_plan(
    layout: Layout,
    on: tuple[str, ...],
    asked: tuple[str, ...],
    equal: set[str],
    several: set[str],
    order_by: str | None,
) -> Plan | None:
    by_key = order_by is None or order_by == layout.key
    missing = [column for column in on if column not in equal]
    if not missing:
        plan = Plan(Access.LEAF, on, in_order=by_key or order_by in on)
        plan.exact = len(asked) == len(on)
        plan.columns = on
        return plan
    if len(missing) == 1 and missing[0] in several:
        plan = Plan(Access.UNION, on, in_order=by_key)
        plan.columns = on
        plan.fan_out = missing[0]
        return plan
    last = on[-1]
    if missing == [last] and (last in asked or order_by == last or len(on) > 1):
        plan = Plan(Access.RANGE, on, in_order=(order_by or layout.key) == last)
        plan.exact = all(column in on for column in asked)
        plan.columns = on[:-1]
        plan.last = last
        return plan
    return None


def candidates(store: Store, plan: Plan, where: Mapping[str, Any]) -> Iterator[Candidate]:
    """Every row that may match, once for each version that may."""
    if plan.access is Access.KEY:
        key = where[store.key]
        return iter([(None, key)] if key in store.rows else [])
    if plan.access is Access.LEAF:
        return ((None, key) for key in given_keys(plan, where))
    if plan.access is Access.RANGE:
        return _walk(plan, where, None)
    if plan.access is Access.UNION:
        return _union(store, plan, where)
    return ((None, key) for key in sorted(store.rows))


def candidates_after(
    store: Store, plan: Plan, where: Mapping[str, Any], last: Candidate
) -> Iterator[Candidate]:
    """Go on with a walk in order after `last`, over an index that changed in between."""
    if plan.access is Access.LEAF:
        assert plan.index is not None
        return ((None, key) for key in plan.index.after(_given(plan, where), last[1]))
    if plan.access is Access.RANGE:
        return _walk(plan, where, last)
    return ((None, key) for _, key in candidates(store, plan, where) if key > last[1])


def _walk(plan: Plan, where: Mapping[str, Any], last: Candidate | None) -> Iterator[Candidate]:
    """Along the last column of the index, NULL last unless a range excludes it."""
    index = plan.index
    assert index is not None
    assert plan.last is not None
    prefix = _given(plan, where)
    bound = where.get(plan.last)
    if bound is None and last is None:
        nulls: Iterable[Any] = index.nulls(prefix)
        entries = iter(index.under(prefix))
        return chain(entries, ((None, key) for key in nulls)) if nulls else entries
    low = bound.bound if type(bound) is AtLeast else None
    high = bound.bound if type(bound) is AtMost else None
    in_nulls = last is not None and last[0] is None
    entries = iter(()) if in_nulls else index.walk(prefix, low, high, last)
    if bound is not None:
        return entries
    nulls = index.nulls(prefix)
    if in_nulls and last is not None:
        nulls = [key for key in nulls if key > last[1]]
    return chain(entries, ((None, key) for key in nulls)) if nulls else entries


def _union(store: Store, plan: Plan, where: Mapping[str, Any]) -> Iterator[Candidate]:
    column = plan.fan_out
    assert column is not None
    found: dict[Any, None] = {}
    for value in where[column].values:
        if plan.index is None:
            if value in store.rows:
                found[value] = None
            continue
        given = [value if name == column else where[name] for name in plan.columns]
        found.update(dict.fromkeys(plan.index.find(given[0] if len(given) == 1 else tuple(given))))
    return ((None, key) for key in sorted(found))


def given_keys(plan: Plan, where: Mapping[str, Any]) -> Iterable[Any]:
    """The candidates of a LEAF, in primary key order."""
    assert plan.index is not None
    return plan.index.find(_given(plan, where))


def _given(plan: Plan, where: Mapping[str, Any]) -> Any:
    """What the question gives of the index's columns: one value bare, several as a tuple."""
    columns = plan.columns
    if len(columns) == 1:
        return where[columns[0]]
    return tuple([where[column] for column in columns])
