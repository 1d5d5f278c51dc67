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
    MONEY,
    NEVER,
    ORDER,
    REFUNDS,
    REVERTED,
    Account,
    Attempt,
    Charge,
    Delivery,
    Refund,
    Row,
)
from chaos.history import Book, Fail, Fault, Header, Invoke, Ok, Read, State, Unknown

Handler = Callable[[Any], None]

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
NOT_FOUND_FINAL_US = 600_000_000
"""A supplier's `not_found` means failed only ten minutes after the attempt (its own contract)."""

OPEN_WORDS = frozenset(("", "processing", "unconfirmed", "duplicate", "unknown"))
REMEMBERED_ROWS = 1 << 16


class RecentRows:
    """The latest rows of an append-only table by key, for the case that a failover takes them back.

    Two generations bound the memory; a revert that reaches further back is reported, not guessed.
    """

    __slots__ = ("_limit", "_old", "_young")

    def __init__(self, limit: int = REMEMBERED_ROWS) -> None:
        self._limit = limit
        self._young: dict[str, Row] = {}
        self._old: dict[str, Row] = {}

    def replace(self, key: str, row: Row | None) -> Row | None:
        """Remember `row` under `key` (None: forget it); the row that was there."""
        before = self._young.pop(key, None) or self._old.pop(key, None)
        if row is not None:
            if len(self._young) >= self._limit:
                self._old, self._young = self._young, {}
            self._young[key] = row
        return before


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
        self.reads = 0
        self.lost_track = 0
        """Reverts of rows that are no longer remembered."""
        self._blocking = 0
        self._blocked_until_us = NEVER
        self._postings = RecentRows()
        self._grants = RecentRows()
        self._compensations = RecentRows()
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
            "state.postings": self._posting,
            "state.wallets": self._wallet,
            "state.grants": self._grant,
            "state.attempts": self._attempt_row,
            "state.refunds": self._refund_row,
            "state.compensations": self._compensation,
            "state.inbox": self._inbox_row,
            "state.tickets": self._ticket,
            "CH.charge_opened": self._opened,
            "CH.captured": self._captured,
            "CH.closed": self._channel_closed,
            "CH.answered": self._channel_answered,
            "CH.refund_accepted": self._refund_accepted,
            "CH.refund_done": self._refund_ended,
            "CH.refund_failed": self._refund_ended,
            "CH.callback_acked": self._of_order,
            "SUP.attempt_received": self._attempt_received,
            "SUP.delivered": self._supplier_delivered,
            "SUP.failed": self._of_order,
            "SUP.answered": self._supplier_answered,
            "SUP.callback_sent": self._supplier_telling,
            "SUP.callback_acked": self._supplier_heard,
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

    def _of_order(self, event: Book) -> None:
        self.open(event.ref.partition("/")[0])

    # ------------------------------------------------------------ users

    def _invoked(self, event: Invoke) -> None:
        self.started[event.op] = event

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
        self._charge(account, event.key).row = event.row

    def _attempt_row(self, event: State) -> None:
        account = self.touch(event.key.partition("/")[0], ATTEMPTS)
        self._attempt(account, event.key).row = event.row

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
            account = self._deliver(before["order_id"], -1, event)
            account.cards.remove(key)
            if event.op == "revert":
                account.lost_cards = [*(account.lost_cards or ()), before["secret"]]
        if row is not None and row["status"] == "sold":
            account = self._deliver(row["order_id"], 1, event)
            account.cards.append(key)

    def _deliver(self, order_id: str, units: int, event: State | Book) -> Account:
        account = self.touch(order_id, GOODS)
        account.units += units
        account.deliveries.append(Delivery(event.t_us, self.at, units))
        return account

    def _grant(self, event: State) -> None:
        before = self._grants.replace(event.key, event.row)
        if before is None and event.row is None:
            self.lost_track += 1
        for row, sign in ((before, -1), (event.row, 1)):
            if row is not None and row["order_id"] and not self._is_compensation(row):
                self._deliver(row["order_id"], sign * self._grant_units(row), event)

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

    # ------------------------------------------------------------ money

    def _posting(self, event: State) -> None:
        row = event.row
        if event.op == "insert":
            self._postings.replace(event.key, row)
        else:
            before = self._postings.replace(event.key, row)
            if before is not None:
                self._post(before, event, -1)
            elif row is None:
                self.lost_track += 1
        if row is not None:
            self._post(row, event, 1)

    def _post(self, row: Row, event: State, sign: int) -> None:
        account = self.touch(row["order_id"], MONEY)
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
            elif kind == "platform_loss":
                account.wallet_fen -= sign * amount
            elif kind == "compensation_cost" and posting == "credit":
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
        sums = self.wallet_sums.get(user)
        if sums is None:
            opening = self.header.facts.get("wallets", {}).get(user, 0)
            sums = self.wallet_sums[user] = [opening, 0]
        sums[kind == "provisional"] += amount
        self.touched_wallets[user] = None

    def _pay_from_wallet(self, account: Account, row: Row, event: State, paid: int, sign: int) -> None:
        if sign > 0:
            charge = Charge(
                row["posting_id"],
                "wallet",
                captured_us=event.t_us,
                captured_at=self.at,
                paid_fen=paid,
                payer=event.row["lines"][0][0].partition(":")[2] if event.row else "",
            )
            self._add_charge(account, charge)
        else:
            account.charges = [c for c in account.charges if c.charge_no != row["posting_id"]]
        account.captures += sign
        account.captured_fen += sign * paid

    def _wallet(self, event: State) -> None:
        if event.row is None:
            self.wallet_rows.pop(event.key, None)
        else:
            self.wallet_rows[event.key] = event.row
        self.touched_wallets[event.key] = None

    def _compensation(self, event: State) -> None:
        before = self._compensations.replace(event.key, event.row)
        row = event.row or before
        if row is None:
            self.lost_track += 1
            return
        account = self.touch(row["order_id"], MONEY)
        if account.compensations is None:
            account.compensations = {}
        if event.row is None:
            account.compensations.pop(event.key, None)
        else:
            account.compensations[event.key] = event.row

    # ------------------------------------------------------------ CH

    def _add_charge(self, account: Account, charge: Charge) -> Charge:
        account.charges.append(charge)
        return charge

    def _charge(self, account: Account, charge_no: str) -> Charge:
        return account.charge(charge_no) or self._add_charge(account, Charge(charge_no))

    def _opened(self, event: Book) -> None:
        charge = self._charge(self.open(event.ref.partition("/")[0]), event.ref)
        charge.opened = True
        charge.channel = event.data["channel"]

    def _captured(self, event: Book) -> None:
        account = self.open(event.ref.partition("/")[0])
        charge = self._charge(account, event.ref)
        if charge.captured_us != NEVER:  # the channel took the money twice on one number
            charge = self._add_charge(account, Charge(event.ref, opened=True, row=charge.row))
        charge.captured_us = event.t_us
        charge.captured_at = self.at
        charge.paid_fen = event.data["paid_fen"]
        charge.payer = event.data.get("payer", "")
        charge.channel = event.data["channel"]
        account.captures += 1
        account.channel_captures += 1
        account.captured_fen += charge.paid_fen

    def _channel_closed(self, event: Book) -> None:
        charge = self._charge(self.open(event.ref.partition("/")[0]), event.ref)
        charge.closed = True
        charge.answer, charge.answer_us, charge.answer_at = "CLOSED", event.t_us, self.at

    def _channel_answered(self, event: Book) -> None:
        charge = self._charge(self.open(event.ref.partition("/")[0]), event.ref)
        charge.answer, charge.answer_us, charge.answer_at = event.data.get("result"), event.t_us, self.at

    def _refund_accepted(self, event: Book) -> None:
        account = self.open(event.ref.partition("/")[0])
        data = event.data
        for refund in account.refunds:
            if refund.refund_no == data["refund_no"]:
                if refund.state == "failed":
                    refund.state = "accepted"
                return
        account.refunds.append(
            Refund(data["refund_no"], event.ref, data["amount_fen"], event.t_us, self.at, "accepted")
        )

    def _refund_ended(self, event: Book) -> None:
        self._refund_accepted(event)
        state = "done" if event.entry == "refund_done" else "failed"
        for refund in self.open(event.ref.partition("/")[0]).refunds:
            if refund.refund_no == event.data["refund_no"]:
                refund.state = state

    # ------------------------------------------------------------ SUP

    def _attempt(self, account: Account, attempt_no: str) -> Attempt:
        if account.attempts is None:
            account.attempts = []
        for attempt in account.attempts:
            if attempt.attempt_no == attempt_no:
                return attempt
        attempt = Attempt(attempt_no, self.at)
        account.attempts.append(attempt)
        return attempt

    def _attempt_received(self, event: Book) -> None:
        attempt = self._attempt(self.open(event.ref.partition("/")[0]), event.ref)
        attempt.supplier = event.data["supplier"]
        attempt.said = ""
        if attempt.received_us == NEVER:
            attempt.received_us = event.t_us

    def _supplier_delivered(self, event: Book) -> None:
        quantity = event.data["quantity"]
        account = self._deliver(event.ref.partition("/")[0], quantity, event)
        self._attempt(account, event.ref).delivered += quantity
        account.supplier_successes += quantity > 0

    def _supplier_answered(self, event: Book) -> None:
        attempt = self._attempt(self.open(event.ref.partition("/")[0]), event.ref)
        status = event.data["status"]
        if status == "not_found":
            sent_us = attempt.received_us
            if sent_us == NEVER or event.t_us - sent_us >= NOT_FOUND_FINAL_US:
                attempt.said = "fail"
        elif status == "success":
            attempt.said = "success"
        elif status not in OPEN_WORDS:
            attempt.said = "fail"

    def _supplier_telling(self, event: Book) -> None:
        attempt = self._attempt(self.open(event.ref.partition("/")[0]), event.ref)
        attempt.telling = event.data["status"]

    def _supplier_heard(self, event: Book) -> None:
        attempt = self._attempt(self.open(event.ref.partition("/")[0]), event.ref)
        if event.data["accepted"] and attempt.telling in ("success", "fail"):
            attempt.said = attempt.telling
