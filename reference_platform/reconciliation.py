"""Three-way reconciliation: what the channel's bill says, what our orders say, what was delivered.

While anything is open, and for a while after, a job compares one stretch of each channel's bill with
the charges and refunds on our side. A difference is repaired by the functions that would have
prevented it: a capture that nobody told us of is applied, a stray one refunded, a refund booked.
The job's reference is where its stretch begins, so a failed run misses nothing.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from reference_platform.payments import Capture, captured
from reference_platform.ports import MINUTE, BillLine, DatabaseError, OneOf, Transaction
from reference_platform.tables import CHARGES, JOBS, REFUNDS
from reference_platform.wiring import Part, Shop

EVERY_US: Final = 10 * MINUTE
QUIET_US: Final = (20 * MINUTE, 25 * MINUTE)  # between the last looks, when nothing is open
SETTLING_US: Final = MINUTE  # younger lines may still be on their way to us
BATCH: Final = 200


class Reconciliation(Part):
    """None: only callbacks and queries tell us anything."""

    async def keep(self, tx: Transaction) -> None:
        """An order was placed: bills are to be compared."""


class BillReconciliation(Reconciliation):
    """Compares bills with our books."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self.kept_until_us = 0  # until then this node knows of a job in the line

    def start(self) -> None:
        self.shop.jobs.handlers["reconcile"] = self.reconcile
        self.shop.ports.tasks.spawn(self.begin(), "reconciliation.begin")

    async def begin(self) -> None:
        """Money can come without any order, so bills are read from the first start on."""
        with suppress(DatabaseError):  # the first order will try again
            await self.shop.transactions.run(self.keep)

    async def keep(self, tx: Transaction) -> None:
        now = self.clock.now_us()
        if now < self.kept_until_us:
            return
        known = await tx.select(JOBS, {"job": "reconcile"}, limit=1)
        if not known:
            await self.shop.jobs.schedule(tx, "reconcile", f"{now}:0", now + EVERY_US)
        kept_until_us = known[0]["due_us"] if known else now + EVERY_US
        self.shop.transactions.after_commit(tx, lambda: self.remember(kept_until_us))

    def remember(self, until_us: int) -> None:
        self.kept_until_us = until_us

    async def reconcile(self, ref: str, tries: int) -> int | None:  # noqa: ARG002 - a handler's signature
        """Compare one stretch of the bills; the next stretch is a new job."""
        since, _, quiet = ref.partition(":")
        until_us = self.clock.now_us() - SETTLING_US
        for name, channel in self.shop.channels.items():
            lines = await channel.bill(int(since), until_us)
            for first in range(0, len(lines), BATCH):
                await self.compare(name, lines[first : first + BATCH])
        await self.shop.transactions.run(self.go_on, until_us, int(quiet))
        return None

    async def compare(self, channel: str, lines: list[BillLine]) -> None:
        """Repair every line that our books do not have."""
        captures = {line.charge_no: line for line in lines if line.kind == "capture"}
        refunds = {line.ref: line for line in lines if line.kind == "refund"}
        if captures:
            booked = await self.shop.transactions.run(self.booked_charges, tuple(captures))
            for charge_no in captures:
                if charge_no not in booked:
                    await self.missed_capture(channel, charge_no)
        if refunds:
            open_ones = await self.shop.transactions.run(self.open_refunds, tuple(refunds))
            for refund_no in open_ones:
                await self.shop.transactions.run(self.shop.refunds.done, refund_no)

    async def booked_charges(self, tx: Transaction, charge_nos: tuple[str, ...]) -> list[str]:
        rows = await tx.select(CHARGES, {"charge_no": OneOf(charge_nos), "status": "paid"})
        return [row["charge_no"] for row in rows]

    async def open_refunds(self, tx: Transaction, refund_nos: tuple[str, ...]) -> list[str]:
        rows = await tx.select(REFUNDS, {"refund_no": OneOf(refund_nos)})
        return [row["refund_no"] for row in rows if row["status"] != "done"]

    async def missed_capture(self, channel: str, charge_no: str) -> None:
        """Nobody told us of this money: ask for the details and apply it like any other capture."""
        state = await self.shop.channels[channel].query(charge_no)
        capture: Capture | None = captured(channel, charge_no, state)
        if capture is not None:
            await self.shop.transactions.run(self.shop.payments.apply, capture)

    async def go_on(self, tx: Transaction, since_us: int, quiet: int) -> None:
        """The next stretch: soon while anything is open, a few times more after that, then no more."""
        jobs = await tx.select(JOBS, {}, limit=3)
        if any(row["job"] != "reconcile" for row in jobs):
            quiet, wait_us = 0, EVERY_US
        elif quiet < len(QUIET_US):
            quiet, wait_us = quiet + 1, QUIET_US[quiet]
        else:
            return
        await self.shop.jobs.schedule(tx, "reconcile", f"{since_us}:{quiet}", self.clock.now_us() + wait_us)
