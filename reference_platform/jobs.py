"""Durable background work: a row per job, done at least once after it is due.

A node does what it scheduled itself: it knows those due times by heart and looks into the table only
when one of them has come. It leases a job by moving its due time (compare and set, so two nodes never
take the same one). What others scheduled it sees while looking, and takes over when it is overdue.
A job whose node died is due again when its lease is over.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from heapq import heappop, heappush
from typing import Final

from reference_platform.answers import Refused
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
FALLBACK_US: Final = 30 * MINUTE
SOON_US: Final = 6 * MINUTE
ECHO_US: Final = 100_000
FALLBACK_MAX_US: Final = 8 * HOUR
RETRY_US: Final = SECOND
RETRY_MAX_US: Final = 30 * SECOND
GIVE_UP_AFTER: Final = 8
FULL_US: Final = 100_000
TICK_US: Final = 200_000
GRACE_US: Final = 20 * SECOND  # how long another node's job may be overdue
EVER: Final = 1 << 62


class Jobs(Part):
    """The scheduler of one node."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self.handlers: dict[str, Handler] = {}
        self.running: dict[str, None] = {}
        self.own: dict[str, int] = {}  # when the jobs that this node scheduled are due
        self.line: list[tuple[int, str]] = []  # the same as a heap; entries that `own` denies are void
        self.foreign_us = EVER  # when to look after the jobs of others
        self.alarm_us = EVER  # when this node wakes up next
        self.told_us = 0  # when this node last notified; what it hears right after is its own voice

    def start(self) -> None:
        self.shop.transactions.in_doubt.append(self.look_later)
        self.shop.ports.tasks.spawn(self.listen(), "jobs.listen")

    # ------------------------------------------------------------ scheduling

    async def schedule(self, tx: Transaction, job: str, ref: str, due_us: int) -> None:
        """Have a job done at `due_us`, or earlier when it is already in the line."""
        job_id = f"{job}:{ref}"
        row: JobRow = {"job_id": job_id, "job": job, "ref": ref, "due_us": due_us, "tries": 0}
        if not await tx.insert(JOBS, row, on_conflict="nothing"):
            await tx.update(JOBS, job_id, lambda old: {"due_us": min(old["due_us"], due_us)})
        now = self.clock.now_us()
        if due_us < now + SOON_US <= self.next_own_us():
            tx.notify("jobs")  # this node goes to work: let the others stand by
            self.told_us = now
        self.shop.transactions.after_commit(tx, lambda: self.remember(job_id, due_us))

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
        job_id = f"{job}:{ref}"
        self.own.pop(job_id, None)
        await tx.delete_where(JOBS, {"job_id": job_id})

    def remember(self, job_id: str, due_us: int) -> None:
        """This node has scheduled a job, and the transaction is committed."""
        if due_us < self.own.get(job_id, EVER):
            self.own[job_id] = due_us
            heappush(self.line, (due_us, job_id))
            self.set_alarm(due_us)

    def look_later(self) -> None:
        """A job may have been begun by a commit of which we had no answer: see when its lease is over."""
        self.foreign_us = min(self.foreign_us, self.clock.now_us() + LEASE_US)
        self.set_alarm(self.foreign_us)

    # ------------------------------------------------------------ looking

    def set_alarm(self, at_us: int) -> None:
        """Wake up soon after this. Jobs due at nearly the same time share one look."""
        at_us += -at_us % TICK_US
        if at_us < self.alarm_us:
            self.alarm_us = at_us
            self.shop.ports.tasks.spawn(self.ring(at_us), "jobs.alarm")

    async def ring(self, at_us: int) -> None:
        """Sleep until the alarm, and look if anything is still due; an earlier alarm may have done so."""
        await self.clock.sleep(at_us - self.clock.now_us())
        if self.alarm_us == at_us:
            self.alarm_us = EVER
            if min(self.next_own_us(), self.foreign_us) <= at_us:
                await self.look()
            else:
                self.set_alarm(min(self.next_own_us(), self.foreign_us))

    def next_own_us(self) -> int:
        """When the next of this node's own jobs is due."""
        line, own = self.line, self.own
        while line and own.get(line[0][1]) != line[0][0]:
            heappop(line)
        return line[0][0] if line else EVER

    async def listen(self) -> None:
        """Look at the start and when another node goes to work; now and then also without any news."""
        fallback_us = FALLBACK_US
        while True:
            if self.clock.now_us() > self.told_us + ECHO_US:
                await self.look()
            try:
                news = await self.shop.ports.database.listen("jobs", fallback_us)
            except DatabaseError:
                news = True
                await self.clock.sleep(RETRY_US)
            fallback_us = FALLBACK_US if news else min(2 * fallback_us, FALLBACK_MAX_US)

    async def look(self) -> None:
        """Take what is due, and set the alarm for what comes next."""
        room = self.shop.config.workers - len(self.running)
        self.forget_due()
        if room <= 0:
            self.foreign_us = self.clock.now_us() + FULL_US
        else:
            try:
                taken = await self.shop.transactions.run(self.take, room)
            except DatabaseError:
                taken = []
                self.foreign_us = self.clock.now_us() + RETRY_US
            for row in taken:
                self.launch(row)
        next_us = min(self.next_own_us(), self.foreign_us)
        if next_us < EVER:
            self.set_alarm(max(next_us, self.clock.now_us()))

    def forget_due(self) -> None:
        """Whatever is due now, the coming look takes care of; if it fails, the next one does."""
        now = self.clock.now_us()
        self.foreign_us = EVER
        while self.next_own_us() <= now:
            self.own.pop(heappop(self.line)[1])

    async def take(self, tx: Transaction, room: int) -> list[JobRow]:
        """Lease up to `room` due jobs, and see when the next job of another node should be over."""
        now = self.clock.now_us()
        taken: list[JobRow] = []
        for row in await tx.select(JOBS, {"due_us": AtMost(EVER)}, order_by="due_us", limit=room + 1):
            due_us, job_id = row["due_us"], row["job_id"]
            if job_id in self.running:
                continue
            if len(taken) == room:
                self.foreign_us = now
                break
            if due_us > now:
                self.foreign_us = due_us if job_id in self.own else due_us + GRACE_US
                break
            lease = {"due_us": now + LEASE_US, "tries": row["tries"] + 1}
            mine = await tx.update(JOBS, job_id, lease, where={"due_us": due_us})
            if mine is not None:
                taken.append(mine)
        return taken

    # ------------------------------------------------------------ running

    def launch(self, row: JobRow) -> None:
        """Run a leased job in the background."""
        self.running[row["job_id"]] = None
        self.shop.ports.tasks.spawn(self.perform(row), row["job_id"])

    async def perform(self, row: JobRow) -> None:
        """Run the handler, then forget the job or put it off."""
        tries = row["tries"]
        again_us: int | None = self.clock.now_us() + min(RETRY_US << min(tries, 10), RETRY_MAX_US)
        try:
            again_us = await self.handlers[row["job"]](row["ref"], tries)
            tries = 0
        except PortError:
            pass  # put off as computed above
        except Refused:  # what the job is about is gone, for instance with a failover; perhaps it comes back
            if tries >= GIVE_UP_AFTER:
                again_us = None
        while True:
            try:
                await self.shop.transactions.run(self.finish, row, again_us, tries)
                break
            except DatabaseError:  # until it is settled the job would only be done again
                await self.clock.sleep(RETRY_MAX_US)
        self.running.pop(row["job_id"], None)

    async def finish(self, tx: Transaction, row: JobRow, again_us: int | None, tries: int) -> None:
        """Settle a job, unless somebody asked for it anew while it ran."""
        if again_us is None:
            await tx.delete_where(JOBS, {"job_id": row["job_id"], "due_us": row["due_us"]})
            return
        again = {"due_us": again_us, "tries": tries}
        await tx.update(JOBS, row["job_id"], again, where={"due_us": row["due_us"]})
        self.shop.transactions.after_commit(tx, lambda: self.remember(row["job_id"], again_us))


class NoJobs(Jobs):
    """Nothing is durable: there is no dispatcher."""

    def start(self) -> None:
        """There is nothing to dispatch."""
