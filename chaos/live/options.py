"""What a user can choose of the live world, and whether it can be had."""

from __future__ import annotations

from dataclasses import dataclass

from chaos.live.database import DatabaseUnfit, GivenDatabase
from chaos.live.initdb import Installation, PostgresMissing
from chaos.live.store import address_of
from chaos.live.toxics import Toxiproxy, ToxiproxyError


class CannotRun(Exception):
    """Something that the live world was told to use, or needs, is not there. The message says what."""


@dataclass(frozen=True)
class Options:
    """`toxiproxy` and `database_url`: of servers to use instead of our own.

    `workers` are Locust processes; `budget_s` are real seconds that a run may take from its beginning.
    """

    toxiproxy: str | None = None
    database_url: str | None = None
    workers: int = 1
    budget_s: float = 300.0

    def check(self) -> None:
        """Look whether everything is there, before anything is started. Raises CannotRun."""
        try:
            if self.toxiproxy is not None:
                Toxiproxy(self.toxiproxy).version()
            if self.database_url is None:
                Installation.find()
            else:
                address_of(self.database_url)
                GivenDatabase(self.database_url, "dingfeng_probe").start()
        except (ToxiproxyError, DatabaseUnfit, PostgresMissing) as error:
            raise CannotRun(str(error)) from error
