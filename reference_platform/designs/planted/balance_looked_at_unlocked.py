"""Planted: two purchases at once, both covered by the same balance."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.ledger import Ledger
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import WALLETS
from reference_platform.wiring import Config

NAME = "planted.balance_looked_at_unlocked"
SUMMARY = "Looks at the wallet's balance without a lock and subtracts afterwards."
SUMMARY_ZH = "查余额不加锁，随后才扣，两单同时通过，余额扣成负数。"
CATCHES = "I-07"
SCENARIO = "wallet_last_purchase"
REAL = ""


class LooksWithoutLock(Ledger):
    """The subtraction became atomic after lost updates; the check before it stayed a plain read."""

    async def can_pay(self, tx: Transaction, user: str, amount_fen: int) -> bool:
        wallet = await tx.get(WALLETS, user)
        return amount_fen <= 0 or (wallet is not None and wallet["balance_fen"] >= amount_fen)


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, ledger=LooksWithoutLock)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
