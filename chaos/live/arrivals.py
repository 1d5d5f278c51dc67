"""Messages that come in at a part that is ours, each by the link it came by, dealt with as the storm will have it.

The part has a port for each caller, and the proxy of that caller's link leads there: so it knows the link, and
no caller has to say who it is. What becomes of a message must not show to its sender before its time: of what
is lost, or whose answer is, nothing is heard, and the connection stays open until the sender gives up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from chaos.live.timers import AsyncTimers
from chaos.messages import Fate
from reference_platform.ports import Response

Reply = Callable[[Response], None]
Take = Callable[[Reply | None], None]
"""Lets a message have its effect; who hears of the answer, None: nobody."""


class Arrivals:
    """What has come in and not yet had its effect. To be closed."""

    def __init__(self, timers: AsyncTimers, doors: Mapping[str, int]) -> None:
        """`doors` are the ports by caller."""
        self._timers = timers
        self._callers = {port: caller for caller, port in doors.items()}
        self._held: list[Any] = []

    def caller(self, request: web.Request) -> str | None:
        """Who sent it; None: someone who came by no link of the storm's."""
        if request.transport is None:  # hung up meanwhile
            return None
        return self._callers.get(request.transport.get_extra_info("sockname")[1])

    def arrive(self, take: Take, fate: Fate | None) -> asyncio.Future[Response]:
        """Let it have its effect, as often and as late as its fate says. The answer, which may never come."""
        answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

        def reply(response: Response) -> None:
            if not answered.done():  # else the caller has given up, or a copy was quicker
                answered.set_result(response)

        if fate is None:
            take(reply)
        else:
            heard, now_us = reply if fate.answered else None, self._timers.now
            self._held += [
                self._timers.call_at(now_us + late_us, take, heard) for late_us in fate.arrivals_us
            ]
        return answered

    def close(self) -> None:
        """What has not had its effect has none any more."""
        for timer in self._held:
            timer.cancel()
