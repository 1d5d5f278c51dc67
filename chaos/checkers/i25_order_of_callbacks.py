"""I-25: the same callbacks in any order end in the same state.

Within one run this means: an order's final status is a function of the counterparties' final facts
(captured, refunded, delivered), whatever order the news came in. A stale "success" after a full
refund must not revive an order, and one that was paid must not rest unpaid.
"""

from __future__ import annotations

from chaos.account import Account
from chaos.checkers.checker import QuiescentChecker

UNPAID = frozenset(("created", "closing", "closed"))
RETURNED = frozenset(("refunded",))
RETURNED_LATER = frozenset(("refunded", "completed"))
DELIVERED = frozenset(("completed",))
OPEN = frozenset(("paid", "paid_late", "fulfilling", "held", "refunding"))


class OrderOfCallbacks(QuiescentChecker):
    """The facts decide how an order ends, not the post."""

    invariant = "I-25"

    def judge(self, account: Account) -> None:
        if account.row is None:
            return
        self.checked += 1
        if account.pending_refund_fen:
            self.undecided("order", account.order_id, "refund_open", events=account.money_events())
            return
        fact, allowed = self._facts(account)
        if account.status not in allowed:
            self.violated_order(
                account,
                fact,
                amount_fen=account.captured_fen or account.row["payable_fen"],
                events=[*account.money_events(), account.since_at],
                status=account.status,
            )

    def _facts(self, account: Account) -> tuple[str, frozenset[str]]:
        """What the books say finally of this order, and the statuses that may stand beside it."""
        if not account.captured_fen:
            return "never_paid", UNPAID
        back_fen = account.refunded_fen + account.wallet_fen
        if account.units > 0:
            return "delivered", RETURNED_LATER if back_fen >= account.captured_fen else DELIVERED
        if back_fen >= account.captured_fen:
            # A false success is found out after completion; refunds then do not change the status. But an
            # order whose money had all gone back before was revived.
            return "refunded", RETURNED_LATER if account.completed_once and not revived(account) else RETURNED
        return "paid", OPEN


def revived(account: Account) -> bool:
    """The order took on its status when the channel had already agreed to pay everything back."""
    back_fen = sum(
        refund.amount_fen
        for refund in account.refunds
        if refund.state == "done" and refund.accepted_us < account.since_us
    )
    return back_fen >= account.captured_fen
