"""The shop floor of the platform of the complaints: each part does the obvious and trusts the world.

Nothing is locked, nothing is remembered, and each step is its own little transaction, in the order
in which somebody happened to write it. In calm weather all of it works.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

from reference_platform.answers import Refused
from reference_platform.callbacks import Callbacks
from reference_platform.checkout import Checkout, Intent, first_charge
from reference_platform.expiry import Expiry
from reference_platform.fulfilment import Fulfilment
from reference_platform.membership import Memberships
from reference_platform.orders import UNPAID, Orders
from reference_platform.ports import PaymentChannel, PaymentNotice, PortError, Request, Response, Transaction
from reference_platform.stock import Stock
from reference_platform.tables import CARDS, CHARGES, ORDERS, PRODUCTS, OrderRow


class AnyOrder(Orders):
    """A status is a column like any other."""

    def check(self, order_id: str, status: str, to: str) -> None:
        """Whatever the code wants is legal."""


class CountedStock(Stock):
    """A counter for show, and the first available card for whoever comes."""

    async def reserve(self, tx: Transaction, sku: str, order_id: str, quantity: int) -> bool:  # noqa: ARG002
        """Look at the counter; hold nothing."""
        return await self.shown(tx, sku) >= quantity

    async def pick(self, tx: Transaction, order: OrderRow) -> int:
        """Take cards that looked available a moment ago, and write the counter back."""
        sku = order["sku"]
        rows = await tx.select(
            CARDS, {"sku": sku, "status": "available"}, order_by="card_id", limit=order["quantity"]
        )
        for row in rows:
            await tx.update(CARDS, row["card_id"], {"status": "sold", "order_id": order["order_id"]})
        product = await tx.get(PRODUCTS, sku)
        if product is not None:
            await tx.update(PRODUCTS, sku, {"shown": product["shown"] - len(rows)})
        return len(rows)

    async def shown(self, tx: Transaction, sku: str) -> int:
        product = await tx.get(PRODUCTS, sku)
        return 0 if product is None else product["shown"]


class EveryGrant(Memberships):
    """Who asks gets time; that an order has had its time already is nobody's business."""

    async def grant(self, tx: Transaction, user: str, source: str, order_id: str, days: int) -> bool:
        if await super().grant(tx, user, source, order_id, days):
            return True
        return await super().grant(tx, user, self.ids.new("source", order_id), order_id, days)


class ChargeFirst(Checkout):
    """Opens the charge and then writes the order down; a fast payer or a crash comes in between."""

    async def place_order(self, request: Request) -> Response:
        intent = self.read(request)
        order = await self.shop.transactions.run(self.look_up, intent)
        if intent.pay_with != "wallet":
            channel = self.shop.channels[intent.pay_with]
            await channel.create(first_charge(order), order["payable_fen"], order["expires_us"])
        return self.answer(await self.shop.transactions.run(self.write_down, order))

    async def look_up(self, tx: Transaction, intent: Intent) -> OrderRow:
        """The order as it would be, if there is stock for it."""
        product = await self.shop.catalogue.product(tx, intent.sku)
        order = self.draft(intent, product, *await self.shop.catalogue.price(tx, product, intent.user))
        if product["kind"] == "card":
            await self.reserve(tx, order)
        return order

    async def write_down(self, tx: Transaction, order: OrderRow) -> OrderRow:
        await self.shop.orders.place(tx, order)
        if order["pay_with"] == "wallet":
            return await self.pay_from_wallet(tx, order)
        charge = await self.add_charge(tx, order, 1, order["pay_with"])
        await tx.update(CHARGES, charge["charge_no"], {"status": "open"})
        await self.shop.expiry.watch(tx, order)
        return order


class InMemoryTimer(Expiry):
    """A timer for each order that closes it blindly, unless the node dies first."""

    def start(self) -> None:
        """There are no jobs to register."""

    async def watch(self, tx: Transaction, order: OrderRow) -> None:
        timer = self.time_out
        spawn = self.shop.ports.tasks.spawn
        self.shop.transactions.after_commit(tx, lambda: spawn(timer(order), "expiry"))

    async def time_out(self, order: OrderRow) -> None:
        """Sleep until the order is over, then close it if it looks unpaid."""
        await self.clock.sleep(order["expires_us"] - self.clock.now_us())
        with suppress(PortError):  # a timer that fails is lost, like one whose node died
            await self.shop.transactions.run(self.close, order["order_id"])

    async def unwatch(self, tx: Transaction, order: OrderRow) -> None:
        """The timer will look for itself."""

    async def close(self, tx: Transaction, order_id: str) -> None:
        order = await tx.get(ORDERS, order_id)
        if order is not None and order["status"] in UNPAID:
            await self.shop.orders.transition(tx, order, "closed", "expired")
            await self.shop.outbox.tell(tx, order["user"], order_id, "order_closed", {})


class InlineFulfilment(Fulfilment):
    """Hands over the goods at once, from memory, one small step after the other."""

    async def begin(self, tx: Transaction, order: OrderRow, paid: str, changes: dict[str, Any]) -> OrderRow:
        row = await self.shop.orders.transition(tx, order, paid, "captured", **changes)
        spawn = self.shop.ports.tasks.spawn
        self.shop.transactions.after_commit(tx, lambda: spawn(self.fulfil_from_memory(row), "fulfil"))
        return row

    async def fulfil_from_memory(self, order: OrderRow) -> None:
        """Nobody waits for this and nobody repeats it: whatever goes wrong, the order stays as it is."""
        with suppress(PortError, Refused):
            await self.fulfil(order)

    async def fulfil(self, order: OrderRow) -> None:
        """Hand over the goods and mark the order as completed."""
        run = self.shop.transactions.run
        if order["kind"] == "card":
            units = await run(cast(CountedStock, self.shop.stock).pick, order)
        elif order["kind"] == "membership":
            await run(self.membership, order)
            units = order["quantity"]
        else:
            await self.shop.topups.supply(order["order_id"], 1)
            return
        if units:
            await run(self.complete, order["order_id"], units)

    async def complete(self, tx: Transaction, order_id: str, units: int) -> None:
        """Mark as completed, whatever it is marked as now."""
        order = await tx.get(ORDERS, order_id)
        if order is None:
            return
        if order["status"] != "completed":
            await self.shop.orders.transition(tx, order, "completed", "delivered", delivered_qty=units)
        await self.shop.ledger.delivery(tx, order_id, units * order["unit_fen"])
        await self.shop.outbox.tell(tx, order["user"], order_id, "order_completed", {"delivered_qty": units})


class TrustingCallbacks(Callbacks):
    """Who signs is right, and each call is as good as the first: it fulfils, then says thank you."""

    def check_app(self, channel: PaymentChannel, notice: PaymentNotice) -> None:
        """Signed is signed."""

    async def paid(self, channel: PaymentChannel, notice: PaymentNotice) -> None:
        order = await self.shop.transactions.run(self.find, notice.charge_no.partition("/")[0])
        if order is None:
            raise Refused(404, "unknown_order")
        if order["status"] == "closed":
            raise Refused(409, "order_closed")
        row = await self.shop.transactions.run(self.book, order, channel.name, notice)
        await cast(InlineFulfilment, self.shop.fulfilment).fulfil(row)

    async def find(self, tx: Transaction, order_id: str) -> OrderRow | None:
        return await tx.get(ORDERS, order_id)

    async def book(self, tx: Transaction, order: OrderRow, channel: str, notice: PaymentNotice) -> OrderRow:
        """Money in, as much as it says."""
        fen = notice.paid_fen
        changes = {"status": "paid", "paid_fen": fen, "transaction_id": notice.transaction_id}
        await tx.update(CHARGES, notice.charge_no, changes)
        await self.shop.ledger.capture(tx, order["order_id"], channel, fen)
        if order["status"] not in UNPAID:
            return order
        paid: dict[str, Any] = {"captured_fen": fen, "paid_us": notice.paid_us}
        return await self.shop.orders.transition(tx, order, "paid", "callback", **paid)
