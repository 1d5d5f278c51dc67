"""Runs units of work in transactions, again when the database asks for it.

A unit of work looks before it acts (unique rows, locked status), so running it a second time after
an unknown commit is how we find out whether the first one happened.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from reference_platform.ports import (
    CommitUnknown,
    DatabaseError,
    DeadlockDetected,
    SerializationFailure,
    Transaction,
)
from reference_platform.wiring import Part, Shop

T = TypeVar("T")
Work = Callable[..., Awaitable[T]]

BACK_OFF_US: Final = (3_000, 12_000, 50_000, 200_000)


class Transactions(Part):
    """Bounded retries with growing pauses; what waits for the commit starts only after it."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self.database = shop.ports.database
        self._after: dict[Transaction, list[Callable[[], object]]] = {}

    async def run(self, work: Work[T], *args: Any) -> T:
        """The result of `work(tx, *args)` once it is committed."""
        for pause_us in BACK_OFF_US:
            try:
                return await self.once(work, *args)
            except (SerializationFailure, DeadlockDetected, CommitUnknown):
                await self.clock.sleep(pause_us)
        return await self.once(work, *args)

    async def once(self, work: Work[T], *args: Any) -> T:
        """One try."""
        tx = self.database.transaction()
        try:
            async with tx:
                result = await work(tx, *args)
        except DatabaseError:
            self._after.pop(tx, None)
            raise
        if self._after:
            for start in self._after.pop(tx, ()):
                start()
        return result

    def after_commit(self, tx: Transaction, start: Callable[[], object]) -> None:
        """Call `start` when this transaction has committed; never otherwise."""
        self._after.setdefault(tx, []).append(start)


class OneTry(Transactions):
    """No retries: whatever goes wrong is the caller's problem."""

    async def run(self, work: Work[T], *args: Any) -> T:
        return await self.once(work, *args)
