"""I-11: delivered quantity + refunded quantity = ordered quantity, for every order that was paid.

Units refunded are counted in money the channel or the wallet really gave back. Money returned for
extra captures buys no units, so either reading of the refunds may close the sum.
"""

from __future__ import annotations

from chaos.account import Account
from chaos.checkers.checker import QuiescentChecker


class QuantityAddsUp(QuiescentChecker):
    """Nothing of an order is left hanging between goods and money."""

    invariant = "I-11"

    def judge(self, account: Account) -> None:
        row = account.row
        if not account.captures:
            return
        if row is None:
            if account.lost:
                self.checked += 1
                self.undecided("order", account.order_id, "row_lost", events=account.money_events())
            return
        if not any(
            charge.paid_fen == row["payable_fen"] for charge in account.charges if charge.captured_us >= 0
        ):
            return  # a wrong amount is never fulfilled (I-04) and goes back whole (I-01)
        self.checked += 1
        quantity, unit_fen = row["quantity"], row["unit_fen"]
        if account.units == quantity and not account.refunds and not account.wallet_fen:
            return
        back_fen = account.refunded_fen + account.wallet_fen
        extra_fen = max(0, account.captured_fen - row["payable_fen"])
        goods_fen = (quantity - account.units) * unit_fen if account.units else row["payable_fen"]
        if goods_fen in (back_fen, back_fen - extra_fen):
            return
        if account.pending_refund_fen and goods_fen <= back_fen + account.pending_refund_fen:
            self.undecided("order", account.order_id, "refund_open", events=account.money_events())
            return
        if account.units == quantity and back_fen < extra_fen:
            return  # the goods are complete; the extra capture is I-03's
        off_fen = goods_fen - (back_fen - extra_fen if back_fen >= extra_fen else back_fen)
        self.violated_order(
            account,
            "short" if off_fen > 0 else "over",
            amount_fen=abs(off_fen),
            events=account.money_events(),
            quantity=quantity,
            units=account.units,
            back_fen=back_fen,
        )
