"""The order's state machine: one way to change a status, and an audit row for each change."""

from __future__ import annotations

from typing import Any, Final

from reference_platform.ports import Transaction
from reference_platform.tables import ORDER_LOG, ORDERS, OrderLogRow, OrderRow
from reference_platform.wiring import Part

LEGAL: Final[dict[str, tuple[str, ...]]] = {
    "created": ("paid", "closing", "closed", "held"),
    "closing": ("closed", "paid", "held"),
    "closed": ("paid_late",),
    "paid": ("fulfilling", "completed", "refunding", "refunded", "held"),
    "paid_late": ("fulfilling", "completed", "refunding", "refunded", "held"),
    "fulfilling": ("completed", "refunding", "refunded", "held"),
    "held": ("refunding", "refunded", "paid"),
    "refunding": ("refunded",),
    "completed": (),
    "refunded": (),
}
UNPAID: Final = ("created", "closing")
UNDELIVERED: Final = ("paid", "paid_late", "fulfilling")


class IllegalTransition(Exception):
    """A bug in the platform: this status cannot follow that one."""


class Orders(Part):
    """Every change of an order's status passes through here."""

    async def place(self, tx: Transaction, order: OrderRow) -> None:
        """Insert a new order."""
        await tx.insert(ORDERS, order)
        await self.log(tx, order["order_id"], "", order["status"], "placed")

    async def transition(
        self,
        tx: Transaction,
        order: OrderRow,
        to: str,
        cause: str,
        through: tuple[str, ...] = (),
        **changes: Any,
    ) -> OrderRow:
        """Bring a locked order to status `to`, by way of `through`, and change other columns with it.

        Several steps of one transaction cost one update of the order but still leave one log row each.
        """
        order_id = order["order_id"]
        status = order["status"]
        for step in (*through, to):
            self.check(order_id, status, step)
            await self.log(tx, order_id, status, step, cause)
            status = step
        changes["status"] = to
        row = await tx.update(ORDERS, order_id, changes)
        if row is None:
            raise IllegalTransition(f"{order_id} does not exist")
        return row

    def check(self, order_id: str, status: str, to: str) -> None:
        """Refuse what the state machine does not know."""
        if to not in LEGAL[status]:
            raise IllegalTransition(f"{order_id}: {status} → {to}")

    async def log(self, tx: Transaction, order_id: str, status: str, to: str, cause: str) -> None:
        """One audit row."""
        row: OrderLogRow = {
            "log_id": self.ids.new("log", order_id),
            "order_id": order_id,
            "from_status": status,
            "to_status": to,
            "cause": cause,
            "node": self.shop.node,
            "at_us": self.clock.now_us(),
        }
        await tx.insert(ORDER_LOG, row)
