"""PostgreSQL's logical replication messages (pgoutput, protocol 1), as far as whole transactions need them.

A parser over one message at a time. What a message means for the books is decided in `chaos.live.wal`.
Layouts are those of the manual's chapter "Logical Replication Message Formats".
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

EPOCH_2000_US: Final = 946_684_800_000_000  # the server counts microseconds from 2000-01-01

Tuple = Mapping[str, bytes | None]  # column → value in text format; a value that did not change is left out


class NotUnderstood(Exception):
    """A message that this parser does not know; the message names its first bytes."""


@dataclass(frozen=True, slots=True)
class Begin:
    """A transaction follows."""

    commit_us: int  # since 1970, by the server's clock
    xid: int


@dataclass(frozen=True, slots=True)
class Commit:
    """The transaction was all of it; `end_lsn` is the place in the log behind it."""

    end_lsn: int


@dataclass(frozen=True, slots=True)
class Row:
    """One row changed. `before` is None for an insertion, `after` for a deletion."""

    table: str
    before: Tuple | None
    after: Tuple | None


@dataclass(frozen=True, slots=True)
class Note:
    """A message that somebody put into the log with `pg_logical_emit_message`."""

    transactional: bool
    prefix: str
    content: bytes


Message = Begin | Commit | Row | Note


class Parser:
    """Knows the tables that were described so far. One parser for each stream of messages."""

    def __init__(self) -> None:
        self._tables: dict[int, tuple[str, list[str]]] = {}

    def parse(self, data: bytes) -> Message | None:
        """What the message says; None when it only describes a table, a type or an origin."""
        kind = data[:1]
        if kind in {b"I", b"U", b"D"}:
            return self._row(data)
        if kind == b"B":
            _, commit_us, xid = struct.unpack_from("!qqI", data, 1)
            return Begin(commit_us + EPOCH_2000_US, xid)
        if kind == b"C":
            _, _, end_lsn, _ = struct.unpack_from("!bqqq", data, 1)
            return Commit(end_lsn)
        if kind == b"M":
            prefix, place = _text(data, 10)
            return Note(bool(data[1] & 1), prefix, data[place + 4 :])
        if kind == b"R":
            self._describe(data)
            return None
        if kind in {b"Y", b"O"}:
            return None
        raise NotUnderstood(f"{data[:16]!r}")

    def _describe(self, data: bytes) -> None:
        (oid,) = struct.unpack_from("!I", data, 1)
        _, place = _text(data, 5)
        name, place = _text(data, place)
        (count,) = struct.unpack_from("!xh", data, place)
        place += 3
        columns: list[str] = []
        for _ in range(count):
            column, place = _text(data, place + 1)
            columns.append(column)
            place += 8  # its type
        self._tables[oid] = name, columns

    def _row(self, data: bytes) -> Row:
        (oid,) = struct.unpack_from("!I", data, 1)
        table, columns = self._tables[oid]
        before: Tuple | None = None
        after: Tuple | None = None
        place = 5
        while place < len(data):
            part = data[place : place + 1]
            values, place = _tuple(data, place + 1, columns)
            if part == b"N":
                after = values
            else:
                before = values
        return Row(table, before, after)


def _tuple(data: bytes, place: int, columns: list[str]) -> tuple[dict[str, bytes | None], int]:
    place += 2
    values: dict[str, bytes | None] = {}
    for column in columns:
        kind = data[place : place + 1]
        place += 1
        if kind == b"t":
            (length,) = struct.unpack_from("!I", data, place)
            place += 4
            values[column] = data[place : place + length]
            place += length
        elif kind == b"n":
            values[column] = None
        elif kind != b"u":
            raise NotUnderstood(f"a value of kind {kind!r}")
    return values, place


def _text(data: bytes, place: int) -> tuple[str, int]:
    """A string that ends with a zero byte, and the place behind it."""
    end = data.index(0, place)
    return data[place:end].decode(), end + 1
