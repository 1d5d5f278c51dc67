"""The application alone, in a thread, over a platform that only says what it was asked."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from reference_platform.api.app import create_app
from reference_platform.api.authentication import Tokens
from reference_platform.api.guard import Limits
from reference_platform.api.log import Log
from reference_platform.api.server import serving
from reference_platform.ports import Request, Response

KEY = b"a key for tests, 32 bytes or more"


class Echo:
    """Answers with the request. `bug` as a product's name is one; `slow` holds until `go_on`."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.at_once = 0
        self.at_once_max = 0

    async def handle(self, request: Request) -> Response:
        self.at_once += 1
        self.at_once_max = max(self.at_once_max, self.at_once)
        try:
            if request.body.get("sku") == "bug":
                raise KeyError("secret-of-the-house")
            if request.body.get("sku") == "slow":
                await self.go_on.wait()
            return Response(200, {"action": request.action, "user": request.user, "body": dict(request.body)})
        finally:
            self.at_once -= 1

    def start(self) -> None:
        """Nothing runs in the background."""


class Served:
    """What a test needs of it."""

    def __init__(self) -> None:
        self.port = 0
        self.lines: list[dict[str, Any]] = []
        self.bugs: list[BaseException] = []
        self.echo: Echo | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.bearer = {"Authorization": f"Bearer {Tokens(KEY, lambda: 0).issue('ann', 10**12)}"}

    def go_on(self) -> None:
        assert self.loop is not None
        assert self.echo is not None
        self.loop.call_soon_threadsafe(self.echo.go_on.set)


@contextmanager
def served(limits: Limits, workers: int = 16) -> Iterator[Served]:
    """Serve until the block ends."""
    here, up, over = Served(), threading.Event(), asyncio.Event()

    async def main() -> None:
        here.loop, here.echo = asyncio.get_running_loop(), Echo()
        log = Log("n", lambda: 0, lambda line: here.lines.append(json.loads(line)), here.bugs.append)
        app = create_app(
            here.echo, node="n", tokens=Tokens(KEY, lambda: 0), log=log, limits=limits, workers=workers
        )
        async with serving(app, host="127.0.0.1", port=0, limits=limits, log=log) as here.port:
            up.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert up.wait(60)
    try:
        yield here
    finally:
        assert here.loop is not None
        here.go_on()
        here.loop.call_soon_threadsafe(over.set)
        thread.join(60)
        assert not thread.is_alive()
