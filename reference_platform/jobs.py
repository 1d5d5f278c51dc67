"""Durable background work: a row per job, done at least once after it is due.

Each node has one dispatcher. It looks at the next few jobs, leases those that are due by moving
their due time (compare and set, so two nodes never take the same one) and runs them beside each
other. Between looks it sleeps until the next job is due; a notification wakes it for an earlier one.
A job whose node died is due again when its lease is over.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from reference_platform.ports import (
    HOUR,
    MINUTE,
    SECOND,
    AtMost,
    ConnectionLost,
    DatabaseError,
    PortError,
    Transaction,
)
from reference_platform.tables import JOBS, JobRow
from reference_platform.wiring import Part, Shop

Handler = Callable[[str, int], Awaitable[int | None]]
"""`handler(ref, tries)` returns when to run again (epoch µs), or None when the job is done."""

LEASE_US: Final = 30 * SECOND
FALLBACK_US: Final = 10 * MINUTE
FALLBACK_MAX_US: Final = 8 * HOUR
RETRY_US: Final = SECOND
RETRY_MAX_US: Final = 30 * SECOND
FULL_US: Final = 100_000
STAGGER_US: Final = 150_000
EVER: Final = 1 << 62


class Jobs(Part):
    """The scheduler of one node."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self.handlers: dict[str, Handler] = {}
        self.busy = 0
        self.asleep_until_us = EVER  # anything due before this is worth a notification
        self.promised_us = EVER  # due times for which nobody was woken, as we were to look by then anyway
        digits = shop.node[len(shop.node.rstrip("0123456789")) :]
        self.stagger_us = STAGGER_US * (int(digits) - 1) if digits else 0

    def start(self) -> None:
        self.shop.ports.tasks.spawn(self.dispatch(), "jobs")

    # ------------------------------------------------------------ scheduling

    async def schedule(self, tx: Transaction, job: str, ref: str, due_us: int) -> None:
        """Have a job done at `due_us`, or earlier when it is already in the line."""
        row: JobRow = {"job_id": f"{job}:{ref}", "job": job, "ref": ref, "due_us": due_us, "tries": 0}
        if not await tx.insert(JOBS, row, on_conflict="nothing"):
            await tx.update(JOBS, row["job_id"], lambda old: {"due_us": min(old["due_us"], due_us)})
        self.expect(tx, due_us)

    async def begin(self, tx: Transaction, job: str, ref: str) -> None:
        """Have a job done right after this commit, by this node; the row is there in case it dies."""
        due_us = self.clock.now_us() + LEASE_US
        row: JobRow = {"job_id": f"{job}:{ref}", "job": job, "ref": ref, "due_us": due_us, "tries": 1}
        if await tx.insert(JOBS, row, on_conflict="nothing"):
            self.promised_us = min(self.promised_us, due_us)
            self.shop.transactions.after_commit(tx, lambda: self.launch(row))
        else:
            await self.schedule(tx, job, ref, self.clock.now_us())

    async def cancel(self, tx: Transaction, job: str, ref: str) -> None:
        """Forget a job."""
        await tx.delete_where(JOBS, {"job_id": f"{job}:{ref}"})

    def expect(self, tx: Transaction, due_us: int) -> None:
        """See to it that somebody looks when this is due."""
        if due_us < self.asleep_until_us:
            tx.notify("jobs")
        elif due_us < self.promised_us:
            self.promised_us = due_us

    # ------------------------------------------------------------ dispatching

    async def dispatch(self) -> None:
        """Look, sleep, look again; for as long as the node lives."""
        fallback_us = FALLBACK_US
        while True:
            try:
                wait_us = await self.look()
                if wait_us == EVER:  # nothing at all: the next look is only for notifications that got lost
                    wait_us = fallback_us
                    fallback_us = min(2 * fallback_us, FALLBACK_MAX_US)
                else:
                    fallback_us = FALLBACK_US
                if wait_us > 0:
                    await self.shop.ports.database.listen("jobs", wait_us + self.stagger_us)
            except ConnectionLost:
                await self.clock.sleep(RETRY_US // 10)
            except DatabaseError:
                await self.clock.sleep(RETRY_US)

    async def look(self) -> int:
        """Take what is due; the microseconds until the next look."""
        self.asleep_until_us = EVER
        room = self.shop.config.workers - self.busy
        if room <= 0:
            await self.clock.sleep(FULL_US)
            return 0
        promised_us, self.promised_us = self.promised_us, EVER
        taken, next_us = await self.shop.transactions.once(self.take, room)
        for row in taken:
            self.launch(row)
        next_us = min(next_us, promised_us)
        now = self.clock.now_us()
        self.asleep_until_us = next_us if next_us > now else EVER
        return EVER if next_us == EVER else max(0, next_us - now)

    async def take(self, tx: Transaction, room: int) -> tuple[list[JobRow], int]:
        """Lease up to `room` due jobs; when the next one is due."""
        now = self.clock.now_us()
        taken: list[JobRow] = []
        rows = await tx.select(JOBS, {"due_us": AtMost(EVER)}, order_by="due_us", limit=room + 1)
        for row in rows:
            due_us = row["due_us"]
            if due_us > now or len(taken) == room:
                return taken, due_us
            lease = {"due_us": now + LEASE_US, "tries": row["tries"] + 1}
            mine = await tx.update(JOBS, row["job_id"], lease, where={"due_us": due_us})
            if mine is not None:
                taken.append(mine)
        return taken, now + LEASE_US if rows else EVER

    # ------------------------------------------------------------ running

    def launch(self, row: JobRow) -> None:
        """Run a leased job in the background."""
        self.busy += 1
        self.shop.ports.tasks.spawn(self.perform(row), row["job_id"])

    async def perform(self, row: JobRow) -> None:
        """Run the handler, then forget the job or put it off."""
        try:
            again_us = await self.handlers[row["job"]](row["ref"], row["tries"])
            tries = 0
        except PortError:
            tries = row["tries"]
            again_us = self.clock.now_us() + min(RETRY_US << min(tries, 10), RETRY_MAX_US)
        while True:
            try:
                await self.shop.transactions.run(self.finish, row, again_us, tries)
                break
            except DatabaseError:  # until it is settled the job would only be done again
                await self.clock.sleep(RETRY_MAX_US)
        self.busy -= 1

    async def finish(self, tx: Transaction, row: JobRow, again_us: int | None, tries: int) -> None:
        """Settle a job, unless somebody asked for it anew while it ran."""
        if again_us is None:
            await tx.delete_where(JOBS, {"job_id": row["job_id"], "due_us": row["due_us"]})
        elif await tx.update(
            JOBS, row["job_id"], {"due_us": again_us, "tries": tries}, where={"due_us": row["due_us"]}
        ):
            self.expect(tx, again_us)


class NoJobs(Jobs):
    """Nothing is durable: there is no dispatcher."""

    def start(self) -> None:
        """There is nothing to dispatch."""
