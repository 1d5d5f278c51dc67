"""I-17: once a user saw "completed" they never see "pending" again, and a member no "non-member".

A later look counts when it was asked for after the earlier one was answered. A membership may end
by itself, or be taken back by a commit; a failover that forgets it is no excuse.
"""

from __future__ import annotations

from chaos.account import NEVER
from chaos.books import Books
from chaos.checkers.checker import Checker, Handler
from chaos.history import Notice, Ok, Read, State

PENDING = frozenset(("created", "closing", "closed", "paid", "paid_late", "fulfilling", "held"))


class MonotonicReads(Checker):
    """What a user was told does not become untrue by asking again."""

    invariant = "I-17"
    when = "c"

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._members: dict[str, tuple[int, int, int]] = {}

    def hears(self) -> dict[str, Handler]:
        return {
            "ok.view_order": self._viewed,
            "read.order": self._read_order,
            "notice.order_completed": self._told,
            "ok.view_membership": self._viewed_membership,
            "read.membership": self._read_membership,
            "state.memberships": self._membership,
        }

    def _viewed(self, event: Ok) -> None:
        invoked = self.books.invoked
        self._look(event.result["status"], invoked.t_us if invoked is not None else event.t_us, event.t_us)

    def _read_order(self, event: Read) -> None:
        status = event.value.get("status")
        if status is None:
            account = self.books.account
            if account is not None and account.completed_seen_us != NEVER:
                self.undecided("order", event.key, "not_read", events=(self.books.at,))
        else:
            self._look(status, event.t_us, event.t_us)

    def _told(self, event: Notice) -> None:
        self._look("completed", event.t_us, event.t_us)

    def _look(self, status: str, asked_us: int, seen_us: int) -> None:
        self.checked += 1
        account = self.books.account
        if account is None:
            return
        if status == "completed":
            if account.completed_seen_us == NEVER:
                account.completed_seen_us, account.completed_seen_at = seen_us, self.books.at
        elif status in PENDING and NEVER != account.completed_seen_us <= asked_us:
            self.violated_order(
                account,
                "order_went_back",
                amount_fen=account.row["payable_fen"] if account.row is not None else account.captured_fen,
                events=(account.completed_seen_at, self.books.at),
                status=status,
            )

    def _viewed_membership(self, event: Ok) -> None:
        invoked = self.books.invoked
        asked_us = invoked.t_us if invoked is not None else event.t_us
        self._look_membership(
            event.user, event.result["member"], event.result["until_us"], asked_us, event.t_us
        )

    def _read_membership(self, event: Read) -> None:
        value = event.value
        if "member" in value:
            self._look_membership(event.key, value["member"], value["until_us"], event.t_us, event.t_us)

    def _look_membership(self, user: str, member: bool, until_us: int, asked_us: int, seen_us: int) -> None:
        self.checked += 1
        if member:
            known = self._members.get(user)
            if known is None or until_us > known[0]:
                self._members[user] = (until_us, seen_us, self.books.at)
            return
        known = self._members.get(user)
        if known is not None and known[1] <= asked_us and seen_us + self.books.epoch_us < known[0]:
            self.violated(
                "user",
                user,
                "member_lost",
                users=(user,),
                events=(known[2], self.books.at),
                until_us=known[0],
                left_us=known[0] - seen_us - self.books.epoch_us,
            )

    def _membership(self, event: State) -> None:
        known = self._members.get(event.key)
        if known is None or event.op == "revert":
            return
        if event.row is None or event.row["until_us"] < known[0]:
            del self._members[event.key]
