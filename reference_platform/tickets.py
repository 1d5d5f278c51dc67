"""Tickets: work that needs people, each owned by a team until somebody closes it."""

from __future__ import annotations

from reference_platform.answers import Refused, ok
from reference_platform.ports import Request, Response, Transaction
from reference_platform.tables import ORDERS, REFUNDS, TICKETS, TicketRow
from reference_platform.wiring import Part


class Tickets(Part):
    """Opens tickets, lists them for staff, and does what staff decide."""

    async def open(self, tx: Transaction, reason: str, ref: str, order_id: str, team: str) -> None:
        """One ticket for a reason and a thing; a closed one is opened again."""
        ticket: TicketRow = {
            "ticket_id": f"{reason}:{ref}",
            "ref": ref,
            "order_id": order_id,
            "reason": reason,
            "team": team,
            "status": "open",
            "opened_us": self.clock.now_us(),
        }
        if not await tx.insert(TICKETS, ticket, on_conflict="nothing"):
            await tx.update(TICKETS, ticket["ticket_id"], {"status": "open"}, where={"status": "closed"})

    async def listed(self, request: Request) -> Response:  # noqa: ARG002 - staff see every ticket
        """Serve `admin.tickets`."""
        return ok({"tickets": [dict(row) for row in await self.shop.transactions.run(self.unresolved)]})

    async def unresolved(self, tx: Transaction) -> list[TicketRow]:
        """The open tickets, oldest first."""
        return await tx.select(TICKETS, {"status": "open"}, order_by="opened_us")

    async def resolve(self, request: Request) -> Response:
        """Serve `admin.resolve_ticket`."""
        ticket_id = request.body.get("ticket_id") or ""
        return ok({"ticket_id": ticket_id, "done": await self.shop.transactions.run(self.settle, ticket_id)})

    async def settle(self, tx: Transaction, ticket_id: str) -> str:
        """Do what the ticket asks for and close it; what was done."""
        ticket = await tx.get(TICKETS, ticket_id)
        if ticket is None:
            raise Refused(404, "unknown_ticket")
        order = await tx.get(ORDERS, ticket["order_id"], lock="wait")
        closed = await tx.update(TICKETS, ticket_id, {"status": "closed"}, where={"status": "open"})
        if closed is None:
            return "nothing"
        if ticket["reason"] == "held" and order is not None and order["status"] == "held":
            await self.shop.refunds.full(tx, order, "held money given back by finance")
            return "refunded"
        if ticket["reason"] == "refund_failed":
            await self.shop.refunds.again(tx, ticket["ref"])
            return "refund_retried"
        if ticket["reason"] == "unmatched":
            for refund in await tx.select(REFUNDS, {"order_id": ticket["order_id"], "status": "failed"}):
                await self.shop.refunds.again(tx, refund["refund_no"])
            return "refund_retried"
        return "closed"
