"""A PostgreSQL server for the tests of a module."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from chaos.live.postgres import Server
from tests.chaos.live.databases import SCHEMA, new_shop
from tests.reference_platform.adapters.shop import sessions


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
