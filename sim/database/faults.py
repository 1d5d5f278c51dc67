"""What can be done to a database server: the verbs of the nemesis. When, is not decided here.

Every verb returns evidence of what it touched; a lasting fault's evidence goes on counting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_platform.ports import ConnectionLost
from sim.database.evidence import AckFault, AckOutcome, CommitChoice, Evidence

if TYPE_CHECKING:
    from sim.database.server import Change, DatabaseServer


class DatabaseFaults:
    """Faults of one server. Lasting faults end by the same verb with its neutral argument."""

    __slots__ = ("server",)

    def __init__(self, server: DatabaseServer) -> None:
        self.server = server

    def set_latency(self, extra_us: int) -> Evidence:
        """Every statement and commit takes `extra_us` longer; 0 ends it."""
        evidence = Evidence("set_latency")
        self.server.statement_us = self.server.config.statement_us + extra_us
        self.server.slowed = evidence if extra_us else None
        self._hinder()
        return evidence

    def slow_disk(self, factor: int) -> Evidence:
        """Commits take `factor` times as long; 1 ends it."""
        evidence = Evidence("slow_disk")
        self.server.commit_us = self.server.config.commit_us * factor
        self.server.slow_disk = evidence if factor != 1 else None
        return evidence

    def disk_full(self, full: bool) -> Evidence:
        """Writes raise DiskFull while it lasts."""
        evidence = Evidence("disk_full")
        self.server.disk_full = evidence if full else None
        return evidence

    def lose_commit_acks(
        self, outcome: AckOutcome, *, count: int | None = None, choice: CommitChoice | None = None
    ) -> Evidence:
        """The next `count` commits, or those `choice(owner, tables, first_row)` picks, end in CommitUnknown.

        `outcome` says whether they took effect. Without both arguments every commit is hit.
        """
        fault = AckFault(outcome, count, choice)
        self.server.ack_fault = fault
        return fault.evidence

    def keep_commit_acks(self) -> None:
        """End `lose_commit_acks`."""
        self.server.ack_fault = None

    def drop_connections(self, owner: str | None = None) -> Evidence:
        """Kill the sessions of one client or of all: what they had open rolls back."""
        touched = 0
        for client in list(self.server.clients):
            if owner is None or client.owner == owner:
                touched += client.drop(ConnectionLost("the connection was reset"))
        return Evidence("drop_connections", touched)

    def shrink_pool(self, size: int) -> Evidence:
        """Every pool, later ones too, has `size` connections; those lent out beyond it are not lent again.

        Touched are the transactions that find none free. The pool's own size ends it.
        """
        evidence = Evidence("shrink_pool")
        server = self.server
        server.pool_size = size
        server.short_of_connections = evidence if size != server.config.pool_size else None
        for client in server.clients:
            client.free = size - len(client.sessions)
            client.lend()
        return evidence

    def crash(self) -> Evidence:
        """The server dies; the committed is safe. Touched are the sessions killed and the connections refused."""
        self.server.up = False
        self._hinder()
        self.server.outage = evidence = self.drop_connections()
        evidence.fault = "crash"
        return evidence

    def restart(self) -> Evidence:
        """The server is back."""
        self.server.up = True
        self._hinder()
        return Evidence("restart", 1)

    def set_replica_lag(self, lag_us: int) -> Evidence:
        """The replica trails by this much from now on; its usual lag ends it.

        Touched are the reads that found it behind.
        """
        evidence = Evidence("set_replica_lag")
        replica = self.server.replica
        replica.lag_us = lag_us
        replica.replay()
        self.server.settle()
        self.server.lagging = evidence if lag_us != self.server.config.replica_lag_us else None
        return evidence

    def failover(self, *, lose_tail: bool) -> Evidence:
        """The replica is promoted. All sessions die; async replication may lose its tail.

        Touched are the sessions killed and the commits lost.
        """
        server = self.server
        evidence = self.drop_connections()
        evidence.fault = "failover"
        replica = server.replica
        replica.replay()
        lost = list(replica.log) if lose_tail and server.config.replication == "async" else []
        replica.log.clear()
        server.settle()
        for logged in reversed(lost):
            changes: list[Change] = []
            for store, key, before in reversed(logged.before):
                store.restore(key, before)
                if store.booked:
                    changes.append((store.table, "revert", key, before))
            if changes and server.on_revert is not None:
                server.on_revert(logged.seq, changes)
        evidence.touched += len(lost)
        server.up = True
        self._hinder()
        return evidence

    def _hinder(self) -> None:
        self.server.hindered = not self.server.up or self.server.slowed is not None
