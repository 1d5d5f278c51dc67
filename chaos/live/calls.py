"""The bodies of calls to a counterparty: what is none of these is refused before it is on record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec


class Create(msgspec.Struct):
    """Open a charge."""

    charge_no: str
    amount_fen: int
    expires_us: int


class OfCharge(msgspec.Struct):
    """Query or close a charge."""

    charge_no: str


class Refund(msgspec.Struct):
    """Pay a charge back, in whole or in part."""

    refund_no: str
    charge_no: str
    amount_fen: int


class OfRefund(msgspec.Struct):
    """What became of a refund."""

    refund_no: str


class Bill(msgspec.Struct):
    """A period of the bill."""

    since_us: int
    until_us: int


class Submit(msgspec.Struct):
    """Deliver goods."""

    attempt_no: str
    sku: str
    account: str
    quantity: int


class OfAttempt(msgspec.Struct):
    """What became of an attempt."""

    attempt_no: str


class Pay(msgspec.Struct):
    """A user pays what the code says; the amount is not his to name."""

    charge_no: str
    user: str


class PayStatic(msgspec.Struct):
    """A user pays on the shop's printed code."""

    charge_no: str
    user: str
    amount_fen: int


class Notice(msgspec.Struct):
    """Something to show to a user."""

    user: str
    topic: str
    order_id: str
    data: dict[str, Any]


def number(body: Mapping[str, Any]) -> str:
    """What a call is about: its first field, of a body as it is on record."""
    return str(next(iter(body.values())))


CHANNEL_CALLS: Final[dict[str, type[msgspec.Struct]]] = {
    "create": Create,
    "query": OfCharge,
    "close": OfCharge,
    "refund": Refund,
    "query_refund": OfRefund,
    "bill": Bill,
}
SUPPLIER_CALLS: Final[dict[str, type[msgspec.Struct]]] = {"submit": Submit, "query": OfAttempt}
USER_CALLS: Final[dict[str, type[msgspec.Struct]]] = {"pay": Pay, "pay_static": PayStatic}
