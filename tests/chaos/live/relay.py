"""A way to a server that a test can watch, mute and cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Relay:
    """Passes bytes on. `turns` counts how often a client spoke after it was last answered: its round trips."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self.turns = 0
        self.hung_up = 0  # ends of lines that this relay has closed because the other end was
        self.mute = False  # what the server says is swallowed
        self.hears_then_cuts = False  # the next thing a client says arrives, and then the line is cut
        self._upstream = port
        self._answered = True
        self._swallowed = asyncio.Event()  # the server has answered what a client said last, and nobody heard
        self._lines: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        self._lines |= {writer, up_writer}
        for one, other, speaks in ((reader, up_writer, True), (up_reader, writer, False)):
            task = asyncio.create_task(self._pass(one, other, client=speaks))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, client: bool
    ) -> None:
        try:
            while data := await source.read(65536):
                if client:
                    self.turns += self._answered
                    self._answered = False
                    self._swallowed.clear()
                elif self.mute:
                    self._swallowed.set()
                    continue
                else:
                    self._answered = True
                last = client and self.hears_then_cuts
                self.mute = self.mute or last
                target.write(data)
                await target.drain()
                if last:
                    await self._swallowed.wait()  # the server has acted on it; its answer stays here
                    self.cut()
                    self.mute = self.hears_then_cuts = False
        except OSError:
            pass  # cut
        finally:
            target.close()
            with suppress(OSError):
                await target.wait_closed()
            self.hung_up += 1

    def cut(self) -> None:
        """Reset every connection."""
        for line in self._lines:
            line.transport.abort()
        self._lines.clear()


@asynccontextmanager
async def relay_to(port: int) -> AsyncIterator[Relay]:
    """A relay to a loopback port; its own is `relay.port`."""
    relay = Relay(port)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        relay.cut()
        await server.wait_closed()
        if relay._tasks:
            await asyncio.wait(relay._tasks)
