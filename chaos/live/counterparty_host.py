"""A channel, a supplier or the users' phones as a process: `python -m chaos.live.counterparty_host FILE`.

The very classes that the simulator hosts, on HTTP. Their calls are `POST /{call}`; users pay by `/pay`
and `/pay_static` and learn of a closed charge by `GET /linger/{charge_no}`. Answers are 200, 400 with a
code, or 503; silence is a connection held open until the caller gives up. Nodes of the platform have a port
each to call, so that a rule can strike single messages of one link.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any, Final

import msgspec
from aiohttp import web

from chaos.live.arrivals import Arrivals, Reply
from chaos.live.calls import CHANNEL_CALLS, SUPPLIER_CALLS, USER_CALLS, Notice, number
from chaos.live.counterparty import Counterparty
from chaos.live.drawing import messages_of
from chaos.live.gate import Gate
from chaos.live.journal import Journal
from chaos.live.serving import Stop, host, listening
from chaos.live.settings import CounterpartySettings, read
from chaos.live.slots import Slot
from chaos.live.timers import AsyncTimers
from chaos.messages import Fate
from reference_platform.adapters.http import client
from reference_platform.ports import Response

USERS: Final = "users"
PARAM_ERROR: Final = {"code": "PARAM_ERROR"}
LINGER_HOLD_S: Final = 0.1  # the answer to a long poll is on its way, and nobody counts it


class Door:
    """HTTP to inputs."""

    def __init__(self, party: Counterparty, arrivals: Arrivals, slot: Slot) -> None:
        self._party = party
        self._arrivals = arrivals
        self._slot = slot
        self._calls = CHANNEL_CALLS if party.channel is not None else SUPPLIER_CALLS

    def routes(self, app: web.Application) -> None:
        """What can be asked."""
        for call in self._calls:
            app.router.add_post(f"/{call}", partial(self._asked, call))
        if self._party.channel is not None:
            for call in USER_CALLS:
                app.router.add_post(f"/{call}", partial(self._paid, call))
            app.router.add_get("/linger/{charge_no:.+}", self._linger)

    async def _asked(self, call: str, request: web.Request) -> web.StreamResponse:
        body = await _body(request, self._calls[call])
        if body is None:
            return _refused()
        fate = self._fate(self._arrivals.caller(request), call, body)
        return await self._take("call", {"call": call, "body": body}, fate)

    def _fate(self, caller: str | None, call: str, body: dict[str, Any]) -> Fate | None:
        """Drawn by the machine, which knows how often it was asked this, over all its lives."""
        if caller is None or not self._party.messages.at_risk:
            return None
        drawn: list[Fate | None] = []
        self._party.durable.take(
            "arrived", {"caller": caller, "call": call, "number": number(body)}, drawn.append
        )
        return drawn[0]

    async def _paid(self, call: str, request: web.Request) -> web.StreamResponse:
        body = await _body(request, USER_CALLS[call])
        return _refused() if body is None else await self._take(call, body)

    async def _linger(self, request: web.Request) -> web.StreamResponse:
        answer = await self._take("linger", {"charge_no": request.match_info["charge_no"]})
        self._slot.hold(LINGER_HOLD_S)
        return answer

    async def _take(self, kind: str, data: dict[str, Any], fate: Fate | None = None) -> web.StreamResponse:
        # The answer may take for ever, if that is the storm's will.
        answer = await self._arrivals.arrive(partial(self._party.durable.take, kind, data), fate)
        return _json(answer)


async def _body(request: web.Request, kind: type[msgspec.Struct]) -> dict[str, Any] | None:
    """The body as it will be on record; None when it is not a `kind`."""
    try:
        body: dict[str, Any] = msgspec.to_builtins(msgspec.json.decode(await request.read(), type=kind))
    except (ValueError, RecursionError):  # no JSON, no text, not of that kind, or too deep
        return None
    return body


def _refused() -> web.StreamResponse:
    return web.json_response(PARAM_ERROR, status=400)


def _json(answer: Response) -> web.StreamResponse:
    return web.json_response(body=msgspec.json.encode(dict(answer.body)), status=answer.status)


async def _serve_party(settings: CounterpartySettings, timers: AsyncTimers, slot: Slot) -> None:
    stop = Stop()
    async with client() as session:
        party = Counterparty(settings, timers, session, stop.fail)
        arrivals = Arrivals(timers, settings.doors)
        try:
            party.begin()
            app = web.Application()
            Door(party, arrivals, slot).routes(app)
            async with listening(app, [settings.port, *settings.doors.values()], stop):
                await stop.wait()
        finally:
            arrivals.close()
            await party.close()


async def _serve_users(settings: CounterpartySettings, timers: AsyncTimers) -> None:
    """Where notices arrive: whatever does has been shown to a user."""
    stop = Stop()
    journal = Journal(settings.journal, timers.now_us, settings.ops_from)
    messages, arrivals = messages_of(settings, timers, journal), Arrivals(timers, settings.doors)

    async def notice(request: web.Request) -> web.StreamResponse:
        try:
            said = msgspec.json.decode(await request.read(), type=Notice)
        except (ValueError, RecursionError):  # as above
            return _refused()

        def show(heard: Reply | None) -> None:
            journal.notice(said.user, said.topic, said.order_id, said.data)
            if heard is not None:
                heard(Response(200))

        caller = arrivals.caller(request)
        key = "notice", said.order_id, said.topic
        fate = None if caller is None else messages.strike(caller, USERS, key)
        return _json(await arrivals.arrive(show, fate))

    app = web.Application()
    app.router.add_post("/notices", notice)
    try:
        async with listening(app, [settings.port, *settings.doors.values()], stop):
            await stop.wait()
    finally:
        arrivals.close()
        journal.close()


def main(argv: list[str]) -> int:
    """The process."""
    settings = read(argv, CounterpartySettings)
    if settings.gate is not None:
        Gate(settings.gate).pass_through()

    async def serve(timers: AsyncTimers, slot: Slot) -> None:
        if settings.name == USERS:
            await _serve_users(settings, timers)
        else:
            await _serve_party(settings, timers, slot)

    return host(settings, serve)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
