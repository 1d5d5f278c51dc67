"""I-04: goods go out only against a capture of exactly the payable amount; other money is suspense."""

from __future__ import annotations

from chaos.account import GOODS, NEVER, Account
from chaos.checkers.checker import Checker, Handler


class AmountMatches(Checker):
    """A wrong amount is never fulfilled."""

    invariant = "I-04"
    when = "c"
    cares_for = GOODS

    def hears(self) -> dict[str, Handler]:
        return {"commit.order": self._committed}

    def _committed(self, account: Account) -> None:
        if account.units > 0 and account.captures:
            self._judge(account)

    def _judge(self, account: Account) -> None:
        self.checked += 1
        row = account.row
        if row is None:
            if account.lost:
                self.undecided("order", account.order_id, "row_lost")
            return
        payable_fen = row["payable_fen"]
        captures = [charge for charge in account.charges if charge.captured_us != NEVER]
        for charge in captures:
            if charge.paid_fen == payable_fen:
                return
        paid_fen = captures[0].paid_fen
        delivered = [delivery.at for delivery in account.deliveries if delivery.units > 0]
        self.violated_so_far(
            account,
            "fulfilled",
            amount_fen=abs(payable_fen - paid_fen),
            events=[captures[0].captured_at, *delivered],
            paid_fen=paid_fen,
            payable_fen=payable_fen,
        )
