"""Where a request over HTTP becomes a `Request` of the platform, and its `Response` an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from fastapi import Depends, HTTPException, Request, Response
from fastapi.security import HTTPBearer

from reference_platform import ports
from reference_platform.adapters.seals import SEAL_HEADERS
from reference_platform.api.authentication import Caller, NotAuthenticated, Tokens
from reference_platform.api.log import Entry
from reference_platform.ports import EMPTY, Platform

RETRY_AFTER: Final = {"Retry-After": "1"}
BEARER: Final = HTTPBearer(auto_error=False, description="A token of HS256 with `sub` and `exp`.")

encode = msgspec.json.Encoder().encode


class Desk:
    """Hands requests to the platform, at most `workers` at once; the others wait in line."""

    def __init__(self, platform: Platform, tokens: Tokens, workers: int) -> None:
        self._platform = platform
        self._tokens = tokens
        self._free = asyncio.Semaphore(workers)

    def caller(self, http: Request) -> Caller:
        """Who asks; HTTPException 401 when that is not known."""
        entry = entry_of(http)
        try:
            caller = self._tokens.read(http.headers.get("authorization"))
        except NotAuthenticated as error:
            entry.why = str(error)
            raise HTTPException(401, "not_authenticated", {"WWW-Authenticate": "Bearer"}) from error
        entry.user = caller.user
        return caller

    def staff(self, http: Request) -> Caller:
        """A member of the staff; HTTPException 401 or 403 for anybody else."""
        caller = self.caller(http)
        if not caller.staff:
            raise HTTPException(403, "staff_only")
        return caller

    async def ask(
        self, http: Request, action: str, caller: Caller, body: Mapping[str, Any] = EMPTY
    ) -> Response:
        """The platform's answer as JSON."""
        answer = await self._serve(http, ports.Request(action, caller.user, body))
        headers = RETRY_AFTER if answer.status == 503 else None
        return Response(encode(dict(answer.body)), answer.status, headers, "application/json")

    async def tell(self, http: Request, action: str) -> Response:
        """The platform's answer to a callback: the very bytes the counterparty waits for."""
        headers = {name: http.headers[name] for name in SEAL_HEADERS if name in http.headers}
        request = ports.Request(action, "", EMPTY, await http.body(), headers)
        answer = await self._serve(http, request)
        return Response(answer.raw, answer.status, media_type="text/plain")

    async def _serve(self, http: Request, request: ports.Request) -> ports.Response:
        entry = entry_of(http)
        entry.action = request.action
        async with self._free:
            answer = await self._platform.handle(request)
        if answer.status >= 400:
            entry.code = str(answer.body.get("error", ""))
        return answer


def entry_of(http: Request) -> Entry:
    """The line of the log that this request will be."""
    entry: Entry = http.scope["entry"]
    return entry


def _desk(http: Request) -> Desk:
    desk: Desk = http.app.state.desk
    return desk


async def _signed_in(http: Request) -> Caller:
    return _desk(http).caller(http)


async def _of_the_staff(http: Request) -> Caller:
    return _desk(http).staff(http)


async def _at_the_desk(http: Request) -> Desk:
    return _desk(http)


SignedIn = Annotated[Caller, Depends(_signed_in)]
OfTheStaff = Annotated[Caller, Depends(_of_the_staff)]
TheDesk = Annotated[Desk, Depends(_at_the_desk)]
