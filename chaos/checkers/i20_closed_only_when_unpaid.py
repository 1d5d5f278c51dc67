"""I-20: an order closes only after the channel's close or query said unpaid; "already paid" means paid.

A payment after that answer is nobody's fault (a user can pay between the last query and the
close), nor is a channel whose answer lags its own books; the money is then I-21's.
"""

from __future__ import annotations

from chaos.account import LOG, NEVER, ORDER, REVERTED, UNPAID_ANSWERS, Account, Charge
from chaos.checkers.checker import Checker, Handler


class ClosedOnlyWhenUnpaid(Checker):
    """Nobody's order is closed by a timer alone."""

    invariant = "I-20"
    when = "c"
    cares_for = LOG | ORDER

    def hears(self) -> dict[str, Handler]:
        return {"commit.order": self._committed}

    def _committed(self, account: Account) -> None:
        if account.status != "closed" or account.previous == "closed" or account.changed & REVERTED:
            return
        for charge in account.charges:
            if charge.opened:
                self.checked += 1
                self._judge(account, charge)

    def _judge(self, account: Account, charge: Charge) -> None:
        if charge.answer is None:
            self.undecided(
                "order", account.order_id, "answer_missing", events=(charge.answer_at, self.books.at)
            )
            return
        if charge.answer_us == NEVER:
            words = "blind" if charge.captured_us == NEVER else "blind_paid"
        elif charge.answer not in UNPAID_ANSWERS:
            words = "said_paid"
        else:
            return
        row = account.row
        self.violated_order(
            account,
            words,
            amount_fen=charge.paid_fen or (row["payable_fen"] if row is not None else 0),
            events=[at for at in (charge.captured_at, charge.answer_at, self.books.at) if at != NEVER],
            charge=charge.charge_no,
            answer=charge.answer,
        )
