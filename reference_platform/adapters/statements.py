"""SQL for the port's statements: one text for each table and shape of question, built once.

Values are always parameters. What stands in a text are the names of declared tables and columns,
quoted, and constants of this module (which Ruff, at S608, cannot see); a name that is not declared is a
KeyError before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, Literal

from psycopg.sql import SQL, Composable, Identifier

from reference_platform.adapters.schema import columns, names
from reference_platform.ports import AtLeast, AtMost, LockMode, OneOf, Table

Condition = tuple[tuple[str, str], ...]  # column and comparison, in the order of the parameters
Conflict = Literal["error", "nothing"]

LOCKS: Final[Mapping[str | None, str]] = {
    None: "",
    "wait": " for update",
    "nowait": " for update nowait",
    "skip_locked": " for update skip locked",
}
COMPARISONS: Final[Mapping[str, str]] = {
    "equal": "{} = %s",
    "at most": "{} <= %s",
    "at least": "{} >= %s",
    "one of": "{} = any(%s)",
    "null": "{} is null",
}


def condition(table: Table[Any], where: Mapping[str, Any]) -> tuple[Condition, list[Any]]:
    """The shape of the port's predicates, and their parameters."""
    shape: list[tuple[str, str]] = []
    values: list[Any] = []
    for name, wanted in where.items():
        match wanted:
            case None:
                shape.append((name, "null"))
                continue
            case AtMost(bound):
                shape.append((name, "at most"))
                values.append(bound)
            case AtLeast(bound):
                shape.append((name, "at least"))
                values.append(bound)
            case OneOf(options):
                shape.append((name, "one of"))
                values.append(list(options))
            case value:
                shape.append((name, "equal"))
                values.append(columns(table)[name].to_sql(value))
    return tuple(shape), values


@cache
def select(
    table: Table[Any], where: Condition, order_by: str | None, limited: bool, lock: LockMode | None
) -> str:
    """Rows that match; a `limited` text has one more parameter."""
    order = "" if where == ((table.key, "equal"),) else _order(table, order_by)
    query = SQL("select {} from {}{}" + order + (" limit %s" if limited else "") + LOCKS[lock])  # noqa: S608
    return _text(query.format(names(columns(table)), Identifier(table.name), _where(table, where)))


@cache
def insert(table: Table[Any], given: tuple[str, ...], on_conflict: Conflict) -> str:
    """One row of these columns."""
    places = ", ".join("%s" for _ in given)
    ending = " on conflict do nothing" if on_conflict == "nothing" else ""
    query = SQL("insert into {} ({}) values (" + places + ")" + ending)  # noqa: S608
    return _text(query.format(Identifier(table.name), names(_declared(table, given))))


@cache
def update(table: Table[Any], changed: tuple[str, ...], where: Condition, returning: bool) -> str:
    """Changes first, then the condition. Without changes a row is written again as it is."""
    settings = SQL(", ").join(SQL("{} = %s").format(Identifier(name)) for name in _declared(table, changed))
    nothing = SQL("{0} = {0}").format(Identifier(table.key))
    query = SQL("update {} set {}{}").format(
        Identifier(table.name), settings if changed else nothing, _where(table, where)
    )
    if returning:
        query += SQL(" returning {}").format(names(columns(table)))
    return _text(query)


@cache
def delete(table: Table[Any], where: Condition) -> str:
    return _text(SQL("delete from {}{}").format(Identifier(table.name), _where(table, where)))


def _where(table: Table[Any], where: Condition) -> Composable:
    if not where:
        return SQL("")
    declared = columns(table)
    parts = [SQL(COMPARISONS[how]).format(Identifier(declared[name].name)) for name, how in where]
    return SQL(" where ") + SQL(" and ").join(parts)


def _order(table: Table[Any], order_by: str | None) -> str:
    key = _text(Identifier(table.key))
    if order_by is None or order_by == table.key:
        return f" order by {key}"
    return f" order by {_text(Identifier(columns(table)[order_by].name))} nulls last, {key}"


def _declared(table: Table[Any], given: tuple[str, ...]) -> list[str]:
    declared = columns(table)
    return [declared[name].name for name in given]


def _text(query: Composable) -> str:
    return query.as_string(None)
