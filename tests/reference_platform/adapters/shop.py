"""A database client of the shop, through a relay that can break its line, and what the server itself sees."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from chaos.live.postgres import Server
from reference_platform.adapters.connections import Limits
from reference_platform.adapters.postgres import PostgresDatabase
from reference_platform.adapters.waits import T
from reference_platform.adapters.wall import WallWaits
from reference_platform.tables import (
    WALLETS,
    WalletRow,
)
from tests.chaos.live.databases import SCHEMA, run
from tests.chaos.live.relay import Relay, relay_to

Body = Callable[[PostgresDatabase, Relay], Awaitable[None]]
PATIENT_US = 60_000_000  # what a busy machine may take
PATIENT = Limits(pool_size=2, pool_us=PATIENT_US, connect_us=PATIENT_US, answer_us=PATIENT_US)


class Patience(WallWaits):
    """The platform's. It is gone after a tenth of a second from the moment in which the test says so."""

    gone = False

    async def within(self, us: int, awaitable: Awaitable[T], *, daemon: bool = False) -> T:
        return await super().within(min(us, 100_000) if self.gone else us, awaitable, daemon=daemon)


async def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for a condition, while the loop goes on; fail when it does not come true."""
    deadline_s = time.monotonic() + 50
    while not holds():
        assert time.monotonic() < deadline_s, f"never: {what}"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def clients(server: Server, limits: Limits = PATIENT, **kwargs: Any) -> AsyncIterator[Any]:
    """A database client and the relay through which it reaches the server."""
    async with relay_to(server.port) as relay:
        url = server.url.replace(f":{server.port}/", f":{relay.port}/")
        database = PostgresDatabase(url, schema=SCHEMA, name="test", limits=limits, **kwargs)
        try:
            yield database, relay
        finally:
            database.close()


def with_client(server: Server, body: Body, limits: Limits = PATIENT, **kwargs: Any) -> None:
    async def main() -> None:
        async with clients(server, limits, **kwargs) as (database, relay):
            await body(database, relay)

    run(main())


def wallet(user: str, balance_fen: int = 0) -> WalletRow:
    return WalletRow(user=user, balance_fen=balance_fen, provisional_fen=0)


async def put(database: PostgresDatabase, user: str) -> None:
    async with database.transaction() as tx:
        await tx.insert(WALLETS, wallet(user))


async def users(database: PostgresDatabase) -> list[str]:
    async with database.transaction() as tx:
        return [row["user"] for row in await tx.select(WALLETS, {})]


def users_there(server: Server) -> list[str]:
    """As the server sees it, past every relay."""
    with server.connect() as connection:
        query = f'select "user" from {SCHEMA}.wallets order by 1'
        return [user for (user,) in connection.execute(query).fetchall()]


def sessions(server: Server) -> int:
    with server.connect() as connection:
        query = "select count(*) from pg_stat_activity where application_name = 'shop.test'"
        return int((connection.execute(query).fetchone() or (-1,))[0])
