"""The events that a rule may wait for with `on`.

`state.<table>.<insert|update|delete or the row's status>`, `book.<CH|SUP>.<entry>`,
`invoke|ok|fail|unknown.<action>`, `notice.<topic>`; docs/history.md says what each means.
"""

from __future__ import annotations

TABLES: dict[str, str] = {
    "orders": "created closing closed paid paid_late fulfilling completed held refunding refunded",
    "order_log": "",
    "charges": "opening open paid closed",
    "idempotency": "running done",
    "products": "",
    "cards": "available reserved sold void",
    "postings": "",
    "wallets": "",
    "memberships": "",
    "grants": "",
    "attempts": "sending unknown processing success fail",
    "refunds": "requested accepted done failed",
    "compensations": "provisional requested done voided loss",
    "inbox": "received processed rejected",
    "outbox": "pending sent",
    "tickets": "open closed",
}
"""Tables that a history records, with the statuses their rows can have."""

_ACTIONS = "place_order new_charge pay view_order request_refund view_wallet view_membership view_product"
_CHANNEL = "charge_opened captured closed refund_accepted refund_done refund_failed callback_sent callback_acked answered"
_SUPPLIER = "attempt_received delivered failed answered callback_sent callback_acked"
_TOPICS = "order_completed order_closed order_refunded order_partly_refunded compensation compensation_voided"

EVENTS: tuple[str, ...] = (
    *(
        f"state.{table}.{what}"
        for table, statuses in TABLES.items()
        for what in ("insert", "update", "delete", *statuses.split())
    ),
    *(f"{kind}.{action}" for kind in ("invoke", "ok", "fail", "unknown") for action in _ACTIONS.split()),
    *(f"book.CH.{entry}" for entry in _CHANNEL.split()),
    *(f"book.SUP.{entry}" for entry in _SUPPLIER.split()),
    *(f"notice.{topic}" for topic in _TOPICS.split()),
)
"""Every event that a rule can name."""
