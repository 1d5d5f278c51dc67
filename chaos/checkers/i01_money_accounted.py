"""I-01: every captured fen is delivered, refunded or credited when all is quiet.

captured = price of what was delivered + refunds done by the channel + net wallet credit + suspense,
and suspense is empty. Extra captures, late captures, orphans and false successes all come out of
this one equation, because only suspense asks the platform what it believes: it may explain where
missing money is, but it is a violation in itself when all is quiet.
"""

from __future__ import annotations

from chaos.account import Account
from chaos.checkers.checker import QuiescentChecker


class MoneyAccounted(QuiescentChecker):
    """Money in equals goods and money out, order by order."""

    invariant = "I-01"

    def judge(self, account: Account) -> None:
        if not (
            account.captures or account.units or account.wallet_fen or account.suspense_fen or account.refunds
        ):
            return
        self.checked += 1
        if account.units and account.row is None and account.lost:
            self.undecided("order", account.order_id, "row_lost", events=account.money_events())
            return
        delivered_fen = account.price_fen(account.units)
        refunded_fen, suspense_fen = account.refunded_fen, account.suspense_fen
        gap_fen = account.captured_fen - delivered_fen - refunded_fen - account.wallet_fen
        if not gap_fen and not suspense_fen:
            return
        pending_fen = account.pending_refund_fen
        if pending_fen and gap_fen == pending_fen:
            self.undecided(
                "order",
                account.order_id,
                "refund_open",
                events=account.money_events(),
                pending_fen=pending_fen,
            )
            return
        if gap_fen > 0:
            words = "suspense" if gap_fen == suspense_fen else "owed"
        else:
            words = "overpaid" if gap_fen else "misbooked"
        self.violated_order(
            account,
            words,
            amount_fen=abs(gap_fen or suspense_fen),
            events=account.money_events(),
            captured_fen=account.captured_fen,
            delivered_fen=delivered_fen,
            units=account.units,
            refunded_fen=refunded_fen,
            wallet_fen=account.wallet_fen,
            suspense_fen=suspense_fen,
        )
