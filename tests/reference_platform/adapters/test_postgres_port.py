"""The database port on a real server: what the contract suite cannot ask, for it has no network to break."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

import psycopg
import pytest

from chaos.live.postgres import HOST, Server
from reference_platform.adapters.connections import Limits
from reference_platform.adapters.postgres import PostgresDatabase
from reference_platform.adapters.waits import T
from reference_platform.adapters.wall import WallWaits
from reference_platform.ports import (
    AtMost,
    CommitUnknown,
    ConnectionLost,
    DatabaseError,
    Isolation,
    OneOf,
    PoolExhausted,
    ReadOnly,
    TransactionAborted,
    UniqueViolation,
)
from reference_platform.tables import (
    COMPENSATIONS,
    MEMBERSHIPS,
    WALLETS,
    CompensationRow,
    MembershipRow,
    WalletRow,
)
from tests.chaos.live.databases import SCHEMA, new_shop, run
from tests.chaos.live.relay import Relay, relay_to
from tests.undisturbed import undisturbed_in_loop

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


@pytest.fixture(scope="module")
def shared() -> Iterator[Server]:
    with new_shop() as server:
        yield server


@pytest.fixture
def server(shared: Server) -> Server:
    """The module's server, up, with empty tables and without the sessions of the test before."""
    shared.start()
    deadline_s = time.monotonic() + 60
    while sessions(shared):
        assert time.monotonic() < deadline_s, "sessions of the test before are still there"
        time.sleep(0.01)
    with shared.connect() as connection:
        connection.execute(f"truncate {SCHEMA}.wallets, {SCHEMA}.memberships, {SCHEMA}.compensations")
    return shared


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


# ---------------------------------------------------------------- values

NASTY = [
    "'; drop table wallets; --",
    '"wallets"',
    "\\'; select pg_sleep(10); --",
    "$1 %s %(x)s {} {0} %% %",
    "\x01\x7f\n\r\t\x1b",
    "é 定风 \U0001f32a \ufeff \u202e",
    "NULL",
    "{1,2}",
    "",
    " ",
    "x" * 100_000,
]


def test_no_string_is_more_than_a_string(server: Server) -> None:
    """In keys, values, predicates, lists and JSON: what goes in comes out, and nothing else happens."""

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        for text in NASTY:
            key = text[:1000]
            async with database.transaction() as tx:
                assert await tx.insert(WALLETS, wallet(key))
                assert not await tx.insert(WALLETS, wallet(key), on_conflict="nothing")
                row = CompensationRow(
                    cmp_id=key, rule=text, order_id="", incident=key, user=text, action="", amount_fen=2**62,
                    status="", refund_no="", evidence={text: [text, {"\x00": "\x00"}, None, -1]}, at_us=-1,
                )  # fmt: skip
                if len(text) < 1000:  # longer ones do not fit into an index
                    await tx.insert(COMPENSATIONS, row)
            async with database.transaction() as tx:
                assert await tx.select(WALLETS, {"user": OneOf((key, "'"))}) == [wallet(key)]
                assert await tx.update(WALLETS, key, {"balance_fen": 1}, where={"user": key}) == wallet(
                    key, 1
                )
                if len(text) < 1000:
                    assert await tx.get(COMPENSATIONS, key) == row
                assert await tx.delete_where(WALLETS, {"user": key}) == 1
        assert await users(database) == []

    with_client(server, body)


@pytest.mark.parametrize("value", ["\x00", "a\x00b", "\ud800", 2**63, -(2**63) - 1])
def test_what_the_server_cannot_hold_is_refused_without_effect(server: Server, value: Any) -> None:
    """A text with a zero byte or half a character, a number of 64 bits and more: DatabaseError, and rolled back."""

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        tx = database.transaction()
        await tx.insert(WALLETS, wallet("before"))
        column = "user" if isinstance(value, str) else "balance_fen"
        with pytest.raises(DatabaseError):
            await tx.insert(WALLETS, {**wallet("bad"), column: value})  # type: ignore[misc]
        with pytest.raises(TransactionAborted):
            await tx.commit()
        assert await users(database) == []
        assert sessions(server) == 1, "the connection is as good as before"

    with_client(server, body)


def test_texts_sort_by_code_point_whatever_the_database_thinks(server: Server) -> None:
    """The order of keys is the simulator's on a server of any locale: each column says so itself."""
    with server.connect() as connection:
        query = "select distinct collation_name from information_schema.columns where table_schema = %s"
        found = connection.execute(f"{query} and data_type = 'text'", [SCHEMA]).fetchall()
        assert found == [("C",)]


def test_a_column_that_is_not_declared_is_a_bug_of_the_caller(server: Server) -> None:
    """Names come from declarations alone, so one that does not is never sent."""

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        async with database.transaction() as tx:
            for attempt in (
                tx.select(WALLETS, {'user" or true --': 1}),
                tx.select(WALLETS, {}, order_by="1; drop table wallets"),
                tx.update(WALLETS, "a", {'balance_fen" = 7 --': 1}),
                tx.insert(WALLETS, {"user) --": 1}),  # type: ignore[misc]
            ):
                with pytest.raises(KeyError):
                    await attempt

    with_client(server, body)


def test_the_primary_key_cannot_be_changed(server: Server) -> None:
    """As in the simulator; and no changes at all are a change that leaves the row as it is."""

    async def body(database: PostgresDatabase, relay: Relay) -> None:
        await put(database, "a")
        async with database.transaction() as tx:
            with pytest.raises(ValueError, match="primary key of wallets"):
                await tx.update(WALLETS, "a", {"user": "b"})
            assert await tx.update(WALLETS, "a", {}) == wallet("a")

    with_client(server, body)


# ---------------------------------------------------------------- replica, isolation, listening


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
