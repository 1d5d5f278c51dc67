"""Planted: the look at a limit is locked, and the spending comes after the lock (X-33)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.answers import Refused
from reference_platform.checkout import Checkout, Intent
from reference_platform.designs import resilient
from reference_platform.ledger import Ledger
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import IDEMPOTENCY, WALLETS, OrderRow
from reference_platform.wiring import Config

NAME = "planted.lock_ends_before_payment"
SUMMARY = "Locks a wallet to look at its balance, in a transaction that ends before the one that spends it."
SUMMARY_ZH = "查余额时加了锁，但锁随查询事务一起放掉，扣款在另一个事务里。"
CATCHES = "I-07"
SCENARIO = "wallet_last_purchase"
REAL = "vendure #4660"


class LooksWhenOrdering(Checkout):
    """Two orders at once used up one limit, so the check got a lock; the lock ends with the check.

    In the report the limit was how often a coupon may be used; here it is the money in a wallet.
    """

    async def place(self, tx: Transaction, intent: Intent) -> tuple[OrderRow, bool]:
        repeated = await tx.get(IDEMPOTENCY, intent.key)
        if intent.pay_with == "wallet" and not repeated:
            await self.shop.transactions.run(self.check_balance, intent)
        return await super().place(tx, intent)

    async def check_balance(self, tx: Transaction, intent: Intent) -> None:
        product = await self.shop.catalogue.product(tx, intent.sku)
        unit_fen, _ = await self.shop.catalogue.price(tx, product, intent.user)
        wallet = await tx.get(WALLETS, intent.user, lock="wait")
        if wallet is None or wallet["balance_fen"] < unit_fen * intent.quantity:
            raise Refused(402, "balance_too_low")


class SpendsAsChecked(Ledger):
    """The order would not be here if the balance did not cover it."""

    async def can_pay(self, tx: Transaction, user: str, amount_fen: int) -> bool:  # noqa: ARG002
        return True


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, checkout=LooksWhenOrdering, ledger=SpendsAsChecked)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
