"""The database port in SQL, for the contract.

The port's coroutines are plain calls here: they never yield, and a statement that waits for a lock
holds its thread. That is enough to dictate an interleaving; the live world has its own adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Literal, Self

import psycopg
from psycopg.sql import SQL, Composable, Composed, Identifier, Placeholder

from reference_platform import ports
from reference_platform.ports import AtLeast, AtMost, Isolation, LockMode, OneOf, R, Table, Where

Connection = psycopg.Connection[dict[str, Any]]
Changes = Mapping[str, Any] | Callable[[Any], Mapping[str, Any]]

ERRORS: dict[str, type[ports.DatabaseError]] = {
    "23505": ports.UniqueViolation,
    "25006": ports.ReadOnly,
    "25P02": ports.TransactionAborted,
    "40001": ports.SerializationFailure,
    "40P01": ports.DeadlockDetected,
    "53100": ports.DiskFull,
    "55P03": ports.LockNotAvailable,
}
LOCKS = {"wait": "for update", "nowait": "for update nowait", "skip_locked": "for update skip locked"}


class PostgresDatabase:
    """`reference_platform.ports.Database` on one connection, and one more for listening."""

    def __init__(self, connect: Callable[[], Connection], connection: Connection) -> None:
        self.connect = connect
        self.connection = connection
        self.listening: dict[str, Connection] = {}

    def transaction(
        self, isolation: Isolation = Isolation.READ_COMMITTED, *, replica: bool = False
    ) -> PostgresTransaction:
        assert not replica, "the contract's server has no replica"
        return PostgresTransaction(self.connection, isolation)

    async def listen(self, channel: str, timeout_us: int) -> bool:
        if channel not in self.listening:
            self.listening[channel] = self.connect()
            self.listening[channel].execute(SQL("listen {}").format(Identifier(channel)))
        return any(
            True for _ in self.listening[channel].notifies(timeout=timeout_us / 1_000_000, stop_after=1)
        )

    def close(self) -> None:
        for connection in self.listening.values():
            connection.close()


class PostgresTransaction:
    """`reference_platform.ports.Transaction` in SQL."""

    def __init__(self, connection: Connection, isolation: Isolation) -> None:
        self.connection = connection
        self.isolation = isolation
        self.begun = False
        self.aborted = False

    async def get(self, table: Table[R], key: Any, *, lock: LockMode | None = None) -> R | None:
        rows = await self.select(table, {table.key: key}, lock=lock)
        return rows[0] if rows else None

    async def select(
        self,
        table: Table[R],
        where: Where,
        *,
        order_by: str | None = None,
        limit: int | None = None,
        lock: LockMode | None = None,
    ) -> list[R]:
        condition, values = _condition(where)
        query = SQL("select * from {} where {} order by {} nulls last, {} limit {} {}").format(
            Identifier(table.name),
            condition,
            Identifier(order_by or table.key),
            Identifier(table.key),
            Placeholder(),
            SQL(LOCKS[lock] if lock else ""),
        )
        rows: list[Any] = self._execute(query, [*values, limit]).fetchall()
        return rows

    async def insert(
        self, table: Table[R], row: R, *, on_conflict: Literal["error", "nothing"] = "error"
    ) -> bool:
        query = SQL("insert into {} ({}) values ({}) {}").format(
            Identifier(table.name),
            names(tuple(row)),
            SQL(", ").join(Placeholder() for _ in row),
            SQL("on conflict do nothing" if on_conflict == "nothing" else ""),
        )
        return self._execute(query, list(row.values())).rowcount == 1

    async def update(
        self, table: Table[R], key: Any, changes: Changes, *, where: Where | None = None
    ) -> R | None:
        condition: dict[str, Any] = {table.key: key, **(where or {})}
        if callable(changes):
            # SET n = f(n) sees the row as it is once locked; a lock and a plain update do the same.
            rows = await self.select(table, condition, lock="wait")
            if not rows:
                return None
            condition, changes = {table.key: key}, changes(rows[0])
        changed: Any = self._update(table, condition, changes).fetchone()
        return changed  # type: ignore[no-any-return]

    async def update_where(self, table: Table[R], where: Where, changes: Changes) -> int:
        if not callable(changes):
            return self._update(table, where, changes).rowcount
        rows: list[Any] = await self.select(table, where, lock="wait")
        for row in rows:
            self._update(table, {table.key: row[table.key]}, changes(row))
        return len(rows)

    async def delete_where(self, table: Table[R], where: Where) -> int:
        condition, values = _condition(where)
        query = SQL("delete from {} where {}").format(Identifier(table.name), condition)
        return self._execute(query, values).rowcount

    def notify(self, channel: str) -> None:
        self._execute(SQL("select pg_notify(%s, '')"), [channel])

    async def commit(self) -> None:
        if self.aborted:
            self._end("rollback")
            raise ports.TransactionAborted("an earlier statement failed")
        self._end("commit")

    async def rollback(self) -> None:
        self._end("rollback")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await (self.commit() if kind is None else self.rollback())

    def _update(
        self, table: Table[Any], where: Mapping[str, Any], changes: Mapping[str, Any]
    ) -> psycopg.Cursor[dict[str, Any]]:
        condition, values = _condition(where)
        settings = SQL(", ").join(SQL("{} = {}").format(Identifier(name), Placeholder()) for name in changes)
        query = SQL("update {} set {} where {} returning *").format(
            Identifier(table.name), settings, condition
        )
        return self._execute(query, [*changes.values(), *values])

    def _execute(self, query: SQL | Composed, values: list[Any]) -> psycopg.Cursor[dict[str, Any]]:
        try:
            if not self.begun:
                self.begun = True
                self.connection.execute(SQL("begin isolation level " + self.isolation.value))
            return self.connection.execute(query, values)
        except psycopg.Error as error:
            self.aborted = True
            raise _translated(error) from error

    def _end(self, how: Literal["commit", "rollback"]) -> None:
        if self.begun:
            self.begun = False
            try:
                self.connection.execute(SQL(how))
            except psycopg.Error as error:
                raise _translated(error) from error


def _translated(error: psycopg.Error) -> ports.DatabaseError:
    known = ERRORS.get(error.sqlstate or "", ports.ConnectionLost)
    return known(str(error))


def names(columns: tuple[str, ...]) -> Composable:
    return SQL(", ").join(map(Identifier, columns))


def _condition(where: Mapping[str, Any]) -> tuple[Composable, list[Any]]:
    """SQL for the port's predicates."""
    parts: list[Composable] = [SQL("true")]
    values: list[Any] = []
    for column, wanted in where.items():
        name = Identifier(column)
        match wanted:
            case None:
                parts.append(SQL("{} is null").format(name))
                continue
            case AtMost(bound):
                parts.append(SQL("{} <= %s").format(name))
                values.append(bound)
            case AtLeast(bound):
                parts.append(SQL("{} >= %s").format(name))
                values.append(bound)
            case OneOf(options):
                parts.append(SQL("{} = any(%s)").format(name))
                values.append(list(options))
            case value:
                parts.append(SQL("{} = %s").format(name))
                values.append(value)
    return SQL(" and ").join(parts), values
