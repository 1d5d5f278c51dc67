"""The database as one node incarnation sees it: a pool of connections and a way to the server.

It lives and dies with its node. A statement's way costs one sleep; everything that can go wrong
on the way (no free connection, a cut link, a server that is down) is kept off the hot path.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from reference_platform.ports import (
    CommitUnknown,
    ConnectionLost,
    DatabaseError,
    Isolation,
    PoolExhausted,
    TransactionAborted,
)
from sim.database.listening import Subscription
from sim.database.states import ACTIVE, COMMITTING, DONE, FAILED, LOST, NEW
from sim.database.transaction import SimTransaction
from sim.kernel import Future, NodeDead, TimedOut, sleep, wait_for

if TYPE_CHECKING:
    from sim.database.server import DatabaseServer

LinkDelay = Callable[[], "int | None"]  # extra microseconds there and back; None: the link is cut

IN_THE_WAY = -1
CUT = -2


class DatabaseClient:
    """Implements `reference_platform.ports.Database`."""

    def __init__(
        self,
        server: DatabaseServer,
        owner: str,
        link_delay: LinkDelay | None,
        replica_link_delay: LinkDelay | None,
    ) -> None:
        self.server = server
        self.owner = owner
        self.alive = True
        self.drops = 0  # how often all its sessions were killed
        self.free = server.pool_size
        self.link_delay = link_delay
        self.replica_link_delay = replica_link_delay
        self.sessions: dict[SimTransaction, None] = {}
        self.pool_queue: deque[tuple[SimTransaction, Future]] = deque()
        self.subscriptions: dict[str, Subscription] = {}

    def transaction(
        self, isolation: Isolation = Isolation.READ_COMMITTED, *, replica: bool = False
    ) -> SimTransaction:
        if replica and isolation is Isolation.SERIALIZABLE:
            raise ValueError("a replica cannot serve serializable transactions")
        latest = isolation is Isolation.READ_COMMITTED and not replica
        return SimTransaction(self, self.server, isolation, replica, latest)

    async def listen(self, channel: str, timeout_us: int) -> bool:
        """True at a notification since the last call on this channel; the first call subscribes."""
        if not self.alive:
            raise NodeDead(self.owner)
        subscription = self.subscriptions.get(channel)
        if subscription is None:
            if not self.server.up:
                await sleep(self.server.config.connect_timeout_us)
                raise ConnectionLost("cannot connect")
            subscription = self.subscriptions[channel] = Subscription()
        if subscription.pending:
            subscription.pending = False
            return True
        wakeup = Future(self.server.kernel)
        subscription.waiters.append(wakeup)
        try:
            # A daemon's wait: a node that only listens has no work pending.
            await wait_for(wakeup, timeout_us, daemon=True)
            return True
        except TimedOut:
            pass
        finally:
            subscription.forget(wakeup)
        if subscription.cut:
            self.subscriptions.pop(channel, None)
            raise ConnectionLost("the listening connection is dead")
        return False

    def notified(self, channel: str) -> None:
        """The server sends a notification; over a cut link it and the connection are lost."""
        subscription = self.subscriptions.get(channel)
        if subscription is not None:
            if self.link_delay is not None and self.link_delay() is None:
                subscription.cut = True
            else:
                subscription.notify()

    # ------------------------------------------------------------ the way to the server

    def depart(self, tx: SimTransaction) -> int:
        """Send a statement: its way takes this many microseconds, or a negative obstacle."""
        if tx.state != ACTIVE:
            if tx.state != NEW or self.free <= 0 or not self.alive or self.server.hindered:
                return IN_THE_WAY
            self.free -= 1
            self.sessions[tx] = None
            tx.state = ACTIVE
        elif self.server.hindered:
            return IN_THE_WAY
        link_delay = self.replica_link_delay if tx.replica else self.link_delay
        if link_delay is None:
            return self.server.statement_us
        extra_us = link_delay()
        return CUT if extra_us is None else self.server.statement_us + extra_us

    async def struggle(self, tx: SimTransaction, obstacle: int) -> None:
        """A statement's way past an obstacle; raises when there is none."""
        server = self.server
        if tx.state not in (NEW, ACTIVE) or not self.alive:
            raise self.refusal(tx)
        if tx.state == NEW:
            if not server.up:
                if server.outage is not None:
                    server.outage.touched += 1
                await sleep(server.config.connect_timeout_us)
                tx.state = LOST
                raise ConnectionLost("cannot connect")
            if self.free > 0:
                self.free -= 1
                self.sessions[tx] = None
                tx.state = ACTIVE
            else:
                if server.short_of_connections is not None:
                    server.short_of_connections.touched += 1
                await self._queue_for_connection(tx)
        us = server.statement_us
        if server.slowed is not None:
            server.slowed.touched += 1
        if obstacle != CUT:
            link_delay = self.replica_link_delay if tx.replica else self.link_delay
            extra_us = 0 if link_delay is None else link_delay()
            if extra_us is None:
                obstacle = CUT
            else:
                us += extra_us
        if obstacle == CUT:
            # The server keeps the session, with its locks, until the keepalive gives up.
            await sleep(server.config.keepalive_us)
            server.kill(tx, None)
            raise ConnectionLost("the link to the database is cut")
        await sleep(us)

    async def _queue_for_connection(self, tx: SimTransaction) -> None:
        turn = Future(self.server.kernel)
        entry = (tx, turn)
        self.pool_queue.append(entry)
        try:
            await wait_for(turn, self.server.config.pool_timeout_us)
        except TimedOut:
            raise PoolExhausted(f"no connection for {self.owner}") from None
        finally:
            if tx.state == NEW:  # timed out or cancelled
                tx.state = DONE
                if entry in self.pool_queue:
                    self.pool_queue.remove(entry)
        if not self.server.up:
            self.server.kill(tx, None)
            raise ConnectionLost("the server went down")

    def release(self, tx: SimTransaction) -> None:
        """A transaction gives its connection back: the first in the queue gets it."""
        del self.sessions[tx]
        self.free += 1
        if self.pool_queue:
            self.lend()

    def lend(self) -> None:
        """Free connections go to the transactions that queue for one."""
        while self.pool_queue and self.free > 0:
            waiter, turn = self.pool_queue.popleft()
            if turn.done:
                continue  # its time is up in this very microsecond
            self.free -= 1
            self.sessions[waiter] = None
            waiter.state = ACTIVE
            turn.set()

    async def commit(self, tx: SimTransaction) -> None:
        """Send the commit and wait for its acknowledgement, which may get lost either way.

        It takes effect halfway: whatever kills node, session or server afterwards kills the answer only.
        """
        server = self.server
        us = server.commit_us
        cut = False
        if self.link_delay is not None:
            extra_us = self.link_delay()
            cut = extra_us is None
            us += extra_us or 0
        if server.slow_disk is not None:
            server.slow_disk.touched += 1
        if server.slowed is not None:
            server.slowed.touched += 1
            us += server.statement_us - server.config.statement_us
        if cut:
            await sleep(server.config.keepalive_us)
            server.kill(tx, None)
            raise CommitUnknown("the link to the database is cut")
        tx.state = COMMITTING
        drops = self.drops
        await sleep(us // 2)
        if tx.state != COMMITTING:
            raise CommitUnknown("the session was lost during commit")
        fault = server.ack_fault
        lost = fault is not None and fault.bites(tx)
        if lost and fault is not None and fault.outcome == "not_applied":
            server.roll_back(tx)
        else:
            server.apply(tx)
        await sleep(us - us // 2)
        if lost or self.drops != drops:
            raise CommitUnknown("the acknowledgement of the commit was lost")
        if self.link_delay is not None and self.link_delay() is None:
            await sleep(server.config.keepalive_us)
            raise CommitUnknown("the link was cut before the acknowledgement came back")

    # ------------------------------------------------------------ endings

    def give_up(self, tx: SimTransaction) -> None:
        """Roll back from the client's side."""
        if tx.state == COMMITTING:
            self.server.kill(tx, None)
        else:
            self.server.roll_back(tx)

    def refusal(self, tx: SimTransaction) -> DatabaseError | NodeDead:
        """Why a statement cannot run in this transaction."""
        if not self.alive:
            return NodeDead(self.owner)
        if tx.state == LOST:
            return ConnectionLost("the session is gone")
        if tx.state == FAILED:
            return TransactionAborted("an earlier statement failed: roll back")
        return TransactionAborted("the transaction has ended")

    def drop(self, error: DatabaseError | None) -> int:
        """Kill every session; how many there were, listening ones included."""
        self.drops += 1
        open_sessions = list(self.sessions)
        for tx in open_sessions:
            self.server.kill(tx, error)
        killed = len(open_sessions) + len(self.subscriptions)
        for subscription in self.subscriptions.values():
            subscription.lose(error)
        self.subscriptions.clear()
        return killed

    def abandon(self) -> int:
        """The node is gone, so nobody is told; queued requests for a connection vanish."""
        self.alive = False
        self.pool_queue.clear()
        return self.drop(None)
