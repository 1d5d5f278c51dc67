"""A channel and a supplier that do what a test tells them to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reference_platform.ports import (
    BillLine,
    ChargeState,
    OutcomeUnknown,
    PaymentNotice,
    PortError,
    Rejected,
    Request,
    SupplierReply,
)
from sim.kernel import Kernel, sleep

CALL_US = 20_000


class Script:
    """Answers to give in place of the honest one, by call, first in first out."""

    def __init__(self) -> None:
        self.lines: dict[str, list[Any]] = {}
        self.calls: list[tuple[str, str]] = []

    def next(self, call: str, *answers: Any) -> None:
        """The next calls are answered like this; exceptions are raised."""
        self.lines.setdefault(call, []).extend(answers)

    async def play(self, call: str, ref: str) -> Any:
        """Take the time of a call; the scripted answer, or None for the honest one."""
        self.calls.append((call, ref))
        await sleep(CALL_US)
        line = self.lines.get(call)
        if not line:
            return None
        answer = line.pop(0)
        if isinstance(answer, PortError):
            raise answer
        return answer

    def count(self, call: str) -> int:
        return sum(1 for name, _ in self.calls if name == call)


class FakeChannel:
    """An honest channel with a script for dishonest moments."""

    def __init__(self, name: str, kernel: Kernel, epoch_us: int) -> None:
        self.name = name
        self.app_id = "our-app"
        self.script = Script()
        self.charges: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, tuple[str, int, str]] = {}
        self._kernel = kernel
        self._epoch_us = epoch_us

    # ------------------------------------------------------------ the world's side

    def now_us(self) -> int:
        return self._kernel.now + self._epoch_us

    def pay(self, charge_no: str, paid_fen: int | None = None) -> Request:
        """A user pays; the callback that tells of it."""
        charge = self.charges.setdefault(charge_no, {"amount_fen": paid_fen or 0, "status": "NOTPAY"})
        charge |= {
            "status": "SUCCESS",
            "paid_fen": paid_fen or charge["amount_fen"],
            "paid_us": self.now_us(),
        }
        return self.notice(charge_no)

    def notice(self, charge_no: str, notify_id: str = "n1", **changes: Any) -> Request:
        """A signed callback; `changes` to forge it."""
        charge = self.charges.get(charge_no, {})
        said = {
            "notify_id": f"{charge_no}:{notify_id}",
            "app_id": self.app_id,
            "charge_no": charge_no,
            "transaction_id": f"T-{charge_no}",
            "event": "SUCCESS",
            "paid_fen": charge.get("paid_fen", charge.get("amount_fen", 0)),
            "paid_us": charge.get("paid_us", self.now_us()),
        }
        headers = {str(key): str(value) for key, value in (said | changes).items()}
        return Request(f"callback.{self.name}", raw=b"signed", headers=headers)

    def refunded_fen(self) -> int:
        return sum(amount for _, amount, _ in self.refunds.values())

    # ------------------------------------------------------------ the port

    async def create(self, charge_no: str, amount_fen: int, expires_us: int) -> str:  # noqa: ARG002 - never expires
        await self.script.play("create", charge_no)
        self.charges.setdefault(charge_no, {"amount_fen": amount_fen, "status": "NOTPAY"})
        return f"code:{charge_no}"

    async def query(self, charge_no: str) -> ChargeState:
        told = await self.script.play("query", charge_no)
        if told is not None:
            assert isinstance(told, ChargeState)
            return told
        charge = self.charges.get(charge_no)
        if charge is None:
            return ChargeState("NOT_FOUND")
        if "paid_fen" not in charge:
            return ChargeState(charge["status"])
        return ChargeState(charge["status"], charge["paid_fen"], f"T-{charge_no}", charge["paid_us"])

    async def close(self, charge_no: str) -> None:
        await self.script.play("close", charge_no)
        charge = self.charges.get(charge_no)
        if charge is None:
            raise Rejected("TRADE_NOT_EXIST")
        if charge["status"] == "SUCCESS":
            raise Rejected("ORDERPAID")
        charge["status"] = "CLOSED"

    async def refund(self, refund_no: str, charge_no: str, amount_fen: int) -> None:
        await self.script.play("refund", refund_no)
        self.refunds.setdefault(refund_no, (charge_no, amount_fen, "SUCCESS"))

    async def query_refund(self, refund_no: str) -> str:
        told = await self.script.play("query_refund", refund_no)
        return told or (self.refunds[refund_no][2] if refund_no in self.refunds else "NOT_FOUND")

    async def bill(self, since_us: int, until_us: int) -> list[BillLine]:
        await self.script.play("bill", str(since_us))
        return [
            BillLine("capture", charge_no, f"T-{charge_no}", charge["paid_fen"], charge["paid_us"])
            for charge_no, charge in self.charges.items()
            if since_us <= charge.get("paid_us", -1) < until_us
        ]

    def verify(self, headers: Mapping[str, str], raw: bytes) -> PaymentNotice | None:
        if raw != b"signed":
            return None
        said: dict[str, Any] = dict(headers)
        said |= {"paid_fen": int(said["paid_fen"]), "paid_us": int(said["paid_us"])}
        return PaymentNotice(**said)


class FakeSupplier:
    """Delivers at once, unless the script says otherwise. `delivered` is the truth, by attempt."""

    def __init__(self, name: str, cost_fen: int = 80) -> None:
        self.name = name
        self.cost_fen = cost_fen
        self.script = Script()
        self.delivered: dict[str, int] = {}

    async def submit(self, attempt_no: str, sku: str, account: str, quantity: int) -> SupplierReply:  # noqa: ARG002
        told = await self.script.play("submit", attempt_no)
        if told is not None:
            assert isinstance(told, SupplierReply)
            return told
        return self.deliver(attempt_no, quantity)

    def deliver(self, attempt_no: str, quantity: int = 1) -> SupplierReply:
        """Deliver now, whatever was answered before."""
        self.delivered[attempt_no] = quantity
        return SupplierReply("success", quantity, quantity * self.cost_fen)

    def callback(self, attempt_no: str, reply: SupplierReply) -> Request:
        headers = {"attempt": attempt_no, "status": reply.status, "delivered": str(reply.delivered)}
        headers["cost"] = str(reply.cost_fen)
        return Request(f"callback.supplier.{self.name}", raw=b"signed", headers=headers)

    async def query(self, attempt_no: str) -> SupplierReply:
        told = await self.script.play("query", attempt_no)
        if told is not None:
            assert isinstance(told, SupplierReply)
            return told
        units = self.delivered.get(attempt_no)
        if units is None:
            return SupplierReply("not_found")
        return SupplierReply("success", units, units * self.cost_fen)

    def verify(self, headers: Mapping[str, str], raw: bytes) -> tuple[str, SupplierReply] | None:
        if raw != b"signed":
            return None
        reply = SupplierReply(headers["status"], int(headers["delivered"]), int(headers["cost"]))
        return headers["attempt"], reply


UNKNOWN = OutcomeUnknown("no answer")
