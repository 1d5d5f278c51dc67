"""The database server: sessions, snapshots, and the instant at which a commit takes effect.

Commits are numbered. A snapshot is the number of the last commit it sees, so a commit is atomic
by construction; versions that no open snapshot and no replica still needs are forgotten at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Literal

from reference_platform.ports import DatabaseError, Isolation, SerializationFailure, Table
from sim.database.access import abort
from sim.database.client import DatabaseClient, LinkDelay
from sim.database.config import DatabaseConfig
from sim.database.evidence import AckFault, Evidence
from sim.database.faults import DatabaseFaults
from sim.database.locks import Locks
from sim.database.replica import Logged, Replica
from sim.database.serializable import ConflictGraph
from sim.database.states import ACTIVE, COMMITTING, DONE, FAILED, LOST, NEW
from sim.database.store import LATEST, PENDING, Row, Store, Version
from sim.database.transaction import SimTransaction
from sim.kernel import Kernel

Op = Literal["insert", "update", "delete", "revert"]
Change = tuple[Table[Any], Op, Any, Row | None]
OnCommit = Callable[[int, str, list[Change]], None]
OnRevert = Callable[[int, list[Change]], None]


class Stores(dict[str, Store]):
    """The tables by name. A store is made when somebody first asks for it: small storms touch few tables."""

    def __init__(self, tables: Iterable[Table[Any]]) -> None:
        super().__init__()
        self._tables = {table.name: table for table in tables}

    def __missing__(self, name: str) -> Store:
        store = self[name] = Store(self._tables[name])
        return store


class DatabaseServer:
    """One primary with its replica.

    `on_commit(tx_id, owner, changes)` is called at the instant a commit becomes durable and
    visible, for tables with a book: one change a row, in the order of the first writes; a deletion
    carries the deleted row. `on_revert(tx_id, changes)` is called when a failover loses a commit,
    newest first, with the rows as they are again (None: it does not exist).
    """

    def __init__(
        self,
        kernel: Kernel,
        tables: Iterable[Table[Any]],
        config: DatabaseConfig | None = None,
        *,
        on_commit: OnCommit | None = None,
        on_revert: OnRevert | None = None,
    ) -> None:
        self.kernel = kernel
        self.config = config = config or DatabaseConfig()
        self.stores = Stores(tables)
        self.on_commit = on_commit
        self.on_revert = on_revert
        self.seq = 0
        self.snapshots: dict[SimTransaction, int] = {}
        self.unsettled: deque[tuple[int, Store, Any]] = deque()
        self.locks = Locks(kernel, self.stores, config.deadlock_timeout_us)
        self.graph = ConflictGraph()
        self.replica = Replica(kernel, config.replica_lag_us)
        self.clients: list[DatabaseClient] = []
        self.statement_us = config.statement_us
        self.commit_us = config.commit_us
        self.faults = DatabaseFaults(self)
        # Faults in force, see sim/database/faults.py.
        self.up = True
        self.hindered = False  # down or slowed: statements take the long way round
        self.slowed: Evidence | None = None
        self.outage: Evidence | None = None
        self.slow_disk: Evidence | None = None
        self.disk_full: Evidence | None = None
        self.ack_fault: AckFault | None = None
        self.pool_size = config.pool_size
        self.short_of_connections: Evidence | None = None
        self.lagging: Evidence | None = None

    def connect(
        self, owner: str, link_delay: LinkDelay | None = None, replica_link_delay: LinkDelay | None = None
    ) -> DatabaseClient:
        """The database as one node incarnation sees it, with a pool of its own."""
        client = DatabaseClient(self, owner, link_delay, replica_link_delay)
        self.clients.append(client)
        return client

    def abandon(self, owner: str) -> int:
        """The owner died. Its open transactions roll back; a commit that had arrived still counts.

        Nothing it does afterwards has an effect. Returns how many transactions were open.
        """
        touched = 0
        for client in [client for client in self.clients if client.owner == owner]:
            touched += client.abandon()
            self.clients.remove(client)
        return touched

    def load(self, table: Table[Any], rows: Iterable[Row]) -> None:
        """Put rows into an empty table before the run. It costs no time and is in no history."""
        store = self.stores[table.name]
        for row in rows:
            key = row[table.key]
            store.rows[key] = row
            store.add_entries(key, None, row, store.indexes)

    # ------------------------------------------------------------ snapshots

    def open_snapshot(self, tx: SimTransaction) -> int:
        """The snapshot of a statement that does not simply see the latest."""
        if tx.isolation is Isolation.READ_COMMITTED and not tx.replica:
            return LATEST
        if tx.replica:
            if self.replica.replay():
                self.settle()
            if self.lagging is not None and self.replica.log:
                self.lagging.touched += 1
            if tx.isolation is Isolation.READ_COMMITTED:
                return self.replica.horizon()
        if tx.snapshot == LATEST:
            tx.snapshot = min(self.replica.horizon(), self.seq) if tx.replica else self.seq
            self.snapshots[tx] = tx.snapshot
            if tx.isolation is Isolation.SERIALIZABLE:
                tx.node = self.graph.begin(tx.snapshot)
        if tx.node is not None:
            try:
                self.graph.check(tx.node)
            except SerializationFailure as error:
                raise abort(tx, error) from None
        return tx.snapshot

    def hold_snapshot(self, tx: SimTransaction, seq: int) -> None:
        """Keep the versions a waiting statement of READ COMMITTED sees."""
        if tx.latest:
            self.snapshots[tx] = seq

    def close_snapshot(self, tx: SimTransaction) -> None:
        if self.snapshots.pop(tx, None) is not None:
            self.settle()

    def horizon(self) -> int:
        """The oldest commit number that a snapshot may still be opened or read at."""
        horizon = self.replica.horizon()
        return min(horizon, *self.snapshots.values()) if self.snapshots else horizon

    def settle(self) -> None:
        """Forget the versions that just went out of everybody's sight."""
        unsettled = self.unsettled
        if unsettled:
            horizon = self.horizon()
            while unsettled and unsettled[0][0] <= horizon:
                _, store, key = unsettled.popleft()
                store.settle(key, horizon)

    # ------------------------------------------------------------ ends of transactions

    def apply(self, tx: SimTransaction) -> None:
        """The commit takes effect, now. Raises SerializationFailure, having rolled back."""
        if tx.node is not None:
            self._check_serializable(tx)
        self.seq = seq = self.seq + 1
        if tx.node is not None:
            self.graph.committed(tx.node, seq)
        if self.snapshots:
            self.snapshots.pop(tx, None)
        changes = self._install(tx, seq)
        if changes and self.on_commit is not None:
            self.on_commit(seq, tx.client.owner, changes)
        self._end(tx)
        for channel in tx.channels:
            for client in self.clients:
                client.notified(channel)

    def _install(self, tx: SimTransaction, seq: int) -> list[Change]:
        """Make the pending versions visible, forget those they replace; the changes for the books."""
        log: list[Logged] | None = [] if self.replica.lag_us else None
        keep = log is not None or bool(self.snapshots) or bool(self.unsettled)
        changes: list[Change] = []
        for store, key in tx.touched:
            head: Version = store.rows[key]
            head.holder = None
            if head.seq != PENDING:  # locked only
                store.settle(key, self.horizon())
                continue
            prev: Any = head.prev
            before: Row | None = prev.row if type(prev) is Version else prev
            row = head.row
            head.seq = seq
            if store.booked and row is not before:
                op: Op = "delete" if row is None else "insert" if before is None else "update"
                changes.append((store.table, op, key, before if row is None else row))
            if keep:
                self.unsettled.append((seq, store, key))
                if log is not None:
                    log.append((store, key, before))
            elif row is not None and (prev is None or type(prev) is dict):
                if head.moved and prev is not None:
                    store.replace(key, prev, row, head.moved)
                else:
                    store.rows[key] = row
            else:
                store.settle(key, LATEST)
        if keep:
            if log is not None:
                self.replica.record(seq, log)
                self.replica.replay()
            self.settle()
        return changes

    def _check_serializable(self, tx: SimTransaction) -> None:
        assert tx.node is not None
        try:
            self.graph.before_commit(tx.node)
        except SerializationFailure:
            self.roll_back(tx)
            raise

    def finish_reading(self, tx: SimTransaction) -> None:
        """Commit of a transaction that wrote nothing."""
        if tx.node is not None:
            self._check_serializable(tx)
            self.graph.committed(tx.node, self.seq)
        self._release(tx)
        self._end(tx)

    def roll_back(self, tx: SimTransaction) -> None:
        """End it without a trace; nothing happens when it has ended already."""
        if tx.waits_for is not None:
            self.locks.forget(tx)
        if tx.state in (ACTIVE, COMMITTING):
            self._undo(tx)
            self._end(tx)
        elif tx.state == FAILED:
            tx.client.release(tx)
            tx.state = DONE
        elif tx.state == NEW:
            tx.state = DONE

    def fail(self, tx: SimTransaction) -> None:
        """A statement failed: undo everything; the client still holds its connection."""
        if tx.state == ACTIVE:
            self._undo(tx)
            tx.state = FAILED
            self._release_waiters(tx)

    def kill(self, tx: SimTransaction, error: DatabaseError | None) -> None:
        """Its session is gone. A waiting statement gets `error`; with None nobody is told."""
        wakeup = self.locks.forget(tx)
        self.roll_back(tx)
        tx.state = LOST
        if wakeup is not None and error is not None:
            wakeup.fail(error)

    def _undo(self, tx: SimTransaction) -> None:
        if tx.node is not None:
            self.graph.aborted(tx.node)
            tx.node = None
        if self.snapshots:
            self.snapshots.pop(tx, None)
        horizon = self.horizon()
        for store, key in reversed(tx.touched):
            head: Version = store.rows[key]
            head.holder = None
            if head.seq == PENDING:
                store.undo(key, head, horizon)
            else:
                store.settle(key, horizon)
        self.settle()

    def _release(self, tx: SimTransaction) -> None:
        """Locks without writes leave no version behind."""
        if self.snapshots.pop(tx, None) is not None:
            self.settle()
        if tx.touched:
            horizon = self.horizon()
            for store, key in tx.touched:
                store.rows[key].holder = None
                store.settle(key, horizon)

    def _end(self, tx: SimTransaction) -> None:
        tx.client.release(tx)
        tx.state = DONE
        self._release_waiters(tx)

    def _release_waiters(self, tx: SimTransaction) -> None:
        if tx.contended:
            for store, key in tx.touched:
                self.locks.hand_over(store, key)
        tx.touched = []
        if tx.end_waiters:
            self.locks.announce_end(tx)
