"""Every table of the platform, and the book whose history records it.

A row is a TypedDict that is never changed in place. The books named here are what checkers and
the oracle may read of the platform: the simulator records each committed change of them.
"""

from __future__ import annotations

from typing import Any, TypedDict

from reference_platform.ports import Table


class OrderRow(TypedDict):
    """One order line. `unit_fen` is the price per piece at order time; `paid_us` 0 until a capture is known."""

    order_id: str
    user: str
    client_key: str
    sku: str
    kind: str  # card | topup | membership
    quantity: int
    unit_fen: int
    payable_fen: int
    member_price: bool
    account: str
    pay_with: str  # wechat | alipay | wallet
    status: str
    captured_fen: int
    delivered_qty: int
    refunded_qty: int
    created_us: int
    expires_us: int
    paid_us: int


ORDERS = Table(
    "orders", OrderRow, "order_id", indexes=(("status", "created_us"), ("user", "created_us")), book="ORD"
)


class OrderLogRow(TypedDict):
    """The audit log: one row for each transition of an order."""

    log_id: str
    order_id: str
    from_status: str
    to_status: str
    cause: str
    node: str
    at_us: int


ORDER_LOG = Table("order_log", OrderLogRow, "log_id", indexes=(("order_id", "at_us"),), book="ORD")


class ChargeRow(TypedDict):
    """The platform's view of a charge at a channel."""

    charge_no: str
    order_id: str
    channel: str
    amount_fen: int
    status: str  # opening | open | paid | closed
    transaction_id: str
    paid_fen: int
    created_us: int


CHARGES = Table("charges", ChargeRow, "charge_no", indexes=(("order_id", "created_us"),), book="ORD")


class IdempotencyRow(TypedDict):
    """A client's key while its request runs (lease) and afterwards (done)."""

    key: str  # user:client_key
    order_id: str
    fingerprint: str
    status: str  # running | done
    lease_until_us: int


IDEMPOTENCY = Table("idempotency", IdempotencyRow, "key", book="ORD")


class ProductRow(TypedDict):
    """`shown` is the stock counter that a design may keep instead of counting rows (-1: not kept)."""

    sku: str
    kind: str
    unit_fen: int
    member_fen: int
    days: int
    suppliers: tuple[str, ...]
    shown: int
    disclosed_wait_us: int


PRODUCTS = Table("products", ProductRow, "sku", book="STK")


class CardRow(TypedDict):
    """One card secret. `order_id` is empty while available."""

    card_id: str
    sku: str
    secret: str
    status: str  # available | reserved | sold | void
    order_id: str


CARDS = Table(
    "cards", CardRow, "card_id", indexes=(("sku", "status", "card_id"), ("order_id", "card_id")), book="STK"
)


class PostingRow(TypedDict):
    """A balanced double entry. `lines`: (account, amount_fen), debit positive, credit negative, sum 0."""

    posting_id: str
    posting: str
    order_id: str
    lines: tuple[tuple[str, int], ...]
    at_us: int


POSTINGS = Table("postings", PostingRow, "posting_id", indexes=(("order_id", "at_us"),), book="GL")


class WalletRow(TypedDict):
    """Spendable balance and credit that cannot be spent yet, both in fen."""

    user: str
    balance_fen: int
    provisional_fen: int


WALLETS = Table("wallets", WalletRow, "user", book="GL")


class MembershipRow(TypedDict):
    user: str
    until_us: int


MEMBERSHIPS = Table("memberships", MembershipRow, "user", book="ENT")


class GrantRow(TypedDict):
    """Membership time granted once for a source: an order id or a compensation id."""

    grant_id: str
    user: str
    source: str
    order_id: str
    days: int
    at_us: int


GRANTS = Table(
    "grants", GrantRow, "grant_id", unique=(("source",),), indexes=(("user", "at_us"),), book="ENT"
)


class AttemptRow(TypedDict):
    """The platform's view of one supplier attempt."""

    attempt_no: str
    order_id: str
    supplier: str
    status: str  # sending | unknown | processing | success | fail
    delivered: int
    cost_fen: int
    sent_us: int


ATTEMPTS = Table("attempts", AttemptRow, "attempt_no", indexes=(("order_id", "sent_us"),), book="ORD")


class RefundRow(TypedDict):
    """One refund intent, one refund number. `intent` says why (`full`, `extra:<charge>`, `short`, `orphan`)."""

    refund_no: str
    order_id: str
    charge_no: str
    channel: str
    intent: str
    amount_fen: int
    quantity: int
    status: str  # requested | accepted | done | failed
    requested_us: int


REFUNDS = Table(
    "refunds",
    RefundRow,
    "refund_no",
    unique=(("charge_no", "intent"),),
    indexes=(("order_id", "requested_us"), ("status", "requested_us")),
    book="ORD",
)


class CompensationRow(TypedDict):
    """One compensation: at most one for a rule, order and incident. `evidence`: the facts it was decided on."""

    cmp_id: str
    rule: str  # K-01 …
    order_id: str
    incident: str
    user: str
    action: str
    amount_fen: int
    status: str  # provisional | requested | done | voided | loss
    refund_no: str
    evidence: dict[str, Any]
    at_us: int


COMPENSATIONS = Table(
    "compensations",
    CompensationRow,
    "cmp_id",
    unique=(("rule", "order_id", "incident"),),
    indexes=(("order_id", "at_us"),),
    book="CMP",
)


class InboxRow(TypedDict):
    """A callback that was received and will not be forgotten."""

    notice_key: str  # channel:notify_id
    channel: str
    charge_no: str
    event: str
    paid_fen: int
    transaction_id: str
    status: str  # received | processed | rejected
    received_us: int


INBOX = Table("inbox", InboxRow, "notice_key", indexes=(("status", "received_us"),), book="IN")


class OutboxRow(TypedDict):
    """An event to be told to somebody, written with the state change it tells of."""

    event_id: str
    order_id: str
    user: str
    topic: str
    data: dict[str, Any]
    status: str  # pending | sent
    at_us: int


OUTBOX = Table(
    "outbox",
    OutboxRow,
    "event_id",
    unique=(("order_id", "topic"),),
    indexes=(("status", "at_us"),),
    book="OUT",
)


class TicketRow(TypedDict):
    """Work for people. `ref` is an order id, charge number or other reference."""

    ticket_id: str
    ref: str
    order_id: str
    reason: str
    team: str
    status: str  # open | closed
    opened_us: int


TICKETS = Table(
    "tickets",
    TicketRow,
    "ticket_id",
    unique=(("reason", "ref"),),
    indexes=(("status", "opened_us"),),
    book="ORD",
)


class JobRow(TypedDict):
    """Durable background work, done at least once after `due_us`."""

    job_id: str  # kind:ref
    job: str
    ref: str
    due_us: int
    tries: int


JOBS = Table("jobs", JobRow, "job_id", indexes=(("due_us",),))

TABLES: tuple[Table[Any], ...] = (
    ORDERS,
    ORDER_LOG,
    CHARGES,
    IDEMPOTENCY,
    PRODUCTS,
    CARDS,
    POSTINGS,
    WALLETS,
    MEMBERSHIPS,
    GRANTS,
    ATTEMPTS,
    REFUNDS,
    COMPENSATIONS,
    INBOX,
    OUTBOX,
    TICKETS,
    JOBS,
)
