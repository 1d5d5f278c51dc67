"""The edge as a process: the one address of the platform, in front of all its nodes.

It chooses as the simulated edge does (`sim.edge`): a user sticks to one node by name, a callback goes by
the nonce of its attempt, and a node whose software is down is skipped, as a health check would; a frozen
one is not noticed. `python -m chaos.live.balancer FILE`.

A caller hears a node's answer as it is. Nobody there is 503 `refused`: certainly no effect. A node that
took the request and broke off, or is silent, gives no answer at all: the connection just ends. Whatever a
caller sends, it can neither end this process nor choose where it connects to.
"""

from __future__ import annotations

import asyncio
import base64
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack, closing
from functools import partial
from typing import Final
from zlib import crc32

import aiohttp
import msgspec
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from chaos.live.dispatch import FAILURES, Dispatch
from chaos.live.drawing import messages_of
from chaos.live.journal import Journal
from chaos.live.serving import Stop, host, listening
from chaos.live.settings import EdgeSettings, Upstream, read
from chaos.live.slots import Slot
from chaos.live.timers import AsyncTimers
from chaos.live.wire import action_of
from chaos.messages import Fate, Messages
from reference_platform.adapters.http import client
from reference_platform.adapters.seals import NONCE
from reference_platform.ports import SECOND

EDGE: Final = "edge"
FORWARD_TIMEOUT_US: Final = 60 * SECOND
BODY_BYTES_MAX: Final = 1 << 20  # the platform has a limit of its own, and says so
BODY_S: Final = 30.0
HOP_BY_HOP: Final = frozenset(
    (
        *("connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"),
        *("host", "content-length", "expect"),
    )
)
ADDED: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")  # by the library, if it may


class _Subject(msgspec.Struct):
    sub: str


class Balancer:
    """Forwards each request to its node, or to the next one that is up."""

    def __init__(
        self,
        nodes: Sequence[Upstream],
        timers: AsyncTimers,
        session: aiohttp.ClientSession,
        messages: Messages,
        dispatch: Dispatch,
    ) -> None:
        self._nodes = nodes
        self._timers = timers
        self._session = session
        self._messages = messages
        self._dispatch = dispatch
        self._forwarded: Counter[tuple[str, str, str]] = Counter()

    async def forward(self, request: web.Request) -> web.StreamResponse:
        """One request, to its answer or its end."""
        if not request.raw_path.startswith("/"):  # the form for proxies, which names a server of its own
            return _refusal(400, "not_a_path")
        try:
            async with asyncio.timeout(BODY_S):
                body = await request.read()
        except TimeoutError:
            return _refusal(408, "too_slow")
        with self._timers.working():
            try:
                node = await self._timers.within(FORWARD_TIMEOUT_US, self._choose(sender(request)))
            except TimeoutError:  # a frozen one whose queue is full lets nobody in
                return _hang_up(request)
        if node is None:
            return _refusal(503, "refused")
        try:
            exchange = partial(self._pass, node, request, body)
            return await self._dispatch.send(exchange, FORWARD_TIMEOUT_US, self._fate(node, request))
        except aiohttp.ClientConnectorError:
            return _refusal(503, "refused")
        except FAILURES:
            return _hang_up(request)

    def _fate(self, node: Upstream, request: web.Request) -> Fate | None:
        """Keyed as in `sim.edge`: by action, by who asks, and how often it was passed on to this node."""
        if not self._messages.at_risk:
            return None
        path = request.rel_url.raw_path.encode(errors="backslashreplace").decode()
        what = node.name, action_of(request.method, path), sender(request)
        self._forwarded[what] += 1
        return self._messages.strike(EDGE, node.name, (*what[1:], str(self._forwarded[what])))

    async def _choose(self, asks: str) -> Upstream | None:
        first = crc32(asks.encode()) % len(self._nodes)
        for step in range(len(self._nodes)):
            node = self._nodes[(first + step) % len(self._nodes)]
            if await _is_up(node):
                return node
        return None

    async def _pass(self, node: Upstream, request: web.Request, body: bytes) -> web.StreamResponse:
        async with self._session.request(
            request.method,
            URL(f"{node.url}{request.raw_path}", encoded=True),
            data=body or None,
            headers=end_to_end(request.headers),
            skip_auto_headers=ADDED,
            allow_redirects=False,
        ) as answer:
            told = await answer.read()
            return web.Response(status=answer.status, body=told, headers=end_to_end(answer.headers))


def end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """All headers but those that are about one connection: some always are, others where `Connection` says so."""
    named = ",".join(headers.getall("Connection", ())).split(",")
    dropped = HOP_BY_HOP.union(name.strip().lower() for name in named)
    return CIMultiDict((name, text) for name, text in headers.items() if name.lower() not in dropped)


def sender(request: web.Request) -> str:
    """Who asks: a user by the token's name, unverified, or one attempt of a callback."""
    _, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        claims = token.split(".")[1]
        return msgspec.json.decode(
            base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)), type=_Subject
        ).sub
    except (IndexError, ValueError, RecursionError):  # a msgspec error is a ValueError too
        named = request.headers.get(NONCE, request.path)
        return named.encode(errors="backslashreplace").decode()  # aiohttp lets bytes pass that are no text


async def _is_up(node: Upstream) -> bool:
    """Whether anything listens there. A frozen process still does."""
    address, _, port = node.probe.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(address, int(port))
    except OSError:
        return False
    writer.transport.abort()
    return True


def _refusal(status: int, code: str) -> web.StreamResponse:
    return web.json_response({"error": code}, status=status)


def _hang_up(request: web.Request) -> web.StreamResponse:
    """The end of the connection, without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _serve(settings: EdgeSettings, timers: AsyncTimers) -> None:
    stop = Stop()
    async with AsyncExitStack() as stack:
        journal = stack.enter_context(closing(Journal(settings.journal, timers.now_us)))
        session = await stack.enter_async_context(client({}))
        dispatch = Dispatch(timers, stop.fail)
        stack.push_async_callback(dispatch.close)
        messages = messages_of(settings, timers, journal)
        balancer = Balancer(settings.nodes, timers, session, messages, dispatch)
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        app.router.add_route("*", r"/{path:[\s\S]*}", balancer.forward)
        await stack.enter_async_context(listening(app, [settings.port], stop))
        await stop.wait()


def main(argv: list[str]) -> int:
    """The process."""
    settings = read(argv, EdgeSettings)

    async def serve(timers: AsyncTimers, slot: Slot) -> None:  # noqa: ARG001 - it needs no more than timers
        await _serve(settings, timers)

    return host(settings, serve)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
