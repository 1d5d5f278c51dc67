"""Writes the history of one or two orders by hand, a fact a call, times in minutes.

life = Life().order().captured(1).delivered(2)
"""

from __future__ import annotations

from typing import Any, Self

from chaos.history import SCHEMA, Header, History
from chaos.oracle.audit import Audit, audit

MINUTE = 60_000_000
DAY = 1440


class Life:
    """A history in the making. Calls must come in the order of their times."""

    def __init__(
        self, *, end: float = 1.05 * DAY, policy: dict[str, Any] | None = None, wait: float = 0
    ) -> None:
        self._now_us = 0
        self._tx = 0
        products = {
            "netflix": {
                "kind": "card",
                "unit_fen": 1000,
                "disclosed_wait_us": round(wait * MINUTE),
                "suppliers": ["acme"],
            }
        }
        header = Header(
            schema=SCHEMA,
            version="0",
            scenario="by_hand",
            design="by_hand",
            seed=1,
            heal_us=20 * MINUTE,
            settle_by_us=round(end * MINUTE),
            end_us=round(end * MINUTE),
            policy=policy or {},
            facts={"products": products},
        )
        self.history = History(header, lambda: self._now_us)
        self._orders: dict[str, dict[str, Any]] = {}

    def at(self, minute: float) -> Self:
        """Move on to a minute."""
        now_us = round(minute * MINUTE)
        assert now_us >= self._now_us, "facts are written in the order of their times"
        self._now_us = now_us
        return self

    def _state(self, book: str, table: str, op: str, key: str, row: dict[str, Any] | None) -> Self:
        self._tx += 1
        self.history.state(self._tx, "platform-1", book, table, op, key, row)
        return self

    # ------------------------------------------------------------ orders

    def order(
        self,
        minute: float = 0,
        order_id: str = "O1",
        *,
        kind: str = "card",
        quantity: int = 1,
        user: str = "ann",
    ) -> Self:
        """A member orders: 10 yuan a piece."""
        row = {
            "order_id": order_id,
            "user": user,
            "client_key": f"key-{order_id}",
            "sku": "netflix",
            "kind": kind,
            "account": "13800000000",
            "quantity": quantity,
            "unit_fen": 1000,
            "payable_fen": 1000 * quantity,
            "status": "created",
            "delivered_qty": 0,
        }
        self._orders[order_id] = row
        return self.at(minute)._state("ORD", "orders", "insert", order_id, dict(row))

    def status(self, minute: float, status: str, order_id: str = "O1", *, qty: int = 0) -> Self:
        """The platform moves the order on; `qty` is what it takes to be delivered."""
        self._orders[order_id] |= {"status": status, "delivered_qty": qty}
        return self.at(minute)._state("ORD", "orders", "update", order_id, dict(self._orders[order_id]))

    def granted(
        self, minute: float, order_id: str = "O1", *, source: str = "", key: str = "G1", op: str = "insert"
    ) -> Self:
        """Membership time for the order, or (`source`) for something else."""
        row = {"user": "ann", "source": source or order_id, "order_id": order_id, "days": 30}
        return self.at(minute)._state("ENT", "grants", op, key, None if op == "revert" else row)

    def forgotten(self, minute: float, order_id: str = "O1") -> Self:
        """A failover loses the order."""
        return self.at(minute)._state("ORD", "orders", "revert", order_id, None)

    def attempt(self, minute: float, status: str, attempt_no: str = "O1/s1") -> Self:
        """What the platform thinks of a supplier attempt."""
        row = {"attempt_no": attempt_no, "status": status}
        return self.at(minute)._state("ORD", "attempts", "update", attempt_no, row)

    def wants_refund(self, minute: float, intent: str = "full", order_id: str = "O1") -> Self:
        """The platform decides to refund the order."""
        row = {"refund_no": f"{order_id}/r9", "order_id": order_id, "intent": intent}
        return self.at(minute)._state("ORD", "refunds", "insert", row["refund_no"], row)

    def promises(
        self,
        minute: float,
        rule: str,
        *,
        refund: str = "",
        fen: int = 1000,
        order_id: str = "O1",
        cmp_id: str = "",
        op: str = "insert",
    ) -> Self:
        """A compensation row."""
        key = cmp_id or f"{rule}:{order_id}:{refund}"
        row = {"cmp_id": key, "rule": rule, "order_id": order_id, "amount_fen": fen, "refund_no": refund}
        return self.at(minute)._state("CMP", "compensations", op, key, None if op == "revert" else row)

    def ticket(self, minute: float, order_id: str = "O1", *, ref: str = "") -> Self:
        """People are called about an order, or (`ref`) about a charge that has none."""
        row = {
            "ticket_id": f"t{self._tx}",
            "ref": ref or order_id,
            "order_id": "" if ref else order_id,
            "team": "finance",
        }
        return self.at(minute)._state("ORD", "tickets", "insert", str(row["ticket_id"]), row)

    # ------------------------------------------------------------ money

    def captured(self, minute: float, charge: str = "O1/c1", fen: int = 1000) -> Self:
        """The channel takes the money."""
        data = {"channel": "wechat", "paid_fen": fen, "payer": "ann"}
        self.at(minute).history.book("CH", "captured", charge, data)
        return self

    def refunded(
        self, minute: float, charge: str = "O1/c1", fen: int = 1000, refund_no: str = "O1/r1"
    ) -> Self:
        """The channel accepts a refund."""
        data = {"channel": "wechat", "refund_no": refund_no, "amount_fen": fen}
        self.at(minute).history.book("CH", "refund_accepted", charge, data)
        return self

    def bounced(self, minute: float, charge: str = "O1/c1", fen: int = 1000) -> Self:
        """An accepted refund fails."""
        data = {"channel": "wechat", "refund_no": "O1/r1", "amount_fen": fen, "code": "ABNORMAL"}
        self.at(minute).history.book("CH", "refund_failed", charge, data)
        return self

    def posting(
        self, minute: float, posting: str, fen: int = 1000, order_id: str = "O1", to: str = "wallet"
    ) -> Self:
        """A ledger entry about the member's wallet, or (`to`) what cannot be spent yet."""
        sign = -1 if posting in ("credit", "wallet_refund") else 1
        row = {
            "posting_id": f"p{self._tx}",
            "posting": posting,
            "order_id": order_id,
            "lines": ((f"{to}:ann", sign * fen), ("other", -sign * fen)),
        }
        return self.at(minute)._state("GL", "postings", "insert", str(row["posting_id"]), row)

    # ------------------------------------------------------------ goods

    def delivered(self, minute: float, units: int = 1, order_id: str = "O1") -> Self:
        """Cards leave the stock for the order."""
        for _ in range(units):
            card_id = f"card{self._tx}"
            row = {"card_id": card_id, "sku": "netflix", "status": "sold", "order_id": order_id}
            self.at(minute)._state("STK", "cards", "update", card_id, row)
        return self

    def supplied(
        self, minute: float, units: int = 1, attempt_no: str = "O1/s1", *, account: str = "13800000000"
    ) -> Self:
        """The supplier delivers."""
        data = {"supplier": "acme", "account": account, "quantity": units, "cost_fen": 800}
        self.at(minute).history.book("SUP", "delivered", attempt_no, data)
        return self

    def said(self, minute: float, status: str, attempt_no: str = "O1/s1", *, entry: str = "answered") -> Self:
        """The supplier answers or (`entry`) calls back, truly or not."""
        data = {"supplier": "acme", "call": "submit", "status": status, "delivered": 1}
        self.at(minute).history.book("SUP", entry, attempt_no, data)
        return self

    def completed(self, minute: float, units: int = 1, order_id: str = "O1") -> Self:
        """Delivered from stock and so recorded."""
        return self.delivered(minute, units, order_id).status(minute, "completed", order_id, qty=units)

    # ------------------------------------------------------------ faults, judgement

    def fault(self, minute: float, phase: str, fault: str, where: str = "*", **data: Any) -> Self:
        """A fault starts, ends or touches."""
        self.at(minute).history.fault(fault, phase, f"0/{fault}/{where}", {"where": where, **data})
        return self

    def audit(self) -> Audit:
        """The oracle's judgement."""
        return audit(self.history)

    def verdicts(self, rule: str = "") -> list[str]:
        """The verdicts (of one rule), in order."""
        found = self.audit().findings
        return [finding.verdict for finding in found if rule in ("", finding.rule)]
