"""What a user can choose of the live world, and whether it can be had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chaos.live.database import DatabaseUnfit, GivenDatabase
from chaos.live.initdb import Installation, PostgresMissing
from chaos.live.store import address_of
from chaos.live.toxics import Toxiproxy, ToxiproxyError

SECRETS: Final = ("password", "sslpassword")


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


def discreet(words: Sequence[str], database_url: str | None) -> list[str]:
    """A command line without the database's password, since it is kept and shown with the results.

    As it stands then it needs the password from elsewhere, such as PGPASSWORD.
    """
    given = conninfo_to_dict(database_url or "")
    if database_url is None or not any(given.get(secret) for secret in SECRETS):
        return list(words)
    shown = make_conninfo("", **{name: value for name, value in given.items() if name not in SECRETS})
    return [word.replace(database_url, shown) for word in words]
