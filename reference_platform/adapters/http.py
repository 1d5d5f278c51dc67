"""Payment channels, suppliers and users over HTTP, with every outcome translated once, here.

A connection that could not be made is `Unreachable`: certainly no effect. An error code is `Rejected`. All
else, silence, a broken connection or an answer that is none, is `OutcomeUnknown`. Each call has a
connection of its own, so that what is wrong with one says nothing about the next, and a connection
that went stale between two calls cannot be taken for an unknown outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import aiohttp
import msgspec

from reference_platform.adapters.seals import Check, attempt_reply, payment_notice
from reference_platform.adapters.waits import Waits
from reference_platform.ports import (
    SECOND,
    BillLine,
    ChargeState,
    OutcomeUnknown,
    PaymentNotice,
    Rejected,
    SupplierReply,
    Unreachable,
)

CALL_TIMEOUT_US: Final = 5 * SECOND
SUBMIT_TIMEOUT_US: Final = 10 * SECOND
NOTIFY_TIMEOUT_US: Final = 5 * SECOND
JSON: Final = {"Content-Type": "application/json"}
FOREVER: Final = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)
"""Time-outs are the host's (`Waits`), never the library's."""

T = TypeVar("T")


class _Code(msgspec.Struct):
    code: str


class _Opened(msgspec.Struct):
    code_url: str


class _RefundStatus(msgspec.Struct):
    status: str


class _Lines(msgspec.Struct):
    lines: list[tuple[int, str, str, str, int]]  # at_us, kind, charge_no, ref, amount_fen


class _Nothing(msgspec.Struct):
    """An answer whose arrival says all."""


def client(headers: Mapping[str, str] = JSON) -> aiohttp.ClientSession:
    """A session for all calls of a process, each with these headers; to be closed at its end. Needs a running loop."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True, limit=0),
        timeout=FOREVER,
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )


class Line:
    """Calls to one counterparty at `url`."""

    def __init__(self, name: str, url: str, session: aiohttp.ClientSession, waits: Waits) -> None:
        self._name = name
        self._url = url
        self._session = session
        self._waits = waits

    async def ask(self, call: str, body: Mapping[str, Any], timeout_us: int, kind: type[T]) -> T:
        """The answer as a `kind`; or Unreachable, OutcomeUnknown, Rejected."""
        raw = msgspec.json.encode(body)
        try:
            with self._waits.working():
                status, told = await self._waits.within(timeout_us, self._post(call, raw))
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(f"{self._name} cannot be reached: {error}") from error
        except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
            raise OutcomeUnknown(f"{call} at {self._name}: {type(error).__name__}") from error
        return self._read(call, status, told, kind)

    async def _post(self, call: str, raw: bytes) -> tuple[int, bytes]:
        async with self._session.post(f"{self._url}/{call}", data=raw, allow_redirects=False) as answer:
            return answer.status, await answer.read()

    def _read(self, call: str, status: int, told: bytes, kind: type[T]) -> T:
        if status == 503:
            raise Unreachable(f"{self._name} refuses {call}")
        try:
            if status == 200:
                return msgspec.json.decode(told, type=kind)
            if status == 400:
                raise Rejected(msgspec.json.decode(told, type=_Code).code)
        except (ValueError, RecursionError) as error:  # no JSON, no text, none of that kind, or too deep
            raise OutcomeUnknown(f"{call} at {self._name}: a broken answer") from error
        raise OutcomeUnknown(f"{call} at {self._name}: status {status}")


class HttpChannel:
    """`PaymentChannel` over HTTP."""

    def __init__(self, name: str, app_id: str, line: Line, seal: Check) -> None:
        self.name = name
        self.app_id = app_id
        self._ask = line.ask
        self._seal = seal

    async def create(self, charge_no: str, amount_fen: int, expires_us: int) -> str:
        body = {"charge_no": charge_no, "amount_fen": amount_fen, "expires_us": expires_us}
        return (await self._ask("create", body, CALL_TIMEOUT_US, _Opened)).code_url

    async def query(self, charge_no: str) -> ChargeState:
        return await self._ask("query", {"charge_no": charge_no}, CALL_TIMEOUT_US, ChargeState)

    async def close(self, charge_no: str) -> None:
        await self._ask("close", {"charge_no": charge_no}, CALL_TIMEOUT_US, _Nothing)

    async def refund(self, refund_no: str, charge_no: str, amount_fen: int) -> None:
        body = {"refund_no": refund_no, "charge_no": charge_no, "amount_fen": amount_fen}
        await self._ask("refund", body, CALL_TIMEOUT_US, _Nothing)

    async def query_refund(self, refund_no: str) -> str:
        return (
            await self._ask("query_refund", {"refund_no": refund_no}, CALL_TIMEOUT_US, _RefundStatus)
        ).status

    async def bill(self, since_us: int, until_us: int) -> list[BillLine]:
        body = {"since_us": since_us, "until_us": until_us}
        lines = (await self._ask("bill", body, CALL_TIMEOUT_US, _Lines)).lines
        return [BillLine(kind, charge_no, ref, fen, at_us) for at_us, kind, charge_no, ref, fen in lines]

    def verify(self, headers: Mapping[str, str], raw: bytes) -> PaymentNotice | None:
        return payment_notice(self._seal.open(headers, raw))


class HttpSupplier:
    """`Supplier` over HTTP."""

    def __init__(self, name: str, line: Line, seal: Check) -> None:
        self.name = name
        self._ask = line.ask
        self._seal = seal

    async def submit(self, attempt_no: str, sku: str, account: str, quantity: int) -> SupplierReply:
        body = {"attempt_no": attempt_no, "sku": sku, "account": account, "quantity": quantity}
        return await self._ask("submit", body, SUBMIT_TIMEOUT_US, SupplierReply)

    async def query(self, attempt_no: str) -> SupplierReply:
        return await self._ask("query", {"attempt_no": attempt_no}, CALL_TIMEOUT_US, SupplierReply)

    def verify(self, headers: Mapping[str, str], raw: bytes) -> tuple[str, SupplierReply] | None:
        return attempt_reply(self._seal.open(headers, raw))


class HttpNotifier:
    """`Notifier` over HTTP: best effort, a lost notice is nobody's error."""

    def __init__(self, line: Line) -> None:
        self._ask = line.ask

    async def notify(self, user: str, topic: str, order_id: str, data: Mapping[str, Any]) -> None:
        body = {"user": user, "topic": topic, "order_id": order_id, "data": dict(data)}
        try:
            await self._ask("notices", body, NOTIFY_TIMEOUT_US, _Nothing)
        except (Unreachable, OutcomeUnknown, Rejected):
            return
