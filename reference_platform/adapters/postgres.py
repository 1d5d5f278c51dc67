"""The database port on PostgreSQL.

Start here. `schema` has the tables as the server has them, `statements` the SQL, `span` what happens from
BEGIN to COMMIT, `connections` the pool and the driver's errors, `listening` LISTEN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Literal, Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from reference_platform.adapters import statements
from reference_platform.adapters.connections import Cursor, Limits, Pool
from reference_platform.adapters.listening import Listener
from reference_platform.adapters.schema import columns, structured
from reference_platform.adapters.span import Mark, Span
from reference_platform.adapters.waits import Waits
from reference_platform.adapters.wall import WallWaits
from reference_platform.ports import Isolation, LockMode, R, Table, Value, Where

Changes = Mapping[str, Any] | Callable[[Any], Mapping[str, Any]]


class PostgresDatabase:
    """Implements `reference_platform.ports.Database`. Needs a running asyncio loop when it is used.

    `url` and `replica_url` are connection strings of libpq; without a replica its reads go to the primary,
    read only all the same. `schema` holds the tables and keeps the channels of LISTEN apart from other
    schemas'. The server knows the client as `schema.name`. With an `origin` every transaction that writes names it in the server's write-ahead log.
    """

    def __init__(
        self,
        url: str,
        *,
        schema: str,
        name: str,
        replica_url: str | None = None,
        origin: str = "",
        waits: Waits | None = None,
        limits: Limits | None = None,
    ) -> None:
        waits = waits or WallWaits()
        limits = limits or Limits()
        self.primary = Pool(_conninfo(url, schema, name), waits, limits)
        self.replica = self.primary
        if replica_url is not None:
            self.replica = Pool(_conninfo(replica_url, schema, name), waits, limits)
        self._mark = Mark(schema, origin)
        self._listener = Listener(self.primary, waits)

    def transaction(
        self, isolation: Isolation = Isolation.READ_COMMITTED, *, replica: bool = False
    ) -> PostgresTransaction:
        if replica and isolation is Isolation.SERIALIZABLE:
            raise ValueError("a replica cannot serve serializable transactions")
        pool = self.replica if replica else self.primary
        return PostgresTransaction(Span(pool, isolation, read_only=replica, mark=self._mark))

    async def listen(self, channel: str, timeout_us: int) -> bool:
        return await self._listener.listen(self._mark.channel(channel), timeout_us)

    def close(self) -> None:
        """Close every connection. Transactions that are under way lose theirs when they end."""
        self._listener.close()
        self.primary.close()
        self.replica.close()


class PostgresTransaction:
    """Implements `reference_platform.ports.Transaction`."""

    def __init__(self, span: Span) -> None:
        self._span = span

    async def get(self, table: Table[R], key: Value, *, lock: LockMode | None = None) -> R | None:
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
        shape, values = statements.condition(table, where)
        text = statements.select(table, shape, order_by, limit is not None, lock)
        if limit is not None:
            values.append(limit)
        run = self._span.look if lock is None else self._span.run
        return _rows(table, await (await run(text, values)).fetchall())

    async def insert(
        self, table: Table[R], row: R, *, on_conflict: Literal["error", "nothing"] = "error"
    ) -> bool:
        declared = columns(table)
        text = statements.insert(table, tuple(row), on_conflict)
        values = [declared[name].to_sql(value) for name, value in row.items()]
        return (await self._span.write(text, values)).rowcount == 1

    async def update(
        self, table: Table[R], key: Value, changes: Changes, *, where: Where | None = None
    ) -> R | None:
        condition: dict[str, Any] = {table.key: key, **(where or {})}
        if callable(changes):
            # SET n = f(n) sees the row as it is once locked; locking it and then writing does the same.
            rows = await self.select(table, condition, lock="wait")
            if not rows:
                return None
            condition, changes = {table.key: key}, changes(rows[0])
        if changes.get(table.key, key) != key:
            raise ValueError(f"the primary key of {table.name} cannot be changed")
        found = _rows(table, await (await self._update(table, condition, changes, True)).fetchall())
        return found[0] if found else None

    async def update_where(self, table: Table[R], where: Where, changes: Changes) -> int:
        if not callable(changes):
            return (await self._update(table, where, changes, False)).rowcount
        rows: list[Any] = await self.select(table, where, lock="wait")
        for row in rows:
            await self._update(table, {table.key: row[table.key]}, changes(row), False)
        return len(rows)

    async def delete_where(self, table: Table[R], where: Where) -> int:
        shape, values = statements.condition(table, where)
        return (await self._span.write(statements.delete(table, shape), values)).rowcount

    def notify(self, channel: str) -> None:
        self._span.notify(channel)

    async def commit(self) -> None:
        await self._span.commit()

    async def rollback(self) -> None:
        await self._span.rollback()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await (self.commit() if kind is None else self.rollback())

    async def _update(
        self, table: Table[Any], where: Mapping[str, Any], changes: Mapping[str, Any], returning: bool
    ) -> Cursor:
        declared = columns(table)
        shape, values = statements.condition(table, where)
        text = statements.update(table, tuple(changes), shape, returning)
        settings = [declared[name].to_sql(value) for name, value in changes.items()]
        return await self._span.write(text, [*settings, *values])


def _rows(table: Table[R], found: list[dict[str, Any]]) -> list[R]:
    for column in structured(table):
        for row in found:
            row[column.name] = column.of_sql(row[column.name])
    return found  # type: ignore[return-value]


def _conninfo(url: str, schema: str, name: str) -> str:
    """The connection string with its settings of ours."""
    given = conninfo_to_dict(url)
    quoted = schema.replace('"', '""').replace("\\", "\\\\").replace(" ", "\\ ")
    options = f'{given.get("options") or ""} -c search_path="{quoted}"'.strip()
    return make_conninfo(url, options=options, application_name=f"{schema}.{name}")
