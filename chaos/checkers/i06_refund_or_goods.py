"""I-06: never both the whole money back and the goods kept."""

from __future__ import annotations

from chaos.account import Account
from chaos.checkers.checker import QuiescentChecker


class RefundOrGoods(QuiescentChecker):
    """A full refund goes with goods that were never delivered or were taken back."""

    invariant = "I-06"

    def judge(self, account: Account) -> None:
        back_fen = account.refunded_fen + account.wallet_fen
        if back_fen <= 0:
            return
        self.checked += 1
        if account.units <= 0 or not account.captured_fen:
            return
        if back_fen < account.captured_fen:
            if back_fen + account.pending_refund_fen >= account.captured_fen:
                self.undecided("order", account.order_id, "refund_open", events=account.money_events())
            return
        self.violated_order(
            account,
            "both",
            amount_fen=min(back_fen, account.price_fen(account.units) or back_fen),
            events=account.money_events(),
            back_fen=back_fen,
            units=account.units,
        )
