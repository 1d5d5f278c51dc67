"""I-29: at most one compensation per order, rule and incident; within its cap; no exclusion true.

From the platform's compensation rows and ledger against the counterparties' books. Whether a
compensation was owed at all is the oracle's question (I-30), not this one.
"""

from __future__ import annotations

from typing import Any

from chaos.account import GOODS, MONEY, NEVER, REVERTED, Account, Row
from chaos.books import Books
from chaos.checkers.checker import Checker, Handler

NEEDS_CAPTURE = frozenset(("K-01", "K-02", "K-03", "K-04", "K-05", "K-06", "K-13"))
CREDITS = frozenset(("K-01", "K-02", "K-10", "K-11", "K-12"))


class CompensatedOnce(Checker):
    """Making good is done once, and not where it is excluded."""

    invariant = "I-29"
    when = "c"
    cares_for = GOODS | MONEY

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._judged: dict[str, None] = {}

    def hears(self) -> dict[str, Handler]:
        return {"commit.order": self._committed}

    def _committed(self, account: Account) -> None:
        rows = account.compensations
        if account.credited_fen > 0 and not account.changed & REVERTED:
            self._judge_credit(account)
        if rows:
            for cmp_id, row in rows.items():
                if cmp_id not in self._judged:
                    self._judged[cmp_id] = None
                    self.checked += 1
                    self._judge(account, cmp_id, row, rows)

    def _judge(self, account: Account, cmp_id: str, row: Row, rows: dict[str, Row]) -> None:
        rule = row["rule"]
        for other_id, other in rows.items():
            same = other["rule"] == rule and other["incident"] == row["incident"]
            if same and other_id != cmp_id and other_id in self._judged:
                self._violated(account, row, "twice", other=other_id)
                return
        excluded = self._exclusion(account, row, rows)
        cap_fen = self.header.policy.get(rule, {}).get("cap_fen")
        if excluded:
            self._violated(account, row, excluded)
        elif cap_fen is not None and row["amount_fen"] > cap_fen:
            self._violated(account, row, "over_cap", cap_fen=cap_fen)

    def _exclusion(self, account: Account, row: Row, rows: dict[str, Row]) -> str:
        """The exclusion that was true when the row was written, or nothing."""
        rule, order = row["rule"], account.row
        if self.header.policy.get(rule, {}).get("enabled") is False:
            return "rule_off"
        if rule in NEEDS_CAPTURE and not account.captures:
            return "no_capture"
        if rule == "K-02" and any(other["rule"] == "K-01" for other in rows.values()):
            return "same_incident"
        if order is None:
            return ""
        if rule == "K-01" and account.status == "completed" and account.units >= order["quantity"]:
            return "delivered"
        if rule == "K-13" and account.units >= order["quantity"]:
            return "delivered"
        wait_us = self.books.products.get(order["sku"], {}).get("disclosed_wait_us", 0)
        if rule in ("K-01", "K-02") and wait_us and self.books.now_us < _paid_us(account, order) + wait_us:
            return "window_open"
        return ""

    def _judge_credit(self, account: Account) -> None:
        """What the ledger credited must be in compensation rows, each once."""
        self.checked += 1
        granted_fen = sum(
            row["amount_fen"] for row in (account.compensations or {}).values() if row["rule"] in CREDITS
        )
        if account.credited_fen > granted_fen:
            if self.books.lost_track:
                self.undecided("order", account.order_id, "entries_lost")
                return
            self.violated_so_far(
                account,
                "credited_again",
                amount_fen=account.credited_fen - granted_fen,
                events=(self.books.at,),
                credited_fen=account.credited_fen,
                granted_fen=granted_fen,
            )

    def _violated(self, account: Account, row: Row, words: str, **data: Any) -> None:
        """Each row is money of its own, so what several of one order cost adds up."""
        self.violated(
            "order",
            account.order_id,
            words,
            amount_fen=row["amount_fen"],
            users=account.users,
            events=(self.books.at,),
            rule=row["rule"],
            compensation=row["cmp_id"],
            **data,
        )


def _paid_us(account: Account, order: Row) -> int:
    """When the wait began: with the first payment of the price. Another one, which goes back, begins no new wait."""
    captures = [charge for charge in account.charges if charge.captured_us != NEVER]
    right = [charge for charge in captures if charge.paid_fen == order["payable_fen"]]
    return min((charge.captured_us for charge in right or captures), default=0)
