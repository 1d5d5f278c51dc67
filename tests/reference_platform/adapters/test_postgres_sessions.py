"""The database port on a real server: replica, isolation, and who listens."""

from __future__ import annotations

import asyncio

import pytest

from chaos.live.postgres import HOST, Server
from reference_platform.adapters.postgres import PostgresDatabase
from reference_platform.ports import (
    ConnectionLost,
    Isolation,
    ReadOnly,
    TransactionAborted,
    UniqueViolation,
)
from reference_platform.tables import (
    MEMBERSHIPS,
    WALLETS,
    MembershipRow,
)
from tests.chaos.live.relay import Relay
from tests.reference_platform.adapters.shop import (
    PATIENT,
    PATIENT_US,
    put,
    sessions,
    users,
    wallet,
    with_client,
)


def test_reads_of_the_replica_cannot_write(server: Server) -> None:
    """ReadOnly for every write and lock, on a real replica and where there is none; no serializable there."""

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        await put(database, "a")
        async with database.transaction(replica=True) as tx:
            assert await tx.get(WALLETS, "a") == wallet("a")
        tx = database.transaction(replica=True)
        with pytest.raises(ReadOnly):
            await tx.insert(WALLETS, wallet("b"))
        await tx.rollback()
        tx = database.transaction(Isolation.REPEATABLE_READ, replica=True)
        with pytest.raises(ReadOnly):
            await tx.get(WALLETS, "a", lock="wait")
        await tx.rollback()
        with pytest.raises(ValueError, match="serializable"):
            database.transaction(Isolation.SERIALIZABLE, replica=True)

    with_client(server, body)


def test_a_replica_has_connections_of_its_own(server: Server) -> None:
    """Reads go where they are sent: with the replica out of reach, the primary still serves."""

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        await put(database, "a")
        with pytest.raises(ConnectionLost):
            await database.transaction(replica=True).get(WALLETS, "a")
        assert await users(database) == ["a"]

    with_client(server, body, replica_url=f"postgresql://postgres@{HOST}:1/postgres")


def test_an_error_ends_the_transaction_and_not_the_connection(server: Server) -> None:
    """After a duplicate the session is rolled back and used again."""

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        await put(database, "a")
        for _ in range(5):
            with pytest.raises(UniqueViolation):
                await put(database, "a")
        tx = database.transaction()
        await tx.commit()
        with pytest.raises(TransactionAborted):
            await tx.get(WALLETS, "a")
        assert sessions(server) == 1

    with_client(server, body)


def test_a_lost_listener_is_told_once_and_subscribes_again(server: Server) -> None:
    """Nothing is kept for a session that is gone, so whoever listens must look for itself."""

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        assert not await database.listen("a", 1)
        assert not await database.listen("b", 1)
        waiting = asyncio.create_task(database.listen("a", PATIENT_US))
        await asyncio.sleep(0.05)
        relay.cut()
        with pytest.raises(ConnectionLost):
            await waiting
        with pytest.raises(ConnectionLost):
            await database.listen("b", 1)
        assert not await database.listen("a", 1)
        async with database.transaction() as tx:
            tx.notify("a")
        assert await database.listen("a", PATIENT_US)
        assert not await database.listen("b", 1)

    with_client(server, body)


def test_every_listener_of_a_channel_hears_and_no_other(server: Server) -> None:
    """All who wait are woken; other channels, and the same one in another schema, are not."""

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        stranger = PostgresDatabase(server.url, schema="elsewhere", name="x", limits=PATIENT)
        assert not await stranger.listen("work", 1)
        for channel in ("other", "work"):
            assert not await database.listen(channel, 1)
        waiting = [asyncio.create_task(database.listen("work", PATIENT_US)) for _ in range(3)]
        await asyncio.sleep(0.05)
        async with database.transaction() as tx:
            await tx.insert(MEMBERSHIPS, MembershipRow(user="m", until_us=0))
            tx.notify("work")
        assert await asyncio.gather(*waiting) == [True] * 3
        assert not await database.listen("other", 1)
        assert not await stranger.listen("work", 50_000)
        stranger.close()

    with_client(server, body)
