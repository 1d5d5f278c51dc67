"""The database of a run as the nemesis sees it: sessions cut off, the server crashed and brought back.

Also where everything that the platform commits is read, in the order of commits, from the server's own log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo

from chaos.history import State
from chaos.live.background import Background
from chaos.live.postgres import HOST, OURS, Server
from chaos.live.wal import Transaction, WriteAheadLog
from chaos.opening import Opening
from reference_platform.adapters import schema
from reference_platform.tables import TABLES

SCHEMA: Final = "dingfeng"


class EmbeddedStore:
    """Implements `chaos.live.faults.Store` on a server of our own. `to_run_us` maps the server's time."""

    def __init__(self, server: Server, background: Background, to_run_us: Callable[[int], int]) -> None:
        self.server = server
        self.log = WriteAheadLog(server.connect, SCHEMA, TABLES)
        self._background = background
        self._to_run_us = to_run_us
        self._transactions = 0

    def prepare(self, opening: Opening) -> None:
        """The tables, what is in them at the beginning, and from then on every commit is followed."""
        with self.server.connect() as connection:
            schema.create(connection, SCHEMA, TABLES)
            for table, rows in opening.rows():
                schema.load(connection, SCHEMA, table, rows)
        self.log.open()

    def url(self, port: int) -> str:
        """How the platform reaches the database through the proxy at `port`."""
        return make_conninfo(self.server.url, host=HOST, port=port)

    def commits(self) -> list[State]:
        """What was committed since the last call; nothing while the server is down."""
        return self._states(self.log.poll())

    def rest(self) -> list[State]:
        """All that is left. Raises psycopg.OperationalError while the server is down."""
        return self._states(self.log.drain())

    # ------------------------------------------------------------ faults

    def drop_sessions(self) -> int:
        with self.server.connect() as connection:
            row = connection.execute(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity"
                " where backend_type = 'client backend' and application_name <> %s",
                [OURS],
            ).fetchone()
        return int(row[0]) if row else 0

    def crash(self) -> int:
        return self.server.immediate_stop()

    def revive(self) -> None:
        self._background.do(self.server.start)

    def lag(self, lag_us: int) -> None:
        """There is no replica that could lag, so this touches nothing."""
        raise NotImplementedError(lag_us)

    def unwell(self) -> list[str]:
        try:
            with self.server.connect() as connection:
                connection.execute("select 1")
        except psycopg.OperationalError as error:
            return [f"the database does not serve: {error}"]
        return []

    def _states(self, transactions: list[Transaction]) -> list[State]:
        found: list[Any] = []
        for transaction in transactions:
            self._transactions += 1
            found.extend(transaction.states(self._to_run_us(transaction.commit_us), self._transactions))
        return found
