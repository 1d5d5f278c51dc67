"""The replica as a point in the primary's history that trails behind it.

The replica has no copy of its own: what it shows is an old snapshot of the primary, so commits of
the last `lag_us` are kept in a log, and the row versions before them are kept with it.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

from sim.database.store import LATEST, Row, Store
from sim.kernel import Kernel

Logged = tuple[Store, Any, Row | None]  # a row as it was before a commit


class Commit(NamedTuple):
    """One commit the replica has not replayed yet."""

    seq: int
    at_us: int
    before: list[Logged]


class Replica:
    """What the replica has replayed, and what it has still to replay."""

    __slots__ = ("kernel", "lag_us", "log", "replayed")

    def __init__(self, kernel: Kernel, lag_us: int) -> None:
        self.kernel = kernel
        self.lag_us = lag_us
        self.log: deque[Commit] = deque()
        self.replayed = 0

    def record(self, seq: int, before: list[Logged]) -> None:
        """The primary committed."""
        self.log.append(Commit(seq, self.kernel.now, before))

    def replay(self) -> bool:
        """Catch up to `lag_us` ago; True when that freed old versions."""
        due_us = self.kernel.now - self.lag_us
        log = self.log
        moved = False
        while log and log[0].at_us <= due_us:
            self.replayed = log.popleft().seq
            moved = True
        return moved

    def horizon(self) -> int:
        """The commit whose snapshot the replica shows: versions it sees must be kept."""
        return self.replayed if self.log else LATEST
