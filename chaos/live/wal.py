"""What the platform committed, read from the database's own write-ahead log.

State events must not come from the platform: a node killed right after its commit would hide what it did.
A logical replication slot keeps every committed transaction until we have read it, over crashes of the
server and of ours. It is asked by plain SQL, so nothing else is needed than a connection.

Each transaction comes whole, in the order of commits, with the time of its commit and the changes that the
simulator's `on_commit` would report: one for each row, net of what the transaction did to it before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.sql import SQL, Identifier

from chaos.history import State
from chaos.live.pgoutput import Begin, Commit, Note, Parser, Row, Tuple
from reference_platform.adapters.schema import columns
from reference_platform.adapters.span import ORIGIN
from reference_platform.ports import Table

BATCH: Final = 20_000  # changes looked at in one go; a transaction is never cut
NOTE_EVERY: Final = 256 * 1024  # bytes of the log
Connect = Callable[[], psycopg.Connection[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Change:
    """One row as the transaction left it; a deletion carries the row that was deleted."""

    table: Table[Any]
    op: str  # insert | update | delete
    key: Any
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Transaction:
    """One committed transaction. `commit_us`: since 1970 by the server's clock, never less than the one before."""

    commit_us: int
    xid: int
    node: str
    changes: tuple[Change, ...]

    def states(self, t_us: int, tx: int) -> Iterator[State]:
        """Its events in a history, at run time `t_us` under the number `tx`."""
        for change in self.changes:
            table = change.table
            yield State(t_us, tx, self.node, table.book or "", table.name, change.op, change.key, change.row)


class WriteAheadLog:
    """The committed transactions of one schema, from the moment of `open`.

    Only tables with a book are followed. The schema belongs to this run alone; names of the slot and the
    publication derive from it. `connect` gives a connection in autocommit.
    """

    def __init__(
        self, connect: Connect, schema: str, tables: Sequence[Table[Any]], *, lasting: bool = True
    ) -> None:
        """`lasting`: the slot survives crashes of the server, and has to be dropped.

        Otherwise it goes with our connection, however that ends: on a server that is not ours a slot
        left behind would fill the disk.
        """
        self._connect = connect
        self._schema = schema
        self._name = f"{schema}_states"
        self._lasting = lasting
        self._tables = {table.name: table for table in tables if table.book is not None}
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None
        self._looked_lsn = 0  # as far as the log went when we last looked
        self._noted_lsn = 0
        self._seen_lsn = 0
        self._last_us = 0

    def open(self) -> None:
        """Begin to follow; what was loaded before is in no history."""
        with self._connect() as connection, connection.transaction():
            names = [SQL("{}.{}").format(Identifier(self._schema), Identifier(name)) for name in self._tables]
            for name in names:
                # The whole old row is logged: a deletion's row is in the books, and so is a large value
                # that an update left as it was.
                connection.execute(SQL("alter table {} replica identity full").format(name))
            connection.execute(
                SQL("create publication {} for table {} with (publish = 'insert, update, delete')").format(
                    Identifier(self._name), SQL(", ").join(names)
                )
            )
        self._connection = self._connect()
        self._connection.execute(
            "select pg_create_logical_replication_slot(%s, 'pgoutput', %s)", [self._name, not self._lasting]
        )

    def poll(self) -> list[Transaction]:
        """What was committed since the last call, as far as one batch goes; nothing while the server is down.

        Raises psycopg.OperationalError only when that is the end of a slot that does not last.
        """
        try:
            return self._read()
        except psycopg.OperationalError:
            self.disconnect()
            if not self._lasting:
                raise
            return []

    def drain(self) -> list[Transaction]:
        """All that is left. Raises psycopg.OperationalError while the server is down."""
        if self._lasting:
            self.disconnect()  # the server may have been down since the last look
        found: list[Transaction] = []
        while batch := self._read():
            found.extend(batch)
        return found

    def close(self) -> None:
        """Stop following: the slot goes, for it would keep the server's log for ever. The server must be up."""
        self.disconnect()
        with self._connect() as connection:
            connection.execute(
                "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %s",
                [self._name],
            )
            connection.execute(SQL("drop publication if exists {}").format(Identifier(self._name)))

    def disconnect(self) -> None:
        """Close our connection alone: before the end of an embedded server, which takes the slot with it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # ------------------------------------------------------------ reading

    def _read(self) -> list[Transaction]:
        if self._connection is None:
            self._connection = self._connect()
            self._catch_up(self._connection)
        written = self._written(self._connection)
        if written == self._looked_lsn:
            return []
        with self._connection.cursor(binary=True) as cursor:
            # Looked at first and let go afterwards: what is lost on the way to us is still there.
            messages = cursor.execute(
                "select data from pg_logical_slot_peek_binary_changes(%s, null, %s, 'proto_version', '1',"
                " 'publication_names', %s, 'messages', 'true')",
                [self._name, BATCH, f'"{self._name}"'],
            ).fetchall()
        found, end_lsn = self._transactions(bytes(data) for (data,) in messages)
        if end_lsn > self._seen_lsn:
            self._seen_lsn = end_lsn
            try:
                self._let_go(self._connection, end_lsn)
            except psycopg.OperationalError:
                # What was read is ours, though the server died before it heard so: `_catch_up` says it again.
                self.disconnect()
                if not self._lasting:
                    raise
        else:
            self._looked_lsn = written
        return found

    def _let_go(self, connection: psycopg.Connection[tuple[Any, ...]], end_lsn: int) -> None:
        """Tell the server that it need not keep what comes before `end_lsn`."""
        connection.execute("select pg_replication_slot_advance(%s, %s)", [self._name, _lsn(end_lsn)])
        if self._lasting and end_lsn > self._noted_lsn + NOTE_EVERY:
            # A slot is read again from the last note of what was open; the server makes one every 15 s.
            connection.execute("select pg_log_standby_snapshot()")
            self._noted_lsn = end_lsn

    def _catch_up(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        """After a crash the server may have forgotten how far we were, and would tell it all again."""
        connection.execute(
            "select pg_replication_slot_advance(slot_name, %(seen)s::pg_lsn) from pg_replication_slots"
            " where slot_name = %(name)s and confirmed_flush_lsn < %(seen)s::pg_lsn",
            {"name": self._name, "seen": _lsn(self._seen_lsn)},
        )

    def _written(self, connection: psycopg.Connection[tuple[Any, ...]]) -> int:
        """How far the server's log goes, and with it what can be read. Looking is cheap, reading is not."""
        query = "select pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')"
        (place,) = connection.execute(query).fetchone() or (0,)
        return int(place)

    def _transactions(self, messages: Iterator[bytes]) -> tuple[list[Transaction], int]:
        found: list[Transaction] = []
        parser = Parser()
        begin = Begin(0, 0)
        rows: list[Row] = []
        node = ""
        end_lsn = 0
        for data in messages:
            match parser.parse(data):
                case Begin() as begin:
                    rows, node = [], ""
                case Row() as row:
                    rows.append(row)
                case Note(True, prefix, content) if prefix == ORIGIN:
                    node = content.decode()
                case Commit(end_lsn):
                    changes = self._net(rows)
                    if changes:
                        self._last_us = max(self._last_us, begin.commit_us)
                        found.append(Transaction(self._last_us, begin.xid, node, changes))
        return found, end_lsn

    def _net(self, rows: list[Row]) -> tuple[Change, ...]:
        """One change for each row, in the order in which the rows were first written."""
        net: dict[tuple[str, Any], tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]] = {}
        for row in rows:
            table = self._tables.get(row.table)
            if table is None:
                continue
            before = None if row.before is None else _decoded(table, row.before)
            after = None if row.after is None else _decoded(table, {**(row.before or {}), **row.after})
            key = (after or before or {})[table.key]
            first = net.get((row.table, key))
            net[row.table, key] = (before if first is None else first[0]), after
        return tuple(
            Change(self._tables[name], op, key, row)
            for (name, key), (before, after) in net.items()
            for op, row in _op(before, after)
        )


def _op(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What became of a row; nothing when it came and went."""
    if after is not None:
        yield ("insert" if before is None else "update"), after
    elif before is not None:
        yield "delete", before


def _decoded(table: Table[Any], values: Tuple) -> Mapping[str, Any]:
    return {
        name: None if (text := values[name]) is None else column.of_text(text)
        for name, column in columns(table).items()
    }


def _lsn(number: int) -> str:
    """A place in the log as the server writes it."""
    return f"{number >> 32:X}/{number & 0xFFFFFFFF:X}"
