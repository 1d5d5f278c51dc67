"""An order at a supplier, and what becomes of it: drawn when it is received, by its key alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from reference_platform.ports import MINUTE, SECOND
from sim.counterparties.host import Host

FAULTS: Final = tuple(
    f"supplier.{fault}" for fault in ("fail", "false_success", "partial", "slow", "callback_first")
)


@dataclass(frozen=True, slots=True)
class Terms:
    """A supplier's contract. `direct_share` of orders are answered once done, the rest by callback.

    `unit_cost_fen` is the price of a piece whose sku has no price of its own.
    """

    service_us: tuple[int, int] = (SECOND // 2, 3 * SECOND)
    accept_us: int = 200_000
    direct_share: float = 0.7
    duplicate_us: int = 60 * SECOND
    query_not_before_us: int = 3 * MINUTE
    queries_per_s: int = 30
    reveal_us: int = 2 * MINUTE
    unit_cost_fen: int = 80


class Order:
    """One order under an attempt number. `status` is the truth, `told` what a query is told."""

    __slots__ = (
        "account",
        "attempt_no",
        "cost_fen",
        "delivered",
        "hidden_us",
        "n",
        "quantity",
        "received_us",
        "status",
    )

    def __init__(self, attempt_no: str, n: int, account: str, quantity: int, received_us: int) -> None:
        self.attempt_no = attempt_no
        self.n = n
        self.account = account
        self.quantity = quantity
        self.received_us = received_us
        self.status = "processing"
        self.delivered = 0
        self.cost_fen = 0
        self.hidden_us: int | None = None  # for how long queries cannot see it; None: never asked

    def reply(self) -> dict[str, Any]:
        return {"status": self.status, "delivered": self.delivered, "cost_fen": self.cost_fen}


@dataclass(frozen=True, slots=True)
class Fate:
    """What will become of an order."""

    outcome: str  # success, fail or false
    quantity: int
    direct: bool
    takes_us: int
    callback_first: bool
    reveal_us: int


def draw(host: Host, terms: Terms, order: Order, stormy: bool) -> Fate:
    """The fate of an order. The storm is asked at `(attempt_no, n)`, n counting orders under the number."""
    site = (order.attempt_no, str(order.n))
    takes_us = host.between_us(terms.service_us, "supplier.service", *site)
    direct = host.streams.uniform("supplier.direct", host.name, *site) < terms.direct_share
    outcome, quantity, overtakes, reveal_us = "success", order.quantity, False, 0
    if stormy:
        at, name = host.storm.at, host.name
        if at("supplier.fail", name, site) is not None:
            outcome = "fail"
        elif (false := at("supplier.false_success", name, site)) is not None:
            outcome, reveal_us = "false", false.get("reveal_us", terms.reveal_us)
        elif quantity > 1 and (part := at("supplier.partial", name, site)) is not None:
            quantity = min(max(1, int(quantity * part["fraction"])), quantity - 1)
        if (slow := at("supplier.slow", name, site)) is not None:
            direct, takes_us = False, takes_us + slow["delay_us"]
        elif at("supplier.callback_first", name, site) is not None:
            direct, overtakes = False, True
    return Fate(outcome, quantity, direct, takes_us, overtakes, reveal_us)
