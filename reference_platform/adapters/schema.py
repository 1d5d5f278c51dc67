"""The declared tables as PostgreSQL has them: column types, DDL, and rows on their way in and out.

A column's type follows from its annotation in the row's TypedDict: whole numbers, texts, booleans, any
of them or None, and structured values, which are kept as JSON text. Texts sort by code point, as in
the simulator. Everything here is derived from the declarations, so there is nothing to migrate.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import msgspec
import psycopg
from psycopg.sql import SQL, Composable, Composed, Identifier

from reference_platform.ports import R, Table

PLAIN: Final[Mapping[Any, str]] = {int: "bigint", str: 'text collate "C"', bool: "boolean"}
JSON: Final = "json"  # not jsonb: the text comes back as it was written, and may hold any character

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `kind` is its SQL type; `hint` the annotation without None, which JSON is decoded to."""

    name: str
    kind: str
    nullable: bool
    hint: Any
    decoder: msgspec.json.Decoder[Any] | None

    def to_sql(self, value: Any) -> Any:
        """A value of the row as a parameter of a statement."""
        if self.decoder is None or value is None:
            return value
        return _encode(value).decode()

    def of_sql(self, value: Any) -> Any:
        """A value as the driver hands it out, as the platform's rows have it."""
        return value if self.decoder is None or value is None else self.decoder.decode(value)

    def of_text(self, text: bytes) -> Any:
        """A value in PostgreSQL's text format, which is what its log holds."""
        if self.decoder is not None:
            return self.decoder.decode(text)
        if self.hint is bool:
            return text == b"t"
        return int(text) if self.hint is int else text.decode()


@cache
def columns(table: Table[Any]) -> Mapping[str, Column]:
    """The table's columns by name, in the order of the declaration."""
    return {name: _column(name, hint) for name, hint in typing.get_type_hints(table.row).items()}


def _column(name: str, hint: Any) -> Column:
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    (kind,) = [kind for kind in kinds if kind is not type(None)]
    plain = PLAIN.get(kind)
    decoder = None if plain else msgspec.json.Decoder(kind)
    return Column(name, plain or JSON, type(None) in kinds, kind, decoder)


@cache
def structured(table: Table[Any]) -> tuple[Column, ...]:
    """The columns whose values are JSON on the server."""
    return tuple(column for column in columns(table).values() if column.decoder is not None)


def names(columns_: Iterable[str]) -> Composable:
    """Quoted, with commas between."""
    return SQL(", ").join(map(Identifier, columns_))


def ddl(table: Table[Any]) -> list[Composed]:
    """The statements that make the table and its indexes."""
    parts: list[Composable] = [
        SQL("{} {}{}").format(
            Identifier(column.name), SQL(column.kind), SQL("" if column.nullable else " not null")
        )
        for column in columns(table).values()
    ]
    parts.append(SQL("primary key ({})").format(Identifier(table.key)))
    parts.extend(SQL("unique ({})").format(names(unique)) for unique in table.unique)
    name = Identifier(table.name)
    made = [SQL("create table {} ({})").format(name, SQL(", ").join(parts))]
    made.extend(SQL("create index on {} ({})").format(name, names(index)) for index in table.indexes)
    return made


def create(connection: psycopg.Connection[Any], schema: str, tables: Sequence[Table[Any]]) -> None:
    """Make the schema with its tables, all or nothing. psycopg.errors.DuplicateSchema: it is there already."""
    with connection.transaction():
        connection.execute(SQL("create schema {}").format(Identifier(schema)))
        connection.execute(SQL("set local search_path to {}").format(Identifier(schema)))
        for table in tables:
            for statement in ddl(table):
                connection.execute(statement)


def drop(connection: psycopg.Connection[Any], schema: str) -> None:
    """Remove the schema and everything in it, if it is there."""
    connection.execute(SQL("drop schema if exists {} cascade").format(Identifier(schema)))


def load(connection: psycopg.Connection[Any], schema: str, table: Table[R], rows: Iterable[R]) -> None:
    """Put many rows into a table at once, in one transaction."""
    shape = columns(table)
    statement = SQL("copy {}.{} ({}) from stdin").format(
        Identifier(schema), Identifier(table.name), names(shape)
    )
    with connection.transaction(), connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([column.to_sql(row[name]) for name, column in shape.items()])
