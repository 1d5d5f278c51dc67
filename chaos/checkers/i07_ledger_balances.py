"""I-07: debits equal credits in every posting, and no wallet falls below zero."""

from __future__ import annotations

from chaos.checkers.checker import Checker, Handler
from chaos.history import State


class LedgerBalances(Checker):
    """The ledger is double entry, and nobody spends what is not there."""

    invariant = "I-07"
    when = "c"

    def hears(self) -> dict[str, Handler]:
        return {"state.postings": self._posted, "state.wallets": self._wallet}

    def _posted(self, event: State) -> None:
        row = event.row
        if row is None:
            return
        self.checked += 1
        total = 0
        for _, amount in row["lines"]:
            total += amount
        if total:
            account = self.books.account
            self.violated(
                "posting",
                event.key,
                "unbalanced",
                amount_fen=abs(total),
                users=account.users if account is not None else (),
                events=(self.books.at,),
                posting=row["posting"],
                order=row["order_id"],
                off_fen=total,
            )

    def _wallet(self, event: State) -> None:
        row = event.row
        if row is None:
            return
        self.checked += 1
        below_fen = min(row["balance_fen"], row["provisional_fen"])
        if below_fen < 0:
            self.violated(
                "wallet",
                event.key,
                "below_zero",
                amount_fen=-below_fen,
                users=(event.key,),
                events=(self.books.at,),
                balance_fen=below_fen,
            )
