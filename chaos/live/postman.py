"""Callbacks on their way to the platform, over HTTP.

What comes back, or that nothing did, is an input of the machine that posted, on record like every other.
So a machine that was killed knows after its replay which of its callbacks it has no answer to. A callback's fate
is drawn in the machine's own time, when it posts, and so is the same in a replay.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import aiohttp

from chaos.live.dispatch import FAILURES, Dispatch
from chaos.live.durable import Durable
from chaos.live.timers import AsyncTimers
from chaos.messages import Fate
from reference_platform.ports import EMPTY, Request, Response


class Postman:
    """Posts callbacks to the edge. What came back is an input of the machine, as all else is."""

    def __init__(
        self,
        edge: str,
        timers: AsyncTimers,
        session: aiohttp.ClientSession,
        failed: Callable[[BaseException], None],
        fate_of: Callable[[tuple[str, ...]], Fate | None],
    ) -> None:
        """`failed` hears of a bug in what the machine makes of an answer; `fate_of` takes a callback's key."""
        self._edge = edge
        self._session = session
        self._fate_of = fate_of
        self._dispatch = Dispatch(timers, failed)
        self._numbers = count(1)
        self._waiting: dict[int, tuple[Callable[..., None], tuple[Any, ...]]] = {}
        self._letters: dict[int, tuple[Request, int, Fate | None]] = {}
        self._live: Durable | None = None

    def post(
        self,
        request: Request,
        timeout_us: int,
        key: tuple[str, ...],
        answered: Callable[..., None],
        *args: Any,
    ) -> None:
        """Implements `sim.counterparties.host.Post`. During a replay it only remembers."""
        number = next(self._numbers)
        self._waiting[number] = answered, args
        self._letters[number] = request, timeout_us, self._fate_of(key)
        if self._live is not None:
            self._send(number)

    def begin(self, durable: Durable) -> None:
        """The replay is over: a callback of which we have no answer is sent once more."""
        self._live = durable
        for number in list(self._letters):
            self._send(number)

    def answered(self, data: dict[str, Any]) -> None:
        """The input `answered`: pass it on to whoever posted."""
        number, status = data["number"], data["status"]
        self._letters.pop(number, None)
        fn, args = self._waiting.pop(number)
        response = None if status is None else Response(status, EMPTY, data["body"].encode("latin-1"))
        fn(*args, response)

    def _send(self, number: int) -> None:
        self._dispatch.start(self._deliver(number, *self._letters.pop(number)))

    async def _deliver(self, number: int, request: Request, timeout_us: int, fate: Fate | None) -> None:
        status: int | None = None
        body = b""
        try:
            status, body = await self._dispatch.send(partial(self._exchange, request), timeout_us, fate)
        except FAILURES:  # no answer is an answer, too
            status = None
        assert self._live is not None
        self._live.take("answered", {"number": number, "status": status, "body": body.decode("latin-1")})

    async def _exchange(self, request: Request) -> tuple[int, bytes]:
        # `callback.wechat` goes to /callbacks/wechat, `callback.supplier.alpha` to /callbacks/suppliers/alpha.
        path = request.action.replace("callback.supplier.", "suppliers/").replace("callback.", "")
        url = f"{self._edge}/callbacks/{path}"
        async with self._session.post(url, data=request.raw, headers=dict(request.headers)) as answer:
            return answer.status, await answer.read()

    async def close(self) -> None:
        """Nothing is under way any more."""
        await self._dispatch.close()
