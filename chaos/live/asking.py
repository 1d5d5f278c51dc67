"""One question over HTTP, and what is certain about its answer.

Each has a connection of its own, opened and closed by us: no connection means that the request certainly had
no effect, and nothing is ever sent twice behind our back. Plain blocking sockets, so that it serves threads
and, in a process patched by gevent, greenlets.
"""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException

import msgspec

from chaos.live.wire import Sent
from reference_platform.ports import Response
from sim.network import Refused, Unknown

BACKSTOP_S = 120.0
"""Nobody waits longer on a socket, whatever the shared clock does."""

NOBODY_THERE = b'{"error": "refused"}'
"""What the balancer says, with status 503, when no node took the request: certainly no effect."""


def ask(
    address: str, request: Sent, headers: Mapping[str, str], timeout_s: float | None = BACKSTOP_S
) -> Response | Refused | Unknown:
    """One request over a connection of its own."""
    host, _, port = address.rpartition(":")
    connection = HTTPConnection(host, int(port), timeout=timeout_s)
    try:
        try:
            connection.connect()
        except OSError as error:
            return Refused(str(error))
        try:
            body = msgspec.json.encode(request.body) if request.body or request.method == "POST" else None
            kind = {} if body is None else {"Content-Type": "application/json"}
            connection.request(request.method, request.path, body, {**headers, **kind})
            answer = connection.getresponse()
            raw = answer.read()
        except (OSError, HTTPException) as error:
            return Unknown(str(error))
    finally:
        connection.close()
    if answer.status == 503 and raw == NOBODY_THERE:
        return Refused("nobody there")
    try:
        return Response(answer.status, msgspec.json.decode(raw) if raw else {}, raw)
    except (ValueError, RecursionError):
        return Unknown(f"no JSON: {raw[:80]!r}") if answer.status < 500 else Response(answer.status, {}, raw)
