"""Durable background work: a row per job, done at least once after it is due.

Each node looks for itself. It reads the next few jobs, leases those that are due by moving
their due time (compare and set, so two nodes never take the same one) and runs them beside each
other. Between looks it sleeps until the next job is due; a job of its own or a notification from
another node moves that forward.
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
        self.alarm_us = EVER  # when this node looks next
        digits = shop.node[len(shop.node.rstrip("0123456789")) :]
        self.stagger_us = STAGGER_US * (int(digits) - 1) if digits else 0

    def start(self) -> None:
        self.shop.ports.tasks.spawn(self.listen(), "jobs.listen")

    # ------------------------------------------------------------ scheduling

    async def schedule(self, tx: Transaction, job: str, ref: str, due_us: int) -> None:
        """Have a job done at `due_us`, or earlier when it is already in the line."""
        row: JobRow = {"job_id": f"{job}:{ref}", "job": job, "ref": ref, "due_us": due_us, "tries": 0}
        if not await tx.insert(JOBS, row, on_conflict="nothing"):
            await tx.update(JOBS, row["job_id"], lambda old: {"due_us": min(old["due_us"], due_us)})
        self.expect(tx, due_us)

    async def begin(self, tx: Transaction, job: str, ref: str) -> None:
        """Have a job done right after this commit, by this node; the row is there in case it dies."""
        now = self.clock.now_us()
        row: JobRow = {"job_id": f"{job}:{ref}", "job": job, "ref": ref, "due_us": now + LEASE_US, "tries": 1}
        if await tx.insert(JOBS, row, on_conflict="nothing"):
            self.shop.transactions.after_commit(tx, lambda: self.launch(row))
        else:
            await self.schedule(tx, job, ref, now)

    async def cancel(self, tx: Transaction, job: str, ref: str) -> None:
        """Forget a job."""
        await tx.delete_where(JOBS, {"job_id": f"{job}:{ref}"})

    def expect(self, tx: Transaction, due_us: int) -> None:
        """Once this is committed, look when it is due; if that is news, the other nodes hear of it as well."""
        if due_us < self.alarm_us:
            tx.notify("jobs")
            self.shop.transactions.after_commit(tx, lambda: self.set_alarm(due_us))

    # ------------------------------------------------------------ looking

    def set_alarm(self, at_us: int) -> None:
        """Look no later than this."""
        if at_us < self.alarm_us:
            self.alarm_us = at_us
            self.shop.ports.tasks.spawn(self.ring(at_us), "jobs.alarm")

    async def ring(self, at_us: int) -> None:
        """Sleep until the alarm, and look; unless an earlier alarm has taken this one's place."""
        await self.clock.sleep(at_us - self.clock.now_us() + self.stagger_us)
        if self.alarm_us == at_us:
            self.alarm_us = EVER
            await self.look()

    async def listen(self) -> None:
        """Look at the start and whenever another node has news; now and then also without any."""
        fallback_us = FALLBACK_US
        while True:
            await self.look()
            try:
                news = await self.shop.ports.database.listen("jobs", fallback_us)
            except DatabaseError:
                news = True
                await self.clock.sleep(RETRY_US)
            fallback_us = FALLBACK_US if news else min(2 * fallback_us, FALLBACK_MAX_US)

    async def look(self) -> None:
        """Take what is due, and set the alarm for what comes next."""
        room = self.shop.config.workers - self.busy
        if room <= 0:
            self.set_alarm(self.clock.now_us() + FULL_US)
            return
        try:
            taken, next_us = await self.shop.transactions.once(self.take, room)
        except DatabaseError:
            self.set_alarm(self.clock.now_us() + RETRY_US)
            return
        for row in taken:
            self.launch(row)
        if next_us < EVER:
            self.set_alarm(max(next_us, self.clock.now_us() + 1))

    async def take(self, tx: Transaction, room: int) -> tuple[list[JobRow], int]:
        """Lease up to `room` due jobs; when the next one is due."""
        now = self.clock.now_us()
        taken: list[JobRow] = []
        for row in await tx.select(JOBS, {"due_us": AtMost(EVER)}, order_by="due_us", limit=room + 1):
            due_us = row["due_us"]
            if due_us > now or len(taken) == room:
                return taken, due_us
            lease = {"due_us": now + LEASE_US, "tries": row["tries"] + 1}
            mine = await tx.update(JOBS, row["job_id"], lease, where={"due_us": due_us})
            if mine is not None:
                taken.append(mine)
        return taken, EVER

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
