"""Placing an order: everything we intend is committed before anybody outside hears of it.

The order, its reservation, its charge and the job that watches over it are one transaction. Only
then is the channel asked to open the charge, so a payment can never meet an order that is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reference_platform.answers import Refused, ok
from reference_platform.ports import PortError, Rejected, Request, Response, Transaction
from reference_platform.tables import CHARGES, ORDERS, ChargeRow, OrderRow, ProductRow
from reference_platform.wiring import Part

QUANTITY_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Intent:
    """A valid request for an order. `fingerprint` is what the client asked for, to compare repeats."""

    order_id: str
    user: str
    client_key: str
    sku: str
    quantity: int
    pay_with: str
    account: str

    @property
    def fingerprint(self) -> str:
        return f"{self.sku}|{self.quantity}|{self.pay_with}|{self.account}"

    @property
    def key(self) -> str:
        return f"{self.user}:{self.client_key}"


class Checkout(Part):
    """Takes orders, and opens further charges for an order that is still unpaid."""

    def read(self, request: Request) -> Intent:
        """The intent, or a refusal that says what is wrong."""
        body = request.body
        quantity = body.get("quantity")
        if type(quantity) is not int or not 1 <= quantity <= QUANTITY_MAX:
            raise Refused(400, "bad_quantity")
        pay_with = body.get("pay_with") or ""
        if pay_with != "wallet" and pay_with not in self.shop.channels:
            raise Refused(400, "unknown_channel")
        key = body.get("client_key")
        if not key or not request.user:
            raise Refused(400, "user_and_client_key_needed")
        order_id = self.ids.new("order", request.user, key)
        account = body.get("account") or ""
        return Intent(order_id, request.user, key, body.get("sku") or "", quantity, pay_with, account)

    async def place_order(self, request: Request) -> Response:
        """Serve `place_order`."""
        intent = self.read(request)
        order, opened = await self.shop.transactions.run(self.place, intent)
        if opened:
            return self.answer(order)
        charge_no = first_charge(order)
        if not await self.open_charge(
            charge_no, order["pay_with"], order["payable_fen"], order["expires_us"]
        ):
            await self.shop.transactions.run(self.shop.idempotency.let_go, intent.key)
            raise Refused(503, "channel_unavailable")
        await self.shop.transactions.run(self.opened, charge_no, intent.key)
        return self.answer(order)

    def answer(self, order: OrderRow) -> Response:
        return ok(
            {
                "order_id": order["order_id"],
                "status": order["status"],
                "payable_fen": order["payable_fen"],
                "charge_no": first_charge(order) if order["pay_with"] != "wallet" else "",
                "channel": order["pay_with"],
            }
        )

    async def place(self, tx: Transaction, intent: Intent) -> tuple[OrderRow, bool]:
        """The order and whether nothing is left to do for it at a channel."""
        by_wallet = intent.pay_with == "wallet"
        held = await self.shop.idempotency.claim(
            tx, intent.key, intent.order_id, intent.fingerprint, "done" if by_wallet else "running"
        )
        if held is not None:
            known = await tx.get(ORDERS, held["order_id"])
            if known is None:
                raise Refused(503, "try_again")
            return known, held["status"] == "done"
        product = await self.shop.catalogue.product(tx, intent.sku)
        order = self.draft(intent, product, *await self.shop.catalogue.price(tx, product, intent.user))
        if product["kind"] == "card":
            await self.reserve(tx, order)
        await self.shop.orders.place(tx, order)
        if by_wallet:
            return await self.pay_from_wallet(tx, order), True
        await self.add_charge(tx, order, 1, order["pay_with"])
        await self.shop.expiry.watch(tx, order)
        await self.shop.reconciliation.keep(tx)
        return order, False

    def draft(self, intent: Intent, product: ProductRow, unit_fen: int, member_price: bool) -> OrderRow:
        """The order as it will be placed, at today's price."""
        now = self.clock.now_us()
        return {
            "order_id": intent.order_id,
            "user": intent.user,
            "client_key": intent.client_key,
            "sku": intent.sku,
            "kind": product["kind"],
            "quantity": intent.quantity,
            "unit_fen": unit_fen,
            "payable_fen": unit_fen * intent.quantity,
            "member_price": member_price,
            "account": intent.account,
            "pay_with": intent.pay_with,
            "status": "created",
            "captured_fen": 0,
            "delivered_qty": 0,
            "refunded_qty": 0,
            "created_us": now,
            "expires_us": now + self.shop.config.expiry_us,
            "paid_us": 0,
        }

    async def reserve(self, tx: Transaction, order: OrderRow) -> None:
        """Hold the cards, or sell nothing: who waits for cards that are not there waits for us."""
        if not await self.shop.stock.reserve(tx, order["sku"], order["order_id"], order["quantity"]):
            raise Refused(409, "out_of_stock")

    async def pay_from_wallet(self, tx: Transaction, order: OrderRow) -> OrderRow:
        """Pay and fulfil in the transaction that places the order."""
        if not await self.shop.ledger.can_pay(tx, order["user"], order["payable_fen"]):
            raise Refused(402, "balance_too_low")
        await self.shop.ledger.wallet_payment(tx, order["order_id"], order["user"], order["payable_fen"])
        paid = {"captured_fen": order["payable_fen"], "paid_us": self.clock.now_us()}
        return await self.shop.fulfilment.begin(tx, order, "paid", paid)

    async def add_charge(self, tx: Transaction, order: OrderRow, n: int, channel: str) -> ChargeRow:
        """The intent to open the order's n-th charge."""
        charge: ChargeRow = {
            "charge_no": f"{order['order_id']}/c{n}",
            "order_id": order["order_id"],
            "channel": channel,
            "amount_fen": order["payable_fen"],
            "status": "opening",
            "transaction_id": "",
            "paid_fen": 0,
            "created_us": self.clock.now_us(),
        }
        await tx.insert(CHARGES, charge)
        return charge

    async def open_charge(self, charge_no: str, channel: str, amount_fen: int, expires_us: int) -> bool:
        """Ask the channel. False: it refused or the outcome is unknown; the watch asks again by the same number."""
        try:
            await self.shop.channels[channel].create(charge_no, amount_fen, expires_us)
        except Rejected as error:
            return error.code == "ORDERPAID"
        except PortError:
            return False
        return True

    async def opened(self, tx: Transaction, charge_no: str, key: str) -> None:
        """The channel has the charge; a repeat of the request may have its answer."""
        await tx.update(CHARGES, charge_no, {"status": "open"}, where={"status": "opening"})
        await self.shop.idempotency.done(tx, key)

    # ------------------------------------------------------------ another charge

    async def new_charge(self, request: Request) -> Response:
        """Serve `new_charge`: the user lost the code or prefers another channel."""
        channel = request.body.get("channel") or ""
        if channel not in self.shop.channels:
            raise Refused(400, "unknown_channel")
        order_id = request.body.get("order_id") or ""
        order, charge = await self.shop.transactions.run(self.another_charge, request.user, order_id, channel)
        charge_no = charge["charge_no"]
        if not await self.open_charge(charge_no, channel, charge["amount_fen"], order["expires_us"]):
            raise Refused(503, "channel_unavailable")
        return ok(
            {
                "order_id": order_id,
                "charge_no": charge_no,
                "channel": channel,
                "payable_fen": charge["amount_fen"],
            }
        )

    async def another_charge(
        self, tx: Transaction, user: str, order_id: str, channel: str
    ) -> tuple[OrderRow, ChargeRow]:
        """Add a charge to an order that can still be paid. The earlier ones are remembered and watched."""
        order = await tx.get(ORDERS, order_id, lock="wait")
        if order is None or order["user"] != user:
            raise Refused(404, "unknown_order")
        if order["status"] != "created":
            raise Refused(409, "not_payable")
        charges = await tx.select(CHARGES, {"order_id": order_id})
        return order, await self.add_charge(tx, order, len(charges) + 1, channel)


def first_charge(order: OrderRow) -> str:
    """The number of the charge that every order paid at a channel begins with."""
    return f"{order['order_id']}/c1"
