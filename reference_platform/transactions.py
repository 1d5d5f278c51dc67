"""Runs units of work in transactions, again when the database asks for it.

A unit of work looks before it acts (unique rows, locked status), so running it a second time after
an unknown commit is how we find out whether the first one happened.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from reference_platform.ports import (
    CommitUnknown,
    DeadlockDetected,
    SerializationFailure,
    Transaction,
)
from reference_platform.wiring import Part, Shop

T = TypeVar("T")
Work = Callable[..., Awaitable[T]]

AGAIN: Final = (SerializationFailure, DeadlockDetected, CommitUnknown)


class Transactions(Part):
    """Bounded retries with growing pauses; what waits for the commit starts only after it."""

    back_off_us: tuple[int, ...] = (3_000, 12_000, 50_000, 200_000)

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self.database = shop.ports.database
        self._after: dict[Transaction, list[Callable[[], object]]] = {}
        # What would have started after a commit of which we had no answer: these go and look for it later.
        self.in_doubt: list[Callable[[], object]] = []

    async def run(self, work: Work[T], *args: Any) -> T:
        """The result of `work(tx, *args)` once it is committed."""
        tries = 0
        while True:
            tx = self.database.transaction()
            try:
                result = await work(tx, *args)
                await tx.commit()
            except Exception as error:
                self._after.pop(tx, None)
                await tx.rollback()
                if isinstance(error, CommitUnknown):
                    for look_later in self.in_doubt:
                        look_later()
                if not isinstance(error, AGAIN) or tries == len(self.back_off_us):
                    raise
                await self.clock.sleep(self.back_off_us[tries])
                tries += 1
            else:
                if self._after:
                    for start in self._after.pop(tx, ()):
                        start()
                return result

    def after_commit(self, tx: Transaction, start: Callable[[], object]) -> None:
        """Call `start` when this transaction has committed; never otherwise."""
        self._after.setdefault(tx, []).append(start)


class OneTry(Transactions):
    """No retries: whatever goes wrong is the caller's problem."""

    back_off_us = ()
