"""What the books say about one order, folded as the history goes by.

One `Account` is shared by every checker, so each event is read once. Money and goods are the
counterparties' own: captures and refunds from the channel, deliveries from the stock rows, the
supplier and the grants. The platform's rows stand beside them as claims.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

NEVER = -1

# What a transaction changed of an order (`Account.changed`).
ORDER = 1
LOG = 2
GOODS = 4
MONEY = 8
ATTEMPTS = 16
REFUNDS = 32
CHARGES = 64
REVERTED = 128
EVERYTHING = 255

Row = Mapping[str, Any]

UNPAID_ANSWERS = frozenset(
    ("NOTPAY", "CLOSED", "NOT_FOUND", "TRADE_NOT_EXIST", "OK", "ok", "closed", "REVOKED")
)
"""What a channel may answer to a query or close of a charge that nobody has paid."""


class Charge(msgspec.Struct, gc=False):
    """One charge: the channel's truth, and the row the platform keeps of it.

    A payment from the wallet is a charge on the channel `wallet` whose number is the posting's id.
    `answer` is the channel's latest word about it (query, close, or its own closing); None when the
    book does not say what it was.
    """

    charge_no: str
    channel: str = ""
    opened: bool = False
    captured_us: int = NEVER
    captured_at: int = NEVER
    paid_fen: int = 0
    payer: str = ""
    answer: str | None = ""
    answer_us: int = NEVER
    answer_at: int = NEVER
    closed: bool = False
    row: Row | None = None


class Refund(msgspec.Struct, gc=False):
    """One refund number at the channel. `state`: accepted, done or failed."""

    refund_no: str
    charge_no: str
    amount_fen: int
    accepted_us: int
    at: int
    state: str


class Attempt(msgspec.Struct, gc=False):
    """One supplier attempt: what the supplier holds and said, and the platform's row of it.

    `said` is the last final word the supplier gave (success, fail, or empty when it gave none),
    whether or not it was heard; but a callback that takes back a failure counts only once it was heard:
    until then `taken_back` is set.
    """

    attempt_no: str
    at: int
    supplier: str = ""
    received_us: int = NEVER
    said: str = ""
    taken_back: bool = False
    delivered: int = 0
    row: Row | None = None


class Delivery(msgspec.Struct, gc=False):
    """Units that reached (or left, when negative) the buyer: when, and by which event."""

    t_us: int
    at: int
    units: int


class Account(msgspec.Struct, gc=False):
    """One order in all books. What few orders need starts as None, because a run may have a million."""

    order_id: str
    row: Row | None = None
    placed_at: int = NEVER
    """Index of the event that first showed the order's row."""
    lost: bool = False
    """A failover took the order's row back at least once."""

    status: str = ""
    """The order row's status since the last transaction that changed it; `previous` is the one before
    the transaction being judged (the same, when it changed nothing)."""
    since_us: int = 0
    since_at: int = NEVER
    previous: str = ""
    previous_since_us: int = 0
    previous_at: int = NEVER
    clicked_us: int = NEVER
    """When its user first asked for it."""
    moved_us: int = NEVER
    """When goods or money last went to the buyer, or came back."""
    closed_us: int = NEVER
    closed_at: int = NEVER
    completed_once: bool = False
    changed: int = 0
    log: list[Row] | None = None
    """Rows of the audit log in the transaction that is being read."""

    charges: list[Charge] = []
    captures: int = 0
    channel_captures: int = 0
    captured_fen: int = 0
    refunds: list[Refund] = []
    refund_rows: dict[str, Row] | None = None

    units: int = 0
    deliveries: list[Delivery] = []
    cards: list[str] = []
    lost_cards: list[str] | None = None
    """Secrets of cards whose sale a failover took back."""
    cards_seen: bool = False
    """The user was shown the secrets."""
    supplier_successes: int = 0
    attempts: list[Attempt] | None = None

    suspense_fen: int = 0
    wallet_fen: int = 0
    """Net wallet credit for this order, losses that finance booked taken off."""
    refunded_to_wallet_fen: int = 0
    """Part of it that is a refund for good (wallet_refund, credit_final)."""
    credited_fen: int = 0
    """Sum of all K-01 style credits ever posted, voided or not."""
    cost_fen: int = 0
    """What compensations cost us in the end: credits that stand, and losses booked for them."""
    booked_captures: int = 0
    compensations: dict[str, Row] | None = None
    tickets: dict[str, Row] | None = None
    ticket_us: int = NEVER
    completed_seen_us: int = NEVER
    completed_seen_at: int = NEVER

    @property
    def users(self) -> tuple[str, ...]:
        """The member concerned: the orderer, else whoever paid."""
        if self.row is not None:
            return (self.row["user"],)
        return tuple(dict.fromkeys(charge.payer for charge in self.charges if charge.payer))

    @property
    def refunded_fen(self) -> int:
        """What the channel has really paid back."""
        return sum(refund.amount_fen for refund in self.refunds if refund.state == "done")

    @property
    def pending_refund_fen(self) -> int:
        """What the channel accepted to pay back and has not done yet."""
        return sum(refund.amount_fen for refund in self.refunds if refund.state == "accepted")

    def price_fen(self, units: int) -> int:
        """The price of so many delivered units; nothing when the order is unknown."""
        row = self.row
        if row is None:
            return 0
        return int(row["payable_fen"] if units == row["quantity"] else units * row["unit_fen"])

    def find_charge(self, charge_no: str) -> Charge | None:
        """The charge with this number, if a book has named it."""
        for charge in self.charges:
            if charge.charge_no == charge_no:
                return charge
        return None

    def charge(self, charge_no: str) -> Charge:
        """The charge with this number; new when no book has named it before."""
        charge = self.find_charge(charge_no)
        if charge is None:
            charge = Charge(charge_no)
            self.charges.append(charge)
        return charge

    def attempt(self, attempt_no: str, at: int) -> Attempt:
        """The supplier attempt with this number; new, first named by event `at`, when unknown so far."""
        if self.attempts is None:
            self.attempts = []
        for attempt in self.attempts:
            if attempt.attempt_no == attempt_no:
                return attempt
        attempt = Attempt(attempt_no, at)
        self.attempts.append(attempt)
        return attempt

    def money_events(self) -> list[int]:
        """Indexes of the events that moved this order's money or goods, in order."""
        found = [charge.captured_at for charge in self.charges if charge.captured_at != NEVER]
        found += [refund.at for refund in self.refunds]
        found += [delivery.at for delivery in self.deliveries]
        return sorted(found)
