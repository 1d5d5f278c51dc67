"""I-08: a wallet's balance is its opening balance plus the sum of its entries, at every commit."""

from __future__ import annotations

from chaos.checkers.checker import Checker, Handler


class WalletIsItsEntries(Checker):
    """No lost update, no balance without an entry, no entry without a balance."""

    invariant = "I-08"
    when = "c"

    def hears(self) -> dict[str, Handler]:
        return {"commit.wallet": self._committed}

    def _committed(self, user: str) -> None:
        books = self.books
        self.checked += 1
        if books.lost_track:
            self.undecided("wallet", user, "entries_lost", events=(books.at,))
            return
        row = books.wallet_rows.get(user)
        opening_fen = self.header.facts.get("wallets", {}).get(user, 0)
        entries, provisional = books.wallet_sums.get(user) or (opening_fen, 0)
        balance = row["balance_fen"] if row is not None else opening_fen
        held = row["provisional_fen"] if row is not None else 0
        if balance != entries or held != provisional:
            self.violated(
                "wallet",
                user,
                "differs",
                amount_fen=abs(balance - entries) + abs(held - provisional),
                users=(user,),
                events=(books.at,),
                balance_fen=balance + held,
                entries_fen=entries + provisional,
            )
