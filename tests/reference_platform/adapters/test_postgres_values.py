"""What a real server makes of values: all that goes in comes out, or is refused without effect."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.live.postgres import Server
from reference_platform.adapters.postgres import PostgresDatabase
from reference_platform.ports import (
    DatabaseError,
    OneOf,
    TransactionAborted,
)
from reference_platform.tables import (
    COMPENSATIONS,
    WALLETS,
    CompensationRow,
)
from tests.chaos.live.databases import SCHEMA
from tests.chaos.live.relay import Relay
from tests.reference_platform.adapters.shop import (
    put,
    sessions,
    users,
    wallet,
    with_client,
)

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
