"""I-22: a callback that the channel's book does not confirm has no effect.

Whatever the forgery (signature, order, app, amount, or a true signature over an unpaid charge), the
test is the same: the platform may hold a charge paid, book a capture or mark an order paid only
with a capture of that charge and that amount in the channel's own book.
"""

from __future__ import annotations

from chaos.account import CHARGES, LOG, MONEY, NEVER, ORDER, REVERTED, Account, Charge
from chaos.books import Books
from chaos.checkers.checker import Checker, Handler
from chaos.history import Fault

PAID = frozenset(("paid", "paid_late", "fulfilling", "completed"))


class ForgedHasNoEffect(Checker):
    """Only the channel's book makes money."""

    invariant = "I-22"
    when = "c"
    cares_for = CHARGES | LOG | MONEY | ORDER

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._forged: dict[str, tuple[str, int]] = {}

    def hears(self) -> dict[str, Handler]:
        return {"fault.channel.callback_forged": self._forgery, "commit.order": self._committed}

    def _forgery(self, event: Fault) -> None:
        if event.phase != "touch":
            return
        self.checked += 1
        charge_no = event.data.get("charge_no") or "".join(event.data.get("key", ())[:1])
        self._forged[charge_no.partition("/")[0]] = (event.data.get("forgery", ""), self.books.at)
        if not charge_no:
            self.undecided("run", event.site, "forged_unknown", events=(self.books.at,))

    def _committed(self, account: Account) -> None:
        changed = account.changed
        if changed & REVERTED:
            return
        if changed & CHARGES:
            for charge in account.charges:
                if charge.row is not None and charge.row["status"] == "paid":
                    self.checked += 1
                    self._judge_charge(account, charge)
        if changed & MONEY and account.booked_captures and not account.channel_captures:
            self._violated(account, "booked", account.suspense_fen)
        elif account.status in PAID and account.previous not in PAID and not account.captures:
            self._violated(
                account, "order_paid", account.row["payable_fen"] if account.row is not None else 0
            )

    def _judge_charge(self, account: Account, charge: Charge) -> None:
        row = charge.row or {}
        if charge.captured_us == NEVER:
            self._violated(account, "charge_paid", row["paid_fen"] or row["amount_fen"], charge)
        elif row["paid_fen"] != charge.paid_fen:
            off_fen = abs(row["paid_fen"] - charge.paid_fen)
            self._violated(account, "other_amount", off_fen, charge, booked_fen=row["paid_fen"])

    def _violated(
        self, account: Account, words: str, amount_fen: int, charge: Charge | None = None, **data: object
    ) -> None:
        forgery, forged_at = self._forged.get(account.order_id, ("", NEVER))
        self.violated_so_far(
            account,
            words,
            amount_fen=amount_fen,
            events=[at for at in (forged_at, self.books.at) if at != NEVER],
            charge=charge.charge_no if charge is not None else "",
            paid_fen=charge.paid_fen if charge is not None else 0,
            forgery=forgery,
            **data,
        )
