"""I-05: refunds, pending and done, never exceed captures; one refund number per refund intent.

Both sides are watched: what the platform asks for (its refund rows) and what the channel accepts,
together with what was refunded into the wallet for good.
"""

from __future__ import annotations

from chaos.account import MONEY, REFUNDS, Account, Row
from chaos.checkers.checker import Checker, Handler
from chaos.history import Book


class RefundsWithinCaptures(Checker):
    """Money goes back once."""

    invariant = "I-05"
    when = "c"
    cares_for = MONEY | REFUNDS

    def hears(self) -> dict[str, Handler]:
        return {"commit.order": self._committed, "CH.refund_accepted": self._accepted}

    def _committed(self, account: Account) -> None:
        if account.changed & REFUNDS and account.refund_rows:
            self._judge_intents(account)
        if account.changed & MONEY and account.refunded_to_wallet_fen:
            self._judge_money(account)

    def _accepted(self, _: Book) -> None:
        assert self.books.account is not None
        self._judge_money(self.books.account)

    def _judge_money(self, account: Account) -> None:
        self.checked += 1
        back_fen = account.refunded_to_wallet_fen
        back_fen += sum(refund.amount_fen for refund in account.refunds if refund.state != "failed")
        if back_fen > account.captured_fen:
            self.violated_so_far(
                account,
                "too_much",
                amount_fen=back_fen - account.captured_fen,
                events=account.money_events(),
                refunds_fen=back_fen,
                captured_fen=account.captured_fen,
            )

    def _judge_intents(self, account: Account) -> None:
        self.checked += 1
        asked_fen = 0
        intents: dict[tuple[str, str], Row] = {}
        for row in (account.refund_rows or {}).values():
            if row["status"] == "failed":
                continue
            asked_fen += row["amount_fen"]
            twin = intents.setdefault((row["charge_no"], row["intent"]), row)
            if twin is not row:
                self.violated_so_far(
                    account,
                    "two_numbers",
                    amount_fen=row["amount_fen"],
                    events=(self.books.at,),
                    intent=row["intent"],
                    first=twin["refund_no"],
                    second=row["refund_no"],
                )
                return
        if asked_fen > account.captured_fen:
            self.violated_so_far(
                account,
                "too_much",
                amount_fen=asked_fen - account.captured_fen,
                events=(self.books.at,),
                refunds_fen=asked_fen,
                captured_fen=account.captured_fen,
            )
