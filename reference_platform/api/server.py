"""Serving an application on a loop that somebody else runs: uvicorn without its signals and its own loop."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import uvicorn
from fastapi import FastAPI

from reference_platform.api.guard import Limits
from reference_platform.api.log import Log
from reference_platform.api.protocol import timed

BACKLOG: Final = 1024
GRACE_S: Final = 5
"""How long requests under way may still take when the server stops, in seconds."""


@asynccontextmanager
async def serving(app: FastAPI, *, host: str, port: int, limits: Limits, log: Log) -> AsyncIterator[int]:
    """Serve until the block ends; gives the port, which the system chooses for 0.

    OSError when the port is taken. At the end nobody is let in any more, and requests under way get GRACE_S.
    """
    config = uvicorn.Config(
        app,
        http=timed(limits, log),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=int(limits.idle_s),
        timeout_graceful_shutdown=GRACE_S,
        h11_max_incomplete_event_size=limits.head_bytes_max,
    )
    listener = socket.create_server((host, port), backlog=BACKLOG)
    try:
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[listener])
        try:
            yield int(listener.getsockname()[1])
        finally:
            await server.shutdown(sockets=[listener])
    finally:
        listener.close()
