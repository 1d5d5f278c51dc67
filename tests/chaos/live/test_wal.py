"""State events read from the write-ahead log of a real server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from chaos.history import State
from chaos.live.postgres import Server
from chaos.live.wal import WriteAheadLog
from reference_platform.adapters import schema
from reference_platform.adapters.postgres import PostgresDatabase
from reference_platform.ports import Database
from reference_platform.tables import (
    CARDS,
    JOBS,
    MEMBERSHIPS,
    ORDER_LOG,
    OUTBOX,
    POSTINGS,
    PRODUCTS,
    TABLES,
    WALLETS,
    CardRow,
    JobRow,
    MembershipRow,
    OrderLogRow,
    OutboxRow,
    PostingRow,
    ProductRow,
    WalletRow,
)
from sim.database import DatabaseServer
from sim.kernel import Kernel
from tests.chaos.live.databases import SCHEMA, new_shop, run

# Too large to lie in its row, and nothing that could be compressed.
LARGE = "".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(200))
EVERY_CHARACTER = 'it\'s "quoted" \\ back\n\ttab é 定风 🌪 \x01 %s {} $1 --'


@pytest.fixture
def server() -> Iterator[Server]:
    with new_shop() as new:
        yield new


@pytest.fixture
def log(server: Server) -> Iterator[WriteAheadLog]:
    """The server's log, followed from now on."""
    write(server, "before")
    new = WriteAheadLog(server.connect, SCHEMA, TABLES)
    new.open()
    yield new
    new.disconnect()


def product(sku: str) -> ProductRow:
    return {
        "sku": sku,
        "kind": "topup",
        "unit_fen": 10_000,
        "member_fen": 9_000,
        "days": 0,
        "suppliers": ("first", EVERY_CHARACTER),
        "shown": -1,
        "disclosed_wait_us": 0,
    }


def card(card_id: str) -> CardRow:
    return {
        "card_id": card_id,
        "sku": "game",
        "secret": EVERY_CHARACTER,
        "status": "available",
        "order_id": "",
    }


async def script(database: Database) -> None:
    """Transactions of every kind: structured values, changes of changes, what comes and goes, what is undone."""
    async with database.transaction() as tx:
        await tx.insert(PRODUCTS, product("phone"))
        await tx.insert(CARDS, card("c1"))
        await tx.insert(CARDS, card("c2"))
        await tx.insert(WALLETS, WalletRow(user="u1", balance_fen=500, provisional_fen=0))
    async with database.transaction() as tx:
        lines = (("cash", 100), ("wallet:u1", -100))
        await tx.insert(
            POSTINGS, PostingRow(posting_id="p1", posting="buy", order_id="o1", lines=lines, at_us=7)
        )
        await tx.insert(JOBS, JobRow(job_id="j", job="j", ref="", due_us=1, tries=0))
        data = {"深": [1, None, True, {"a": "\x00"}], "big": LARGE}
        await tx.insert(
            OUTBOX,
            OutboxRow(
                event_id="e1", order_id="o1", user="u1", topic="paid", data=data, status="pending", at_us=7
            ),
        )
    async with database.transaction() as tx:
        await tx.update(WALLETS, "u1", lambda row: {"balance_fen": row["balance_fen"] - 100})
        await tx.update(WALLETS, "u1", lambda row: {"balance_fen": row["balance_fen"] - 100})
        await tx.update(OUTBOX, "e1", {"status": "sent"})  # its large value is not written again
        await tx.update(CARDS, "c1", {"status": "available"})
    async with database.transaction() as tx:
        await tx.insert(MEMBERSHIPS, MembershipRow(user="u9", until_us=1))
        await tx.delete_where(MEMBERSHIPS, {"user": "u9"})
        await tx.update(CARDS, "c2", {"status": "sold"})
        await tx.delete_where(CARDS, {"card_id": "c2"})
    async with database.transaction() as tx:
        await tx.delete_where(CARDS, {"card_id": "c1"})
        await tx.insert(CARDS, card("c1"))
    tx = database.transaction()
    await tx.insert(MEMBERSHIPS, MembershipRow(user="u8", until_us=1))
    await tx.rollback()
    async with database.transaction() as tx:
        await tx.insert(JOBS, JobRow(job_id="k", job="k", ref="", due_us=1, tries=0))


def in_simulation() -> list[tuple[Any, ...]]:
    states: list[tuple[Any, ...]] = []

    def on_commit(tx: int, node: str, changes: list[Any]) -> None:
        states.append((node, *((table.book, table.name, op, key, row) for table, op, key, row in changes)))

    kernel = Kernel()
    server = DatabaseServer(kernel, TABLES, on_commit=on_commit)
    task = kernel.spawn(script(server.connect("platform-1")), "script")
    kernel.run_until(10_000_000)
    assert task.done
    return states


def shown(transaction: Any) -> tuple[Any, ...]:
    states: list[State] = list(transaction.states(0, 0))
    return states[0].node, *((state.book, state.table, state.op, state.key, state.row) for state in states)


def test_the_log_tells_what_the_simulator_tells(server: Server, log: WriteAheadLog) -> None:
    """The same transactions give the same events in both worlds, all but their numbers and times."""
    database = PostgresDatabase(server.url, schema=SCHEMA, name="platform-1", origin="platform-1")

    async def play() -> None:
        try:
            await script(database)
        finally:
            database.close()

    run(play())
    assert [shown(transaction) for transaction in log.drain()] == in_simulation()
    log.close()
    with server.connect() as connection:
        left = connection.execute("select count(*) from pg_replication_slots").fetchone()
        assert left == (0,), "a slot left behind would keep the server's log for ever"


def write(server: Server, key: str) -> None:
    with server.connect() as connection:
        schema.load(connection, SCHEMA, MEMBERSHIPS, [MembershipRow(user=key, until_us=1)])


def users(log: WriteAheadLog) -> list[str]:
    return [str(change.key) for transaction in log.poll() for change in transaction.changes]


def test_nothing_is_missed_or_told_twice_over_crashes(server: Server, log: WriteAheadLog) -> None:
    """What was committed before a kill -9 is told after it, once, in the order of commits."""
    told = []
    for number in range(4):
        write(server, f"{number}a")
        if number % 2:
            told.extend(users(log))
        server.kill()
        assert users(log) == [], "the server is down"
        server.start()
        write(server, f"{number}b")
    server.kill()
    server.start()
    told.extend(str(change.key) for transaction in log.drain() for change in transaction.changes)
    assert told == ["0a", "0b", "1a", "1b", "2a", "2b", "3a", "3b"]
    assert log.drain() == []


def test_what_was_read_when_the_server_dies_is_told(
    server: Server, log: WriteAheadLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading the log and letting it go a kill -9 loses nothing, and nothing comes twice."""
    execute = psycopg.Connection.execute

    def dying(connection: Any, query: Any, *values: Any) -> Any:
        if "pg_replication_slot_advance(%s" in str(query):
            server.kill()
        return execute(connection, query, *values)

    write(server, "a")
    with monkeypatch.context() as patched:
        patched.setattr(psycopg.Connection, "execute", dying)
        assert users(log) == ["a"]
    server.start()
    write(server, "b")
    assert [str(change.key) for transaction in log.drain() for change in transaction.changes] == ["b"]


def test_times_never_go_back_and_nobody_is_nobody(server: Server, log: WriteAheadLog) -> None:
    """Commits carry the server's time in the order of the log; without an origin there is no node."""
    for key in "abc":
        write(server, key)
    told = log.drain()
    times = [transaction.commit_us for transaction in told]
    assert times == sorted(times)
    assert [transaction.node for transaction in told] == ["", "", ""]
    assert len({transaction.xid for transaction in told}) == 3


def test_tables_without_a_book_and_other_schemas_are_not_followed(server: Server, log: WriteAheadLog) -> None:
    """A table of the same name elsewhere is nobody's business, and a queue of jobs is in no history."""
    with server.connect() as connection:
        schema.create(connection, "elsewhere", TABLES)
    with server.connect() as connection:
        schema.load(connection, "elsewhere", MEMBERSHIPS, [MembershipRow(user="u", until_us=1)])
        schema.load(connection, SCHEMA, JOBS, [JobRow(job_id="j", job="j", ref="", due_us=1, tries=0)])
        row = OrderLogRow(
            log_id="l", order_id="o", from_status="", to_status="created", cause="", node="", at_us=0
        )
        schema.load(connection, SCHEMA, ORDER_LOG, [row])
    assert [state.table for transaction in log.drain() for state in transaction.states(0, 0)] == ["order_log"]
