"""How fast the real parts are while nobody asks anything of them: measured before the storm, on the same wires.

Medians of many questions, one after the other, through the proxies. What the simulator calls one way is half
of there and back; what it calls service is what a real answer takes beyond one that needs no work.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import psycopg
from psycopg.sql import SQL, Identifier

from chaos.live.asking import ask
from chaos.live.layout import USERS
from chaos.live.wire import Passes, Sent
from chaos.live.world import LiveWorld
from reference_platform.ports import Response
from scenarios.speeds import Speeds

QUESTIONS = 40


def speeds(world: LiveWorld) -> Speeds:
    """The speeds of a world that is ready and has not begun. Raises ProbeFailed.

    A shop that pays by wallet and buys nothing has no counterparties: theirs is what the scenario says.
    """
    layout = world.layout
    node = world.opening.node_names()[0]
    statement_us, commit_us = _database(world, node)
    sku = world.opening.scenario.workload.products[0].sku
    passes = {"Authorization": Passes(layout.keys.tokens).of("reader")}
    idle_us = _asked(layout.front(), "/health", {})
    busy_us = _asked(layout.front(), f"/products/{sku}", passes)

    def wire_us(callee: str) -> int:
        return _asked(f"127.0.0.1:{layout.links.port(node, callee)}", "/health", {}) // 2

    return Speeds(
        statement=statement_us,
        commit=commit_us,
        service=max(0, busy_us - idle_us - statement_us),
        users=idle_us // 2,
        counterparty=wire_us(layout.parties[0])
        if layout.parties
        else world.opening.scenario.speeds.counterparty,
        notice=wire_us(USERS),
    )


class ProbeFailed(Exception):
    """A part did not answer as it should have; the message says which."""


def _asked(address: str, path: str, headers: dict[str, str]) -> int:
    def once() -> None:
        answer = ask(address, Sent("GET", path, {}), headers, timeout_s=10.0)
        if not isinstance(answer, Response) or answer.status != 200:
            raise ProbeFailed(f"GET {path} at {address}: {answer}")

    return _median_us(once)


def _database(world: LiveWorld, node: str) -> tuple[int, int]:
    """A statement, and the commit of one small row, over the node's own way to the database; µs."""
    url, _ = world.store.urls(lambda callee: world.layout.links.port(node, callee))
    table = Identifier(world.store.database.schema, "probe")
    with psycopg.connect(url, autocommit=True) as connection:
        statement_us = _median_us(lambda: connection.execute("select 1"))
        connection.execute(SQL("create table {} (said text)").format(table))
        insert = SQL("insert into {} values ('a row of the usual size, more or less')").format(table)
        connection.autocommit = False
        commit_us = _median_us(connection.commit, lambda: connection.execute(insert))
        connection.execute(SQL("drop table {}").format(table))
        connection.commit()
    return statement_us, commit_us


def _median_us(question: Callable[[], object], before: Callable[[], object] = lambda: None) -> int:
    took_us = []
    for _ in range(QUESTIONS):
        before()
        began_ns = time.perf_counter_ns()
        question()
        took_us.append((time.perf_counter_ns() - began_ns) / 1000)
    return round(median(took_us))
