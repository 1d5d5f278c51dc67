"""From start to the last closed socket: the API and the proxies of one server."""

from __future__ import annotations

import asyncio
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from aiohttp import web

from chaos.toxiproxy.api import application
from chaos.toxiproxy.collection import Collection
from chaos.toxiproxy.listening import joined, listen
from chaos.toxiproxy.refusal import Refusal


class CannotServe(Exception):
    """The server cannot begin: its address is taken, or its configuration is not usable."""


@dataclass(frozen=True)
class Options:
    """What a server is started with."""

    host: str = "127.0.0.1"
    port: int = 8474  # 0: any free port
    seed: int = 0
    config: Path | None = None  # a list of proxies, as POST /populate takes it


def serve(options: Options, ready: Callable[[str], None]) -> int:
    """Runs until SIGINT or SIGTERM, and returns its number; `ready` is given the API's URL.

    All sockets are closed then. Raises CannotServe.
    """
    try:
        proxies = options.config.read_bytes() if options.config is not None else None
    except OSError as error:
        raise CannotServe(f"{options.config}: {error.strerror}") from None
    return asyncio.run(_serve(options, proxies, ready))


async def _serve(options: Options, populate: bytes | None, ready: Callable[[str], None]) -> int:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _settle, ended, number)
    _allow_many_sockets()
    collection = Collection(options.seed)
    runner = web.AppRunner(application(collection), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        if populate is not None:
            await _configure(collection, populate, options.config)
        plug = await listen(joined(options.host, options.port))
        host, port = plug.getsockname()[:2]
        await web.SockSite(runner, plug).start()
        ready(f"http://{joined(host, port)}")
        return await ended
    except Refusal as refusal:
        raise CannotServe(refusal.message) from None
    finally:
        await runner.cleanup()
        await collection.close()


def _settle(ended: asyncio.Future[int], number: int) -> None:
    if not ended.done():
        ended.set_result(number)


async def _configure(collection: Collection, proxies: bytes, file: Path | None) -> None:
    try:
        _, refusal = await collection.populate(msgspec.json.decode(proxies))
    except (ValueError, RecursionError) as error:  # no JSON, no text, or too deep
        raise CannotServe(f"{file}: {error}") from None
    if refusal is not None:
        raise CannotServe(f"{file}: {refusal.message}")


def _allow_many_sockets() -> None:
    """Two sockets a connection: take as many open files as the system lets us have without asking."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
