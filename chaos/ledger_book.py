"""The platform's ledger and compensations (GL, CMP), read into the accounts.

What the platform booked is its claim; wallets and credits are money that it alone can hand out, so
for those its ledger is the book.
"""

from __future__ import annotations

from chaos.account import MONEY, Account, Charge, Row
from chaos.books import Books, Handler
from chaos.history import State
from chaos.recent_rows import RecentRows


class LedgerBook:
    """Reads postings, wallets and compensations."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self._postings = RecentRows()
        self._compensations = RecentRows()

    def hears(self) -> dict[str, Handler]:
        """Event key → reducer."""
        return {
            "state.postings": self._posting,
            "state.wallets": self._wallet,
            "state.compensations": self._compensation,
        }

    def _posting(self, event: State) -> None:
        row = event.row
        if event.op == "insert":
            self._postings.replace(event.key, row)
        else:
            before = self._postings.replace(event.key, row)
            if before is not None:
                self._post(before, event, -1)
            elif row is None:
                self.books.lost_track += 1
        if row is not None:
            self._post(row, event, 1)

    def _post(self, row: Row, event: State, sign: int) -> None:
        account = self.books.touch(row["order_id"], MONEY)
        posting = row["posting"]
        credit = paid = 0
        for name, amount in row["lines"]:
            if name == "suspense":
                account.suspense_fen -= sign * amount
                if posting == "credit_final":
                    account.refunded_to_wallet_fen += sign * amount
                continue
            kind, _, user = name.partition(":")
            if kind in ("wallet", "provisional"):
                self._move_wallet(user, kind, -sign * amount)
                paid += amount
                account.moved_us = event.t_us
            elif kind == "platform_loss":
                account.wallet_fen -= sign * amount
                account.cost_fen += sign * amount
            elif kind == "compensation_cost":
                account.cost_fen += sign * amount
                if posting == "credit":
                    credit += amount
        if posting == "capture":
            account.booked_captures += sign
        elif posting == "wallet_payment":
            self._pay_from_wallet(account, row, event, paid, sign)
        elif paid:
            account.wallet_fen -= sign * paid
            account.credited_fen += sign * credit
            if posting == "wallet_refund":
                account.refunded_to_wallet_fen -= sign * paid

    def _move_wallet(self, user: str, kind: str, amount: int) -> None:
        sums = self.books.wallet_sums.get(user)
        if sums is None:
            opening = self.books.header.facts.get("wallets", {}).get(user, 0)
            sums = self.books.wallet_sums[user] = [opening, 0]
        sums[kind == "provisional"] += amount
        self.books.touched_wallets[user] = None

    def _pay_from_wallet(self, account: Account, row: Row, event: State, paid: int, sign: int) -> None:
        if sign > 0:
            charge = Charge(
                row["posting_id"],
                "wallet",
                captured_us=event.t_us,
                captured_at=self.books.at,
                paid_fen=paid,
                payer=event.row["lines"][0][0].partition(":")[2] if event.row else "",
            )
            account.charges.append(charge)
        else:
            account.charges = [c for c in account.charges if c.charge_no != row["posting_id"]]
        account.captures += sign
        account.captured_fen += sign * paid

    def _wallet(self, event: State) -> None:
        if event.row is None:
            self.books.wallet_rows.pop(event.key, None)
        else:
            self.books.wallet_rows[event.key] = event.row
        self.books.touched_wallets[event.key] = None

    def _compensation(self, event: State) -> None:
        before = self._compensations.replace(event.key, event.row)
        row = event.row or before
        if row is None:
            self.books.lost_track += 1
            return
        account = self.books.touch(row["order_id"], MONEY)
        if account.compensations is None:
            account.compensations = {}
        if event.row is None:
            account.compensations.pop(event.key, None)
        else:
            account.compensations[event.key] = event.row
