"""What users see. Only their own, only what is committed, and always from the primary."""

from __future__ import annotations

from typing import Any

from reference_platform.answers import Refused, ok
from reference_platform.ports import Request, Response, Transaction
from reference_platform.tables import ORDERS, REFUNDS, WALLETS
from reference_platform.wiring import Part


class Views(Part):
    """Serves the `view_*` actions."""

    async def order(self, request: Request) -> Response:
        """Serve `view_order`."""
        run = self.shop.transactions.run
        return ok(await run(self.read_order, request.user, request.body.get("order_id") or ""))

    async def read_order(self, tx: Transaction, user: str, order_id: str) -> dict[str, Any]:
        row = await tx.get(ORDERS, order_id)
        if row is None or row["user"] != user:
            raise Refused(404, "unknown_order")
        cards: list[str] = []
        if row["delivered_qty"] and row["kind"] == "card":
            cards = await self.shop.stock.secrets(tx, order_id)
        refunded_fen = 0
        if row["status"] in ("refunding", "refunded") or row["refunded_qty"]:
            done = await tx.select(REFUNDS, {"order_id": order_id, "status": "done"})
            refunded_fen = sum(refund["amount_fen"] for refund in done)
        return {
            "order_id": order_id,
            "status": row["status"],
            "delivered_qty": row["delivered_qty"],
            "cards": cards,
            "refunded_fen": refunded_fen,
        }

    async def wallet(self, request: Request) -> Response:
        """Serve `view_wallet`."""
        return ok(await self.shop.transactions.run(self.read_wallet, request.user))

    async def read_wallet(self, tx: Transaction, user: str) -> dict[str, Any]:
        row = await tx.get(WALLETS, user)
        if row is None:
            return {"balance_fen": 0, "provisional_fen": 0}
        return {"balance_fen": row["balance_fen"], "provisional_fen": row["provisional_fen"]}

    async def membership(self, request: Request) -> Response:
        """Serve `view_membership`."""
        until_us = await self.shop.transactions.run(self.shop.memberships.until_us, request.user)
        return ok({"member": until_us > self.clock.now_us(), "until_us": until_us})

    async def product(self, request: Request) -> Response:
        """Serve `view_product`."""
        return ok(await self.shop.transactions.run(self.read_product, request.body.get("sku") or ""))

    async def read_product(self, tx: Transaction, sku: str) -> dict[str, Any]:
        product = await self.shop.catalogue.product(tx, sku)
        shown = await self.shop.stock.shown(tx, sku) if product["kind"] == "card" else -1
        return {"sku": sku, "shown": shown, "unit_fen": product["unit_fen"]}
