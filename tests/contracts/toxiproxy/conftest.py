"""Every contract test runs against both servers; each is started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.toxiproxy.servers import SEED, Server, running


@pytest.fixture(scope="session")
def embedded_server() -> Iterator[Server]:
    with running("embedded", "--seed", str(SEED)) as server:
        yield server


@pytest.fixture(scope="session")
def upstream_server() -> Iterator[Server]:
    with running("upstream") as server:
        yield server


@pytest.fixture
def embedded(embedded_server: Server) -> Iterator[Server]:
    """Our own server, without proxies."""
    embedded_server.clear()
    yield embedded_server
    embedded_server.clear()


@pytest.fixture
def upstream(upstream_server: Server) -> Iterator[Server]:
    """The server that ours answers like, without proxies."""
    upstream_server.clear()
    yield upstream_server
    upstream_server.clear()


@pytest.fixture(params=["embedded", "upstream"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found
