"""HTTP/1.1 for clients that may be slow on purpose: a head and a body must arrive in time.

uvicorn bounds only the pause between two requests. Here a connection that dribbles its head or its
body gets a 408 and is closed, one that says nothing is closed, and each is logged.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, ClassVar, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from reference_platform.api.guard import Limits
from reference_platform.api.log import Log


class TimedProtocol(H11Protocol):
    """One connection. Use `timed` to make the class that uvicorn is given."""

    limits: ClassVar[Limits]
    log: ClassVar[Log]
    _deadline: asyncio.TimerHandle | None = None
    _awaited = ""  # what must arrive before the deadline: head or body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Set the deadline for what the client has begun and not finished; a running one stays."""
        awaited, within_s = "", 0.0
        if self.conn.their_state is h11.SEND_BODY:
            awaited, within_s = "body", self.limits.body_s
        elif self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            awaited, within_s = "head", self.limits.head_s
        if awaited != self._awaited:
            self._stop()
            if awaited and not self.transport.is_closing():
                self._awaited = awaited
                self._deadline = self.loop.call_later(within_s, self._too_slow)

    def _stop(self) -> None:
        self._awaited = ""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self.log.unread("too_slow", self._peer(), f"the {self._awaited} took too long")
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._refuse(408, "too_slow")
        self._part()

    def send_400_response(self, msg: str) -> None:
        """Bytes that are no HTTP."""
        self.log.unread("not_http", self._peer(), msg)
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._refuse(400, "not_http")
        self._part()

    def _part(self) -> None:
        """End the connection. Whoever is at work on a request hears that nobody listens any more."""
        cycle = cast("RequestResponseCycle | None", self.cycle)  # none before the first request
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.close()

    def _refuse(self, status: int, code: str) -> None:
        body = json.dumps({"error": code}).encode()
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        for event in (
            h11.Response(status_code=status, headers=headers),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")

    def _peer(self) -> str:
        return "" if self.client is None else f"{self.client[0]}:{self.client[1]}"


def timed(limits: Limits, log: Log) -> type[H11Protocol]:
    """The protocol class for `uvicorn.Config(http=…)` with these limits."""
    known: dict[str, Any] = {"limits": limits, "log": log}
    return type("TimedProtocol", (TimedProtocol,), known)
