"""An HTTP server of the harness's own on a live run's loop: counterparties and the balancer.

It listens on loopback, says when it is ready, stops on SIGTERM, and ends loudly on a bug: a handler that
raises ends the whole process, because a world that half works proves nothing.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from chaos.live.clock import SharedClock
from chaos.live.settings import Process
from chaos.live.slots import Slot
from chaos.live.timers import AsyncTimers, run

HOST: Final = "127.0.0.1"
SILENT_S: Final = 30.0
"""Real seconds that a client may take for a head, from its first word to the last, or be silent between two."""
BUG: Final = 70
"""Exit status of a process that found a bug in itself (EX_SOFTWARE)."""


class Stop:
    """When a process is to end: on SIGTERM, or because of a bug. Made in the loop."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self.bug: BaseException | None = None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._asked.set)

    def fail(self, error: BaseException) -> None:
        """A bug: the first one ends the process."""
        self.bug = self.bug or error
        self._asked.set()

    async def wait(self) -> None:
        """Until it is time. Raises the bug if there was one."""
        await self._asked.wait()
        if self.bug is not None:
            raise self.bug


@asynccontextmanager
async def listening(app: web.Application, ports: Iterable[int], stop: Stop) -> AsyncIterator[None]:
    """Serve until the block ends, on each of the ports. Whoever waits for an answer then hears the connection break."""

    async def ready(_: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "up"})

    app.router.add_get("/health", ready)
    app.middlewares.append(_loud(stop))
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,  # a caller who gave up needs no answer
        keepalive_timeout=SILENT_S,
        auto_decompress=False,  # bytes stay as they came: bad ones are no error here, and packed ones not a flood
        shutdown_timeout=0.0,
    )
    await runner.setup()
    try:
        for port in ports:
            await web.TCPSite(runner, HOST, port, backlog=1024).start()
        yield
    finally:
        await runner.cleanup()


def _loud(stop: Stop) -> Middleware:
    @web.middleware
    async def loud(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except Exception as error:
            stop.fail(error)
            raise

    return loud


def host(settings: Process, main: Callable[[AsyncTimers, Slot], Awaitable[None]]) -> int:
    """Run a process of a live run to its end; its exit status."""
    clock = SharedClock.open(settings.clock)
    slot = clock.slot(settings.name)

    async def whole(timers: AsyncTimers) -> None:
        await main(timers, slot)

    try:
        run(clock, slot, whole)
    except KeyboardInterrupt:
        return 130
    except Exception:  # noqa: BLE001 - the end of the process: everything is shown
        traceback.print_exc(file=sys.stderr)
        return BUG
    finally:
        clock.close()
    return 0
