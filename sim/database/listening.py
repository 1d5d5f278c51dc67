"""Waiting for notifications (LISTEN / NOTIFY)."""

from __future__ import annotations

from reference_platform.ports import DatabaseError
from sim.kernel import Future


class Subscription:
    """One client's LISTEN on one channel; a notification between two waits is not lost."""

    __slots__ = ("pending", "cut", "waiters")

    def __init__(self) -> None:
        self.pending = False
        self.cut = False
        self.waiters: list[Future] = []

    def notify(self) -> None:
        """Wake all who wait, or leave a note for the next who does."""
        waiters, self.waiters = self.waiters, []
        self.pending = True
        for wakeup in waiters:
            if not wakeup.done:  # one whose time is up in this very microsecond does not hear it
                self.pending = False
                wakeup.set()

    def forget(self, wakeup: Future) -> None:
        """A wait is over."""
        if wakeup in self.waiters:
            self.waiters.remove(wakeup)

    def lose(self, error: DatabaseError | None) -> None:
        """The connection died; with None nobody is left to be told."""
        waiters, self.waiters = self.waiters, []
        if error is not None:
            for wakeup in waiters:
                wakeup.fail(error)
