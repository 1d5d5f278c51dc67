"""Between the wire and the routes: numbers every request, bounds its body, logs its answer, hides every bug.

Plain ASGI, outermost, so that nothing an inner layer does can go unlogged or reach a caller as a
traceback.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import count
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reference_platform.api.log import Entry, Log

REQUEST_ID: Final = b"x-request-id"
_REQUEST_ID_SHAPE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one caller may take. Seconds are the wall's: whoever is slow holds a real connection."""

    body_bytes_max: int = 65_536
    head_s: float = 10.0
    body_s: float = 20.0
    idle_s: float = 75.0
    head_bytes_max: int = 16_384


class _Answer:
    """Sends the answer on, with the request's number, once it is in the log."""

    def __init__(self, send: Send, entry: Entry, log: Log) -> None:
        self._send = send
        self._entry = entry
        self._log = log
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            self._entry.status = message["status"]
            self._log.done(self._entry)
            message["headers"] = [*message["headers"], (REQUEST_ID, self._entry.request_id.encode())]
        await self._send(message)

    async def refuse(self, status: int, code: str) -> None:
        """An error of our own; the connection ends, for part of the request may still be on its way."""
        self._entry.code = code
        body = json.dumps({"error": code}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        await self({"type": "http.response.start", "status": status, "headers": headers})
        await self({"type": "http.response.body", "body": body})


class Guard:
    """Wraps the application. `name` and a count make request ids where the caller gives none."""

    def __init__(self, app: ASGIApp, *, log: Log, limits: Limits, name: str) -> None:
        self._app = app
        self._log = log
        self._limits = limits
        self._name = name
        self._count = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        entry = Entry(self._number(headers), scope["method"], scope["path"], self._log.now_us())
        scope["entry"] = entry
        answer = _Answer(send, entry, self._log)
        try:
            await self._pass(scope, headers, receive, answer)
        except ClientDisconnect:
            if not answer.begun:
                await answer.refuse(400, "hung_up")  # for the log: nobody hears it
        except Exception as error:  # noqa: BLE001 - the last line of defence: logged, answered without detail
            self._log.bug(f"{entry.method} {entry.action or entry.path[:64]}", error)
            if not answer.begun:
                await answer.refuse(500, "internal")

    def _number(self, headers: dict[bytes, bytes]) -> str:
        given = headers.get(REQUEST_ID, b"").decode("latin-1")
        return given if _REQUEST_ID_SHAPE.fullmatch(given) else f"{self._name}-{next(self._count)}"

    async def _pass(
        self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, answer: _Answer
    ) -> None:
        limit = self._limits.body_bytes_max
        if _head_bytes(scope) > self._limits.head_bytes_max:
            await answer.refuse(431, "head_too_large")
            return
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length[:20]) > limit:
            await answer.refuse(413, "too_large")
            return
        has_body = length != b"0" or b"transfer-encoding" in headers
        if has_body and not scope["path"].startswith("/callbacks/") and not _is_json(headers):
            await answer.refuse(415, "not_json")
            return
        taken = 0

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise HTTPException(413, "too_large")  # the inner layers know it and answer
            return message

        await self._app(scope, bounded, answer)


def _head_bytes(scope: Scope) -> int:
    """The parser bounds only a head that comes in pieces."""
    line = len(scope["raw_path"]) + len(scope["query_string"])
    return line + sum(len(name) + len(text) for name, text in scope["headers"])


def _is_json(headers: dict[bytes, bytes]) -> bool:
    kind = headers.get(b"content-type", b"").partition(b";")[0]
    return kind.strip().lower() == b"application/json"
