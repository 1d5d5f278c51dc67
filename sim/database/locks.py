"""Who waits for whom: queues for row locks, waits for another transaction's end, deadlocks.

A held lock costs nothing here, it is the `holder` of the row's head version. Only waiting is
kept here. A lock is handed straight to the first in its queue, as nobody may overtake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reference_platform.ports import DeadlockDetected
from sim.database.store import Store, Version
from sim.kernel import Future, Kernel

if TYPE_CHECKING:
    from sim.database.transaction import SimTransaction

Place = tuple[str, Any]  # table name, primary key


class Locks:
    """The waiting half of a server's locks."""

    __slots__ = ("kernel", "stores", "deadlock_timeout_us", "queues")

    def __init__(self, kernel: Kernel, stores: dict[str, Store], deadlock_timeout_us: int) -> None:
        self.kernel = kernel
        self.stores = stores
        self.deadlock_timeout_us = deadlock_timeout_us
        self.queues: dict[Place, list[SimTransaction]] = {}

    async def wait_for_row(self, tx: SimTransaction, store: Store, key: Any) -> None:
        """Queue for a row held by another; on return the lock is held, or the row is gone."""
        place = (store.name, key)
        queue = self.queues.setdefault(place, [])
        queue.append(tx)
        store.rows[key].holder.contended = True
        tx.waits_for = place
        await self._wait(tx)

    async def wait_for_end(self, tx: SimTransaction, other: SimTransaction) -> None:
        """Wait until `other` has committed or rolled back (a unique value it holds is at stake)."""
        other.end_waiters.append(tx)
        tx.waits_for = other
        await self._wait(tx)

    async def _wait(self, tx: SimTransaction) -> None:
        tx.wakeup = wakeup = Future(self.kernel)
        if self._closes_cycle(tx):
            if self.deadlock_timeout_us == 0:
                self.forget(tx)
                raise DeadlockDetected("the wait would close a lock cycle")
            # PostgreSQL looks for a cycle only after a wait has lasted `deadlock_timeout`.
            self.kernel.call_at(self.kernel.now + self.deadlock_timeout_us, self._break_cycle, tx, wakeup)
        await wakeup

    def _break_cycle(self, tx: SimTransaction, wakeup: Future) -> None:
        if tx.wakeup is wakeup and self._closes_cycle(tx):
            self.forget(tx)
            wakeup.fail(DeadlockDetected("the wait closed a lock cycle"))

    def hand_over(self, store: Store, key: Any) -> None:
        """The row's lock was released: give it to the first in the queue.

        When the row is gone nothing is left to lock, and all who queued go on to see that.
        """
        queue = self.queues.get((store.name, key))
        if queue is None:
            return
        head = store.rows.get(key)
        if head is None or (type(head) is Version and head.row is None):
            del self.queues[(store.name, key)]
            for waiter in queue:
                self._release(waiter)
            return
        waiter = queue.pop(0)
        if queue:
            waiter.contended = True
        else:
            del self.queues[(store.name, key)]
        if type(head) is Version:
            head.holder = waiter
        else:
            store.rows[key] = Version(head, 0, None, waiter, ())
        waiter.touched.append((store, key))
        self._release(waiter)

    def announce_end(self, tx: SimTransaction) -> None:
        """Wake whoever waited for this transaction's end."""
        waiters, tx.end_waiters = tx.end_waiters, []
        for waiter in waiters:
            self._release(waiter)

    def forget(self, tx: SimTransaction) -> Future | None:
        """Take a waiter out of its queue; the future it waits on, if it waits."""
        waits_for, wakeup = tx.waits_for, tx.wakeup
        tx.waits_for = tx.wakeup = None
        if type(waits_for) is tuple:
            queue = self.queues[waits_for]
            queue.remove(tx)
            if not queue:
                del self.queues[waits_for]
        elif waits_for is not None:
            waits_for.end_waiters.remove(tx)
        return wakeup

    def _release(self, waiter: SimTransaction) -> None:
        wakeup = waiter.wakeup
        assert wakeup is not None
        waiter.waits_for = waiter.wakeup = None
        wakeup.set()

    def _closes_cycle(self, tx: SimTransaction) -> bool:
        """Everybody waits for one thing, so the wait-for graph is a path: follow it.

        Those ahead in a queue wait for the same holder, so they add no cycle of their own.
        """
        other = self._blocker(tx)
        seen = 0
        while other is not None and other is not tx and seen < 10_000:
            other = self._blocker(other)
            seen += 1  # a cycle that does not pass through tx is somebody else's to break
        return other is tx

    def _blocker(self, tx: SimTransaction) -> SimTransaction | None:
        waits_for = tx.waits_for
        blocker: SimTransaction | None = waits_for
        if type(waits_for) is tuple:
            blocker = self.stores[waits_for[0]].rows[waits_for[1]].holder
        return blocker
