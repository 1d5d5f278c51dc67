"""The books read event by event into one account an order.

The judge feeds each event here before any checker sees it, so checkers find the order's account
up to date (`Books.account`). A failover that loses acknowledged commits is followed row by row:
what a `revert` takes back is taken back here too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chaos.account import (
    ATTEMPTS,
    CHARGES,
    GOODS,
    LOG,
    NEVER,
    ORDER,
    REFUNDS,
    REVERTED,
    Account,
    Delivery,
    Row,
)
from chaos.history import Book, Fail, Fault, Header, Invoke, Ok, Read, State, Unknown
from chaos.recent_rows import RecentRows

Handler = Callable[[Any], object]

BLOCKING = (
    "node.crash",
    "node.pause",
    "node.slow",
    "database.",
    "link.",
    "channel.down",
    "channel.result_unknown",
)
"""Faults that keep the platform from acting; a touch counts for a minute."""

TOUCH_US = 60_000_000


class Books:
    """All accounts, and what is not an order's: cards, inbox, wallets, running operations."""

    def __init__(self, header: Header) -> None:
        self.header = header
        facts = header.facts
        self.products: dict[str, Any] = facts.get("products", {})
        self.epoch_us: int = facts.get("epoch_us", 0)
        self.accounts: dict[str, Account] = {}
        self.account: Account | None = None
        """The order that the present event is about."""
        self.at = NEVER
        """Index of the present event."""
        self.last: Any = None
        self.touched: list[Account] = []
        self.cards: dict[str, Row] = {}
        self.card_before: Row | None = None
        self.inbox: dict[str, Row] = {}
        self.inbox_before: Row | None = None
        self.wallet_rows: dict[str, Row] = {}
        self.wallet_sums: dict[str, list[int]] = {}
        self.touched_wallets: dict[str, None] = {}
        self.started: dict[int, Invoke] = {}
        self.invoked: Invoke | None = None
        """The invocation that the present ok, fail or unknown answers."""
        self.clicks: dict[tuple[str, str], int] = {}
        """User and client key → when the order was first asked for, until its row is there."""
        self.reads = 0
        self.lost_track = 0
        """Reverts of rows that are no longer remembered."""
        self._blocking = 0
        self._blocked_until_us = NEVER
        self._grants = RecentRows()
        self._log = RecentRows()

    @property
    def now_us(self) -> int:
        """Time of the latest event; during a commit, of its last row."""
        return 0 if self.last is None else int(self.last.t_us)

    @property
    def finished(self) -> bool:
        """The run came to its final reads or to its end: the quiescent truth is in."""
        return self.reads > 0 or (self.last is not None and self.now_us >= self.header.end_us)

    @property
    def blocked(self) -> bool:
        """Something keeps the platform from acting at this moment."""
        return self._blocking > 0 or self.now_us <= self._blocked_until_us

    def hears(self) -> dict[str, Handler]:
        """Event key → reducer. Keys are those of `chaos.checkers.judge`."""
        return {
            "invoke.*": self._invoked,
            "ok.*": self._answered,
            "fail.*": self._answered,
            "unknown.*": self._answered,
            "ok.view_order": self._viewed,
            "read.*": self._read,
            "notice.*": self._noticed,
            "fault.*": self._faulted,
            "state.orders": self._order,
            "state.order_log": self._logged,
            "state.charges": self._charge_row,
            "state.cards": self._card,
            "state.grants": self._grant,
            "state.attempts": self._attempt_row,
            "state.refunds": self._refund_row,
            "state.inbox": self._inbox_row,
            "state.tickets": self._ticket,
        }

    # ------------------------------------------------------------ finding accounts

    def open(self, order_id: str) -> Account:
        """The account of this order, made when a book first names it."""
        account = self.accounts.get(order_id)
        if account is None:
            account = self.accounts[order_id] = Account(order_id)
        self.account = account
        return account

    def touch(self, order_id: str, what: int) -> Account:
        """As `open`; the order is judged again when the transaction ends."""
        account = self.accounts.get(order_id)
        if account is None:
            account = self.accounts[order_id] = Account(order_id)
        self.account = account
        if not account.changed:
            self.touched.append(account)
        account.changed |= what
        return account

    def settle(self, account: Account) -> None:
        """The transaction is complete: move the order's status on before anybody judges it."""
        account.previous = before = account.status
        if not account.changed & ORDER:
            return
        row = account.row
        status = row["status"] if row is not None else ""
        account.previous_since_us, account.previous_at = account.since_us, account.since_at
        if status == before:
            return
        account.status, account.since_us, account.since_at = status, self.now_us, self.at
        if status == "closed":
            account.closed_us, account.closed_at = self.now_us, self.at
        elif status == "completed":
            account.completed_once = True
        elif account.changed & REVERTED and status in ("", "created", "closing"):
            account.closed_us = NEVER

    # ------------------------------------------------------------ users

    def _invoked(self, event: Invoke) -> None:
        self.started[event.op] = event
        if event.action == "place_order":
            self.clicks.setdefault((event.user, event.args["client_key"]), event.t_us)

    def _answered(self, event: Ok | Fail | Unknown) -> None:
        self.invoked = self.started.pop(event.op, None)

    def _viewed(self, event: Ok) -> None:
        self.account = self.accounts.get(event.result["order_id"])

    def _read(self, event: Read) -> None:
        self.reads += 1
        self.account = self.accounts.get(event.key)

    def _noticed(self, event: Any) -> None:
        self.account = self.accounts.get(event.order_id)

    def _faulted(self, event: Fault) -> None:
        if event.fault.startswith(BLOCKING):
            if event.phase == "start":
                self._blocking += 1
            elif event.phase == "end":
                self._blocking -= 1
            self._blocked_until_us = max(self._blocked_until_us, event.t_us + TOUCH_US)

    # ------------------------------------------------------------ ORD

    def _order(self, event: State) -> None:
        account = self.touch(event.key, ORDER)
        if account.row is None:
            account.placed_at = self.at
            if event.row is not None and account.clicked_us == NEVER:
                clicked = (event.row["user"], event.row["client_key"])
                account.clicked_us = self.clicks.pop(clicked, NEVER)
        account.row = event.row
        if event.op == "revert":
            account.changed |= REVERTED
            account.lost = True

    def _logged(self, event: State) -> None:
        row = event.row
        if event.op != "insert":
            before = self._log.replace(event.key, row)
            if before is None and row is None:
                self.lost_track += 1
                self.account = None
            else:
                self.touch((before or row or {})["order_id"], LOG | REVERTED)
            return
        if row is None:
            raise ValueError("an inserted row of order_log is empty")
        self._log.replace(event.key, row)
        account = self.touch(row["order_id"], LOG)
        if account.log is None:
            account.log = [row]
        else:
            account.log.append(row)

    def _charge_row(self, event: State) -> None:
        what = CHARGES | REVERTED if event.op == "revert" else CHARGES
        account = self.touch(event.key.partition("/")[0], what)
        account.charge(event.key).row = event.row

    def _attempt_row(self, event: State) -> None:
        account = self.touch(event.key.partition("/")[0], ATTEMPTS)
        account.attempt(event.key, self.at).row = event.row

    def _refund_row(self, event: State) -> None:
        account = self.touch(event.key.partition("/")[0], REFUNDS)
        if account.refund_rows is None:
            account.refund_rows = {}
        if event.row is None:
            account.refund_rows.pop(event.key, None)
        else:
            account.refund_rows[event.key] = event.row

    def _inbox_row(self, event: State) -> None:
        self.inbox_before = self.inbox.get(event.key)
        if event.row is None:
            self.inbox.pop(event.key, None)
        else:
            self.inbox[event.key] = event.row

    def _ticket(self, event: State) -> None:
        row = event.row
        if row is None:
            for account in self.accounts.values():
                if account.tickets is not None:
                    account.tickets.pop(event.key, None)
            return
        account = self.open(row["order_id"] or row["ref"].partition("/")[0])
        if account.tickets is None:
            account.tickets = {}
        account.tickets[event.key] = row
        if account.ticket_us == NEVER:
            account.ticket_us = event.t_us

    # ------------------------------------------------------------ goods

    def _card(self, event: State) -> None:
        key, row = event.key, event.row
        before = self.card_before = self.cards.get(key)
        if row is None:
            self.cards.pop(key, None)
        else:
            self.cards[key] = row
        if before is not None and before["status"] == "sold":
            if row is not None and row["status"] == "sold" and row["order_id"] == before["order_id"]:
                return
            account = self.deliver(before["order_id"], -1, event)
            account.cards.remove(key)
            if event.op == "revert":
                account.lost_cards = [*(account.lost_cards or ()), before["secret"]]
        if row is not None and row["status"] == "sold":
            account = self.deliver(row["order_id"], 1, event)
            account.cards.append(key)

    def deliver(self, order_id: str, units: int, event: State | Book) -> Account:
        """Units reached the buyer of this order, or (negative) were taken back."""
        account = self.touch(order_id, GOODS)
        account.units += units
        account.moved_us = event.t_us
        account.deliveries.append(Delivery(event.t_us, self.at, units))
        return account

    def _grant(self, event: State) -> None:
        before = self._grants.replace(event.key, event.row)
        if before is None and event.row is None:
            self.lost_track += 1
        for row, sign in ((before, -1), (event.row, 1)):
            if row is not None and row["order_id"] and not self._is_compensation(row):
                self.deliver(row["order_id"], sign * self._grant_units(row), event)

    def _is_compensation(self, grant: Row) -> bool:
        account = self.accounts.get(grant["order_id"])
        known = account.compensations if account is not None else None
        return known is not None and grant["source"] in known

    def _grant_units(self, grant: Row) -> int:
        account = self.open(grant["order_id"])
        if account.row is None:
            return 1
        days = self.products.get(account.row["sku"], {}).get("days", 0)
        return max(1, grant["days"] // days) if days else int(account.row["quantity"])
