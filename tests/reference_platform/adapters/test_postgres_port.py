"""The database port on a real server: what the contract suite cannot ask, for it has no network to break."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

import psycopg
import pytest

from chaos.live.postgres import Server
from reference_platform.adapters.postgres import PostgresDatabase
from reference_platform.adapters.waits import T
from reference_platform.adapters.wall import WallWaits
from reference_platform.ports import (
    AtMost,
    CommitUnknown,
    ConnectionLost,
    PoolExhausted,
)
from reference_platform.tables import (
    WALLETS,
)
from tests.chaos.live.databases import SCHEMA
from tests.chaos.live.relay import Relay
from tests.reference_platform.adapters.shop import (
    PATIENT,
    PATIENT_US,
    Patience,
    put,
    sessions,
    until,
    users,
    users_there,
    wallet,
    with_client,
)
from tests.undisturbed import undisturbed_in_loop

# ---------------------------------------------------------------- round trips


@pytest.mark.parametrize(
    ("what", "turns"),
    [
        ("nothing", 0),
        ("two reads", 2),
        ("a locked read", 2),
        ("two writes", 3),
        ("a write and three notes", 2),
    ],
)
def test_a_transaction_costs_a_round_trip_for_each_statement_and_one_to_commit(
    server: Server, what: str, turns: int
) -> None:
    """BEGIN travels with the first statement, notes and the origin with COMMIT; reading needs neither."""

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        await users(database)
        before = relay.turns
        async with database.transaction() as tx:
            if what == "two reads":
                await tx.get(WALLETS, "a")
                await tx.select(WALLETS, {"balance_fen": AtMost(3)}, order_by="balance_fen", limit=3)
            elif what == "a locked read":
                await tx.get(WALLETS, "a", lock="wait")
            elif what == "two writes":
                await tx.insert(WALLETS, wallet("a"))
                await tx.update(WALLETS, "a", {"balance_fen": 1})
            elif what != "nothing":
                await tx.insert(WALLETS, wallet("a"))
                for channel in ("one", "two", "two", "three"):
                    tx.notify(channel)
        assert relay.turns - before == turns

    with_client(server, body, origin="platform-1")


# ---------------------------------------------------------------- what is known of the effect


def test_a_commit_whose_answer_is_lost_is_unknown(server: Server) -> None:
    """The commit arrived and took effect; nobody heard. What is known of it is nothing."""

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        tx = database.transaction()
        await tx.insert(WALLETS, wallet("happened"))
        relay.hears_then_cuts = True
        with pytest.raises(CommitUnknown):
            await tx.commit()
        await tx.rollback()
        assert await users(database) == ["happened"], "and the next transaction has a connection that works"

    with_client(server, body)


def test_a_session_that_ends_before_commit_leaves_nothing(server: Server) -> None:
    """Known for certain, because the server hung up before the commit was sent."""

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        tx = database.transaction()
        await tx.insert(WALLETS, wallet("lost"))
        with server.connect() as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'shop.test'"
            )
        await until(lambda: relay.hung_up > 0, "the server's hanging up has arrived here")
        with pytest.raises(ConnectionLost):
            await tx.commit()
        assert await users(database) == []

    with_client(server, body)


def test_a_statement_on_a_dead_session_loses_the_transaction(server: Server) -> None:
    """ConnectionLost, and again for whatever is tried on it; rollback never raises."""

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        tx = database.transaction()
        await tx.insert(WALLETS, wallet("lost"))
        relay.cut()
        for attempt in (tx.get(WALLETS, "lost"), tx.insert(WALLETS, wallet("more")), tx.commit()):
            with pytest.raises(ConnectionLost):
                await attempt
        await tx.rollback()
        assert await users(database) == []

    with_client(server, body)


def test_a_silent_server_is_given_up_after_the_platforms_patience(server: Server) -> None:
    """A link that swallows everything gives no other sign: a statement is lost, a commit unknown."""

    waits, names = Patience(), count()

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        committed: list[str] = []

        async def given_up_s(committing: bool) -> float:
            name = f"{next(names):02}"
            tx = database.transaction()
            if committing:
                await tx.insert(WALLETS, wallet(name))
            relay.mute = waits.gone = True
            began_s = time.monotonic()
            with pytest.raises(CommitUnknown if committing else ConnectionLost):
                await (tx.commit() if committing else tx.insert(WALLETS, wallet(name)))
            took_s = time.monotonic() - began_s
            await tx.rollback()
            if committing:
                committed.append(name)  # all the same
                await until(lambda: users_there(server) == committed, "the commit has taken effect")
            relay.cut()
            relay.mute = waits.gone = False
            return took_s

        for committing in (False, True):
            # The driver by itself would wait for five seconds more.
            assert await undisturbed_in_loop(partial(given_up_s, committing), lambda s: s < 4) < 4
        assert await users(database) == committed != []

    with_client(server, body, waits=waits)


def test_a_server_that_is_down_refuses_at_once_and_is_found_again(server: Server) -> None:
    """Down is not an empty pool; and connections that died in the meantime are not handed out."""

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        await asyncio.gather(put(database, "a"), put(database, "b"))
        server.kill()
        with pytest.raises(ConnectionLost):
            await users(database)
        with pytest.raises(ConnectionLost):
            await database.listen("x", 1)
        server.start()
        assert await asyncio.gather(*(users(database) for _ in range(6))) == [["a", "b"]] * 6

    with_client(server, body)


def test_a_server_that_dies_while_it_lets_one_in_has_not_let_one_in(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver's connection may be dead on arrival: that is ConnectionLost too, and takes no place in the pool."""
    connect = psycopg.AsyncConnection.connect

    async def dead_on_arrival(*args: Any, **kwargs: Any) -> Any:
        connection = await connect(*args, **kwargs)
        connection.pgconn.finish()
        return connection

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        monkeypatch.setattr(psycopg.AsyncConnection, "connect", dead_on_arrival)
        for _ in range(PATIENT.pool_size + 1):
            with pytest.raises(ConnectionLost):
                await users(database)
        monkeypatch.undo()
        assert await users(database) == []

    with_client(server, body)


def test_an_error_of_the_line_is_a_lost_connection_whatever_the_driver_thinks_of_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dying server was seen to make the driver say "cannot exit pipeline mode while busy": nothing is known."""

    async def busy(*_: object) -> None:
        raise psycopg.OperationalError("cannot exit pipeline mode while busy")

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        tx = database.transaction()
        await tx.insert(WALLETS, wallet("who knows"))
        with monkeypatch.context() as patch:
            patch.setattr(psycopg.AsyncPipeline, "__aexit__", busy)
            with pytest.raises(CommitUnknown):
                await tx.commit()
        assert await users(database) in ([], ["who knows"])
        assert sessions(server) <= 2

    with_client(server, body, origin="platform-1")


# ---------------------------------------------------------------- the pool


def test_a_pool_gives_connections_in_turn_and_says_when_it_is_empty(server: Server) -> None:
    """First come, first served; who waits longer than its patience gets PoolExhausted, and no connection leaks."""

    waits = Patience()

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        holders = [database.transaction() for _ in range(2)]
        for number, holder in enumerate(holders):
            await holder.insert(WALLETS, wallet(f"held {number}"))
        waits.gone = True
        with pytest.raises(PoolExhausted):
            await users(database)
        waits.gone = False
        order: list[int] = []

        async def in_turn(number: int) -> None:
            await users(database)
            order.append(number)

        waiting = [asyncio.create_task(in_turn(number)) for number in range(3)]
        await asyncio.sleep(0.01)
        await holders[0].rollback()
        await asyncio.gather(*waiting)
        assert order == [0, 1, 2]
        await holders[1].rollback()
        assert await users(database) == []
        assert sessions(server) == 2

    with_client(server, body, waits=waits)


@pytest.mark.parametrize("moment", ["in a statement", "between statements", "while queueing"])
def test_a_cancelled_task_gives_its_connection_back(server: Server, moment: str) -> None:
    """Whoever is cancelled rolls back, without being asked to, and the pool is whole again."""

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        blocker = database.transaction()
        await blocker.insert(WALLETS, wallet("x"))
        holder = database.transaction()
        if moment == "while queueing":
            await holder.insert(WALLETS, wallet("y"))

        async def abandoned() -> None:
            tx = database.transaction()
            await tx.insert(WALLETS, wallet("z"))
            if moment == "in a statement":
                await tx.insert(WALLETS, wallet("x"))
            await asyncio.sleep(3600)

        task = asyncio.create_task(abandoned())
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        del task
        gc.collect()
        await blocker.rollback()
        await holder.rollback()
        await asyncio.gather(put(database, "x"), put(database, "y"), put(database, "z"))
        assert await users(database) == ["x", "y", "z"]

    with_client(server, body)


class TooLate(WallWaits):
    """Gives up in the very moment in which what was awaited comes."""

    late = False

    async def within(self, us: int, awaitable: Awaitable[T], *, daemon: bool = False) -> T:
        result = await super().within(us, awaitable, daemon=daemon)
        if self.late:
            raise TimeoutError
        return result


def test_what_comes_in_the_moment_of_giving_up_is_not_lost(server: Server) -> None:
    """A place in the pool goes back, and a notification counts as heard."""
    waits = TooLate()

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        assert not await database.listen("work", 1)
        holder = database.transaction()
        await holder.insert(WALLETS, wallet("x"))
        queueing = asyncio.create_task(users(database))
        listening = asyncio.create_task(database.listen("work", PATIENT_US))
        await asyncio.sleep(0.05)
        waits.late = True
        with server.connect() as connection:
            connection.execute(f'notify "{SCHEMA}.work"')
        await holder.rollback()
        with pytest.raises(PoolExhausted):
            await queueing
        assert await listening
        waits.late = False
        assert await users(database) == []

    with_client(server, body, replace(PATIENT, pool_size=1), waits=waits)


def test_closing_closes_everything(server: Server) -> None:
    """No connection is left on the server, the listening one included."""

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        await put(database, "a")
        await database.listen("x", 1)
        assert sessions(server) == 2
        database.close()
        await until(lambda: sessions(server) == 0, "every session is closed")
        with pytest.raises(ConnectionLost):
            await users(database)

    with_client(server, body)
