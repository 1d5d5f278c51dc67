"""I-21: money captured after its order was closed is answered with goods or a full refund.

Deadline: the run's, or 30 minutes after the capture when that is later (K-05). The promise broke then.
"""

from __future__ import annotations

from chaos.account import NEVER, Account
from chaos.books import Books
from chaos.checkers.checker import Checker

SETTLE_WITHIN_US = 30 * 60_000_000


class LateCaptureSettled(Checker):
    """Late money is never simply kept."""

    invariant = "I-21"
    when = "d"

    def at_end(self, books: Books) -> None:
        for account in books.accounts.values():
            if account.closed_us != NEVER and account.captures:
                late = [c for c in account.charges if c.captured_us >= account.closed_us]
                if late or account.status == "closed":
                    self._judge(account, late[-1].captured_us if late else account.closed_us)

    def _judge(self, account: Account, captured_us: int) -> None:
        self.checked += 1
        due_us = max(self.header.settle_by_us, captured_us + SETTLE_WITHIN_US)
        if self.books.now_us < due_us and not self.books.finished:
            self.undecided("order", account.order_id, "not_due", due_us=due_us)
            return
        if account.row is None and account.units:
            self.undecided("order", account.order_id, "row_lost")
            return
        units = sum(delivery.units for delivery in account.deliveries if delivery.t_us <= due_us)
        back_fen = account.wallet_fen + sum(
            refund.amount_fen
            for refund in account.refunds
            if refund.accepted_us <= due_us and refund.state != "failed"
        )
        owed_fen = account.captured_fen - account.price_fen(units) - back_fen
        if owed_fen > 0:
            self.violated_order(
                account,
                "kept",
                amount_fen=owed_fen,
                events=[account.closed_at, *account.money_events()],
                t_us=min(due_us, self.books.now_us),
                captured_us=captured_us,
                due_us=due_us,
            )
