"""Membership periods. Time is granted once for a source and appended to what is left."""

from __future__ import annotations

from reference_platform.ports import DAY, Transaction
from reference_platform.tables import GRANTS, MEMBERSHIPS, GrantRow, MembershipRow
from reference_platform.wiring import Part


class Memberships(Part):
    """Grants time and answers who is a member."""

    async def is_member(self, tx: Transaction, user: str) -> bool:
        """Whether the user is a member at this moment."""
        row = await tx.get(MEMBERSHIPS, user)
        return row is not None and row["until_us"] > self.clock.now_us()

    async def until_us(self, tx: Transaction, user: str) -> int:
        """The end of the membership, 0 when there never was one."""
        row = await tx.get(MEMBERSHIPS, user)
        return 0 if row is None else row["until_us"]

    async def grant(self, tx: Transaction, user: str, source: str, order_id: str, days: int) -> bool:
        """Give `days` for a source; False when that source has been served already."""
        now = self.clock.now_us()
        row: GrantRow = {
            "grant_id": self.ids.new("grant", source),
            "user": user,
            "source": source,
            "order_id": order_id,
            "days": days,
            "at_us": now,
        }
        fresh = await tx.insert(GRANTS, row, on_conflict="nothing")
        if fresh:
            await self.extend(tx, user, now, days * DAY)
        return fresh

    async def extend(self, tx: Transaction, user: str, now: int, length_us: int) -> None:
        """Append time to a running membership, or begin one now."""
        first: MembershipRow = {"user": user, "until_us": now + length_us}
        if not await tx.insert(MEMBERSHIPS, first, on_conflict="nothing"):
            await tx.update(
                MEMBERSHIPS, user, lambda row: {"until_us": max(now, row["until_us"]) + length_us}
            )
