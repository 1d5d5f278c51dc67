"""I-31: when the original succeeds after a make-good, one of the two is voided or booked as a loss.

Only money counts: whatever the compensation row says, the credit that stays with the member may
not be more than the price of what was never delivered.
"""

from __future__ import annotations

from chaos.account import Account
from chaos.checkers.checker import QuiescentChecker


class MakeGoodVoided(QuiescentChecker):
    """Nobody keeps the goods and the make-good, unless finance has said so."""

    invariant = "I-31"

    def judge(self, account: Account) -> None:
        if account.credited_fen <= 0:
            return
        self.checked += 1
        if account.units <= 0:
            return
        row = account.row
        if row is None:
            self.undecided("order", account.order_id, "row_lost", events=account.money_events())
            return
        missing_fen = max(0, row["payable_fen"] - account.price_fen(account.units))
        double_fen = account.wallet_fen - missing_fen
        if double_fen > 0:
            self.violated_order(
                account,
                "both",
                amount_fen=double_fen,
                events=account.money_events(),
                credited_fen=account.credited_fen,
                units=account.units,
            )
