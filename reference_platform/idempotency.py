"""A client's key names one order, however often the client asks.

The key is committed together with its order and leased to the request that made both. A repeat
waits for the lease (the first request may still be talking to the channel); when the holder died,
the lease runs out and the repeat finishes its work.
"""

from __future__ import annotations

from typing import Final

from reference_platform.answers import Refused
from reference_platform.ports import SECOND, Transaction
from reference_platform.tables import IDEMPOTENCY, IdempotencyRow
from reference_platform.wiring import Part

LEASE_US: Final = 30 * SECOND


class Idempotency(Part):
    """Claims keys, and settles them when the answer is known."""

    async def claim(
        self, tx: Transaction, key: str, order_id: str, fingerprint: str, status: str
    ) -> IdempotencyRow | None:
        """None: the key is new and now ours. Otherwise the row to answer from, leased to us if unfinished."""
        now = self.clock.now_us()
        row: IdempotencyRow = {
            "key": key,
            "order_id": order_id,
            "fingerprint": fingerprint,
            "status": status,
            "lease_until_us": now + LEASE_US,
        }
        if await tx.insert(IDEMPOTENCY, row, on_conflict="nothing"):
            return None
        held = await tx.get(IDEMPOTENCY, key, lock="wait")
        if held is None:
            raise Refused(503, "try_again")
        if held["order_id"] != order_id:  # else it is our own, from a commit that we had no answer to
            self.same_request(held, fingerprint)
            if held["status"] == "running":
                await self.take_over(tx, held, now)
        return held

    def same_request(self, held: IdempotencyRow, fingerprint: str) -> None:
        """A key stands for one request; another body under it is a mistake of the client."""
        if held["fingerprint"] != fingerprint:
            raise Refused(409, "key_used_for_another_request")

    async def take_over(self, tx: Transaction, held: IdempotencyRow, now: int) -> None:
        """Continue the work of a holder that is presumed dead; not before its lease is over."""
        if held["lease_until_us"] > now:
            raise Refused(503, "in_progress")
        await tx.update(IDEMPOTENCY, held["key"], {"lease_until_us": now + LEASE_US})

    async def done(self, tx: Transaction, key: str) -> None:
        """The answer is known; repeats get it at once."""
        await tx.update(IDEMPOTENCY, key, {"status": "done"})

    async def let_go(self, tx: Transaction, key: str) -> None:
        """We could not finish; a repeat need not wait for the lease."""
        await tx.update(IDEMPOTENCY, key, {"lease_until_us": 0}, where={"status": "running"})
