"""I-03: at the deadline an order keeps at most one capture; every further one was given back.

The deadline is the run's, or 30 minutes after the order's latest capture when that is later (K-03);
that is also when the promise broke.
"""

from __future__ import annotations

from chaos.account import NEVER, Account
from chaos.books import Books
from chaos.checkers.checker import Checker

REFUND_WITHIN_US = 30 * 60_000_000


class OneCaptureKept(Checker):
    """Nobody pays twice for one order."""

    invariant = "I-03"
    when = "d"

    def at_end(self, books: Books) -> None:
        for account in books.accounts.values():
            if account.captures:
                self.checked += 1
                if account.captures > 1:
                    self._judge(account)

    def _judge(self, account: Account) -> None:
        captures = [charge for charge in account.charges if charge.captured_us != NEVER]
        due_us = max(self.header.settle_by_us, max(c.captured_us for c in captures) + REFUND_WITHIN_US)
        if self.books.now_us < due_us and not self.books.finished:
            self.undecided("order", account.order_id, "not_due", due_us=due_us)
            return
        back_fen: dict[str, int] = {}
        for refund in account.refunds:
            if refund.accepted_us <= due_us and refund.state != "failed":
                back_fen[refund.charge_no] = back_fen.get(refund.charge_no, 0) + refund.amount_fen
        kept = []
        wallet_fen = account.refunded_to_wallet_fen
        for charge in captures:
            if charge.channel == "wallet" and wallet_fen >= charge.paid_fen:
                wallet_fen -= charge.paid_fen
            elif back_fen.get(charge.charge_no, 0) < charge.paid_fen:
                kept.append(charge)
            else:
                back_fen[charge.charge_no] -= charge.paid_fen
        if len(kept) > 1:
            self.violated_order(
                account,
                "kept",
                amount_fen=sum(charge.paid_fen for charge in kept[1:]),
                events=[charge.captured_at for charge in kept],
                t_us=min(due_us, self.books.now_us),
                kept=len(kept),
                charges=", ".join(charge.charge_no for charge in kept),
            )
