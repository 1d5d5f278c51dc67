"""Planted: two purchases at once, one subtracted (X-33)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.ledger import Ledger
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import WALLETS
from reference_platform.wiring import Config

NAME = "planted.wallet_read_then_written"
SUMMARY = "Reads a wallet's balance, subtracts in memory and writes the result back."
SUMMARY_ZH = "先读余额，在内存里减，再写回去，并发时少扣一笔。"
CATCHES = "I-08"
SCENARIO = "wallet_rush"
REAL = "zfaka #128, #150; SSPanel-UIM #938"


class WritesBack(Ledger):
    """How every object mapper does it: load, change, save. Nothing is locked between load and save."""

    async def can_pay(self, tx: Transaction, user: str, amount_fen: int) -> bool:
        wallet = await tx.get(WALLETS, user)
        return wallet is not None and wallet["balance_fen"] >= amount_fen

    async def move_wallet(self, tx: Transaction, account: str, amount_fen: int) -> None:
        kind, _, user = account.partition(":")
        wallet = await tx.get(WALLETS, user)
        if kind == "wallet" and wallet is not None:
            await tx.update(WALLETS, user, {"balance_fen": wallet["balance_fen"] + amount_fen})
        else:
            await super().move_wallet(tx, account, amount_fen)


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, ledger=WritesBack)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
