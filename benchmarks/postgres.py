"""The PostgreSQL adapter against plain psycopg: latency and round trips of one transaction, one client.

The transaction reads a row, locks and changes it, and writes a log row: what most of the platform's do.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import psycopg
from psycopg.rows import dict_row

from chaos.live.initdb import Installation
from chaos.live.ports import Ports
from chaos.live.postgres import Server
from reference_platform.adapters import schema
from reference_platform.adapters.postgres import PostgresDatabase
from reference_platform.tables import MEMBERSHIPS, TABLES, WALLETS, MembershipRow, WalletRow
from tests.chaos.live.relay import Relay, relay_to

TIMES = 1000
WARM_UP = 50
SCHEMA = "bench"
USERS = 100

Turn = Callable[[int], Awaitable[None]]


async def plain(connection: psycopg.AsyncConnection[dict[str, Any]], number: int) -> None:
    """As one writes it with psycopg."""
    user = f"u{number % USERS}"
    async with connection.transaction():
        cursor = await connection.execute('select * from wallets where "user" = %s', [user])
        await cursor.fetchone()
        await connection.execute('select * from wallets where "user" = %s for update', [user])
        await connection.execute('update wallets set balance_fen = balance_fen + 1 where "user" = %s', [user])
        await connection.execute("insert into memberships values (%s, 0)", [f"plain-{number}"])


async def ours(database: PostgresDatabase, number: int) -> None:
    """The same through the port."""
    user = f"u{number % USERS}"
    async with database.transaction() as tx:
        await tx.get(WALLETS, user)
        await tx.update(WALLETS, user, lambda row: {"balance_fen": row["balance_fen"] + 1})
        await tx.insert(MEMBERSHIPS, MembershipRow(user=f"ours-{number}", until_us=0))


async def reading(database: PostgresDatabase, number: int) -> None:
    """One read in a transaction, as a page that a member looks at."""
    async with database.transaction() as tx:
        await tx.get(WALLETS, f"u{number % USERS}")


async def reading_plain(connection: psycopg.AsyncConnection[dict[str, Any]], number: int) -> None:
    async with connection.transaction():
        cursor = await connection.execute('select * from wallets where "user" = %s', [f"u{number % USERS}"])
        await cursor.fetchone()


async def timed(turns: Mapping[str, Turn], relay: Relay) -> Mapping[str, tuple[float, float]]:
    """Median milliseconds, and round trips, of one transaction of each kind; they take turns."""
    spans: dict[str, list[float]] = {name: [] for name in turns}
    trips: Counter[str] = Counter()
    for number in range(WARM_UP + TIMES):
        for name, turn in turns.items():
            before, began_s = relay.turns, time.perf_counter()
            await turn(number)
            if number >= WARM_UP:
                spans[name].append(time.perf_counter() - began_s)
                trips[name] += relay.turns - before
    return {name: (statistics.median(spans[name]) * 1000, trips[name] / TIMES) for name in turns}


async def measure(server: Server) -> None:
    for way in ("direct", "through a relay"):
        async with relay_to(server.port) as relay:
            url = server.url if way == "direct" else server.url.replace(f":{server.port}/", f":{relay.port}/")
            database = PostgresDatabase(url, schema=SCHEMA, name="bench", origin="bench")
            async with await psycopg.AsyncConnection.connect(
                url, row_factory=dict_row, autocommit=True, options=f"-c search_path={SCHEMA}"
            ) as connection:
                turns: dict[str, Turn] = {
                    "psycopg, 4 statements": partial(plain, connection),
                    "adapter, 4 statements": partial(ours, database),
                    "psycopg, 1 read": partial(reading_plain, connection),
                    "adapter, 1 read": partial(reading, database),
                }
                for name, (ms, trips) in (await timed(turns, relay)).items():
                    shown = f"{trips:6.2f} round trips" if trips else ""
                    print(f"{way:16} {name:24} {ms:7.3f} ms {shown}")
            with server.connect() as control:
                control.execute(f"truncate {SCHEMA}.memberships")  # a constant of ours
            database.close()


def main() -> None:
    with Ports() as ports:
        server = Server(Installation.find(), ports.free())
        try:
            server.create()
            server.start()
            with server.connect() as control:
                schema.create(control, SCHEMA, TABLES)
                rows = [WalletRow(user=f"u{n}", balance_fen=0, provisional_fen=0) for n in range(USERS)]
                schema.load(control, SCHEMA, WALLETS, rows)
            asyncio.run(measure(server))
        finally:
            server.close()


if __name__ == "__main__":
    main()
