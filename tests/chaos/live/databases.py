"""Embedded servers for tests: `new_server()` starts one, and nothing of it is left afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from chaos.live.initdb import Installation, PostgresMissing
from chaos.live.ports import Ports
from chaos.live.postgres import Server
from reference_platform.adapters import schema
from reference_platform.tables import TABLES

T = TypeVar("T")

SCHEMA = "shop"


@contextmanager
def new_server(**settings: Any) -> Iterator[Server]:
    """A running server without tables. The test is skipped where there is no embedded PostgreSQL."""
    try:
        installation = Installation.find()
    except PostgresMissing as error:
        pytest.skip(str(error))
    with Ports() as ports:
        server = Server(installation, ports.free(), settings=settings)
        try:
            server.create()
            server.start()
            yield server
        finally:
            server.close()


@contextmanager
def new_shop() -> Iterator[Server]:
    """A running server with the platform's tables in `SCHEMA`."""
    with new_server() as server:
        with server.connect() as connection:
            schema.create(connection, SCHEMA, TABLES)
        yield server


def run(main: Coroutine[Any, Any, T], within_s: float = 60.0) -> T:
    """Run on a loop of its own; TimeoutError after so many real seconds."""

    async def bounded() -> T:
        async with asyncio.timeout(within_s):
            return await main

    return asyncio.run(bounded())
