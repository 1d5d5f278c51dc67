"""Indexes against a plain set of entries, at sizes where their representation changes."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_platform.ports import AtMost, OneOf, Table
from sim.database import index as index_module
from sim.database.index import GroupIndex, HashIndex, index_of
from sim.database.scan import Access, plan_for
from sim.database.store import Store

VALUE = st.one_of(st.none(), st.integers(0, 3))
CHANGES = st.lists(st.tuples(st.sampled_from("ab"), VALUE, st.integers(0, 9)), max_size=60)
BOUND = st.one_of(st.none(), st.integers(0, 3))


def build(columns: tuple[str, ...], changes: list[Any]) -> tuple[Any, set[Any]]:
    """Each change adds its entry, or takes it out when it is there; adding twice is no change.

    Now and then somebody asks for the order, as it goes on in another way from there.
    """
    index = index_of(columns)
    model: set[Any] = set()
    for prefix, value, key in changes:
        values = value if len(columns) == 1 else (prefix, value) if len(columns) == 2 else (prefix, 7, value)
        if (values, key) in model and key % 2:
            index.remove(values, key)
            model.remove((values, key))
        else:
            index.add(values, key)
            model.add((values, key))
        if key == 5:
            assert list(index.find(values)) == sorted(other for at, other in model if at == values)
    return index, model


@pytest.mark.parametrize("columns", [("x",), ("p", "x"), ("p", "q", "x")])
@given(
    changes=CHANGES, low=BOUND, high=BOUND, value=VALUE, place=st.tuples(st.integers(0, 3), st.integers(0, 9))
)
@settings(max_examples=150, deadline=None)
def test_an_index_finds_what_was_put_in(
    columns: tuple[str, ...], changes: list[Any], low: int | None, high: int | None, value: Any, place: Any
) -> None:
    """Equality, ranges, NULL, and going on from a place, whether groups are bare, plain or large."""
    with patch.object(index_module, "PLAIN_MAX", 4):
        index, model = build(columns, changes)
        values: Any = {1: value, 2: ("a", value), 3: ("a", 7, value)}[len(columns)]
        keys = sorted(key for at, key in model if at == values)
        assert list(index.find(values)) == keys
        assert list(index.after(values, place[1])) == [key for key in keys if key > place[1]]
        prefix: Any = {1: (), 2: "a", 3: ("a", 7)}[len(columns)]
        group = [(at if len(columns) == 1 else at[-1], key) for at, key in model if _in_group(columns, at)]
        assert sorted(index.nulls(prefix)) == sorted(key for at, key in group if at is None)
        entries = sorted(
            (at, key)
            for at, key in group
            if at is not None and (low is None or at >= low) and (high is None or at <= high)
        )
        assert list(index.walk(prefix, low, high, None)) == entries
        if low is None and high is None:
            assert list(index.under(prefix)) == entries
        # A walk is only ever resumed from a place it came by.
        if (low is None or place[0] >= low) and (high is None or place[0] <= high):
            assert list(index.walk(prefix, low, high, place)) == [entry for entry in entries if entry > place]


def _in_group(columns: tuple[str, ...], values: Any) -> bool:
    return len(columns) == 1 or values[0] == "a"


def test_an_emptied_index_holds_nothing() -> None:
    """Removing every entry leaves no empty groups behind."""
    for columns, values in ((("x",), [1, None]), (("p", "x"), [("a", 1), ("a", None)])):
        index = index_of(columns)
        for value in values:
            for key in range(5):
                index.add(value, key)
            for key in range(5):
                index.remove(value, key)
        if isinstance(index, HashIndex):
            assert index.leaves == {}
        else:
            assert isinstance(index, GroupIndex)
            assert index.groups == {}
            assert index.null_groups == {}


ORDERS: Table[Any] = Table(
    "orders", dict, "id", unique=(("ref",),), indexes=(("status",), ("status", "due"), ("user", "id"))
)


@pytest.mark.parametrize(
    ("where", "order_by", "access", "columns", "in_order"),
    [
        ({"id": 1, "status": "open"}, None, Access.KEY, None, True),
        ({"ref": "x", "status": "open"}, "due", Access.LEAF, ("ref",), False),
        ({"status": "open"}, None, Access.LEAF, ("status",), True),
        ({"status": "open"}, "due", Access.RANGE, ("status", "due"), True),
        ({"status": "open", "due": AtMost(5)}, "due", Access.RANGE, ("status", "due"), True),
        ({"status": "open", "due": AtMost(5)}, None, Access.RANGE, ("status", "due"), False),
        ({"user": "u"}, None, Access.RANGE, ("user", "id"), True),
        ({"status": OneOf(("open", "late"))}, None, Access.UNION, ("status",), True),
        ({"id": OneOf((1, 2))}, None, Access.UNION, None, True),
        ({"due": 5}, None, Access.FULL, None, True),
    ],
)
def test_a_question_takes_the_narrowest_way(
    where: dict[str, Any],
    order_by: str | None,
    access: Access,
    columns: tuple[str, ...] | None,
    in_order: bool,
) -> None:
    """Most columns given first, then an order that saves sorting; a full scan only without any index."""
    plan = plan_for(Store(ORDERS), where, order_by)
    assert plan.access is access
    assert (plan.index.columns if plan.index else None) == columns
    assert plan.in_order is in_order
