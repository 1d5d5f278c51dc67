"""The double-entry ledger. Wallet balances are kept in step with it, in the same transaction.

Debits are positive, credits negative, and every posting sums to zero. Captured money waits in
`suspense` until it is earned (delivery) or returned (refund): what is left there is our debt.
"""

from __future__ import annotations

from reference_platform.ports import AtLeast, Transaction
from reference_platform.tables import POSTINGS, WALLETS, PostingRow, WalletRow
from reference_platform.wiring import Part

Lines = tuple[tuple[str, int], ...]


class Unbalanced(Exception):
    """A bug in the platform: debits and credits differ."""


class Ledger(Part):
    """Posts entries; knows which accounts each kind of posting moves."""

    async def post(self, tx: Transaction, posting: str, order_id: str, lines: Lines) -> None:
        """Write one balanced entry and move the wallets it touches."""
        total = 0
        wallets = False
        for account, amount in lines:
            total += amount
            if account.startswith(("wallet:", "provisional:")):
                wallets = True
        if total:
            raise Unbalanced(f"{posting} for {order_id}: {lines}")
        row: PostingRow = {
            "posting_id": self.ids.new("posting", order_id),
            "posting": posting,
            "order_id": order_id,
            "lines": lines,
            "at_us": self.clock.now_us(),
        }
        await tx.insert(POSTINGS, row)
        if wallets:
            for account, amount in lines:
                await self.move_wallet(tx, account, -amount)

    async def move_wallet(self, tx: Transaction, account: str, amount_fen: int) -> None:
        """Add to what we owe a user; other accounts have no row of their own."""
        kind, _, user = account.partition(":")
        if kind == "wallet":
            balance, provisional = amount_fen, 0
        elif kind == "provisional":
            balance, provisional = 0, amount_fen
        else:
            return
        moved = await tx.update(
            WALLETS,
            user,
            lambda row: {
                "balance_fen": row["balance_fen"] + balance,
                "provisional_fen": row["provisional_fen"] + provisional,
            },
        )
        if moved is None:
            first: WalletRow = {"user": user, "balance_fen": balance, "provisional_fen": provisional}
            await tx.insert(WALLETS, first)

    async def can_pay(self, tx: Transaction, user: str, amount_fen: int) -> bool:
        """Whether the wallet holds this much; the wallet stays locked until the transaction ends."""
        if amount_fen <= 0:
            return True
        return await tx.update(WALLETS, user, {}, where={"balance_fen": AtLeast(amount_fen)}) is not None

    # ------------------------------------------------------------ postings

    async def capture(self, tx: Transaction, order_id: str, channel: str, amount_fen: int) -> None:
        """Money arrived at a channel; until it is earned it is a debt."""
        await self.post(
            tx, "capture", order_id, ((f"channel:{channel}", amount_fen), ("suspense", -amount_fen))
        )

    async def wallet_payment(self, tx: Transaction, order_id: str, user: str, amount_fen: int) -> None:
        await self.post(
            tx, "wallet_payment", order_id, ((f"wallet:{user}", amount_fen), ("suspense", -amount_fen))
        )

    async def delivery(self, tx: Transaction, order_id: str, amount_fen: int) -> None:
        """Delivered units are earned."""
        await self.post(tx, "delivery", order_id, (("suspense", amount_fen), ("revenue", -amount_fen)))

    async def revoke_delivery(self, tx: Transaction, order_id: str, amount_fen: int) -> None:
        """What was booked as delivered never was."""
        await self.post(tx, "revoke_delivery", order_id, (("revenue", amount_fen), ("suspense", -amount_fen)))

    async def refund(self, tx: Transaction, order_id: str, channel: str, amount_fen: int) -> None:
        """The channel says that the money is back with the payer."""
        await self.post(
            tx, "refund", order_id, (("suspense", amount_fen), (f"channel:{channel}", -amount_fen))
        )

    async def wallet_refund(self, tx: Transaction, order_id: str, user: str, amount_fen: int) -> None:
        await self.post(
            tx, "wallet_refund", order_id, (("suspense", amount_fen), (f"wallet:{user}", -amount_fen))
        )

    async def supplier_cost(self, tx: Transaction, order_id: str, supplier: str, cost_fen: int) -> None:
        """What a supplier charges us; negative takes it back."""
        lines = (("supplier_cost", cost_fen), (f"supplier:{supplier}", -cost_fen))
        await self.post(tx, "supplier_cost", order_id, lines)
