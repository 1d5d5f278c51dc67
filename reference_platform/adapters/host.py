"""Clock, Ids and Tasks of one process on asyncio."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

from reference_platform.adapters.waits import Waits
from reference_platform.ports import PortError


class Hardware(Protocol):
    """The clock of the machine. It may be wrong, and then it measures durations wrongly too."""

    def now_us(self) -> int:
        """What it shows, in microseconds since 1970."""
        ...

    def true_us(self, us: int) -> int:
        """How long it truly takes until it has gone on by `us`."""
        ...


class HostClock:
    """`Clock`: what the machine's clock shows, and sleeps by it."""

    def __init__(self, hardware: Hardware, waits: Waits) -> None:
        self.now_us = hardware.now_us
        self._hardware = hardware
        self._waits = waits

    async def sleep(self, us: int) -> None:
        await self._waits.sleep(self._hardware.true_us(us))


class RegisteredIds:
    """`Ids` that say what they are for and are unique over processes and restarts.

    A shared folder has a file for each name that was given; making one is atomic and fails when it is
    there. Another file counts how often a name was wanted, so that the next one is found at once.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = os.fspath(folder)

    def new(self, kind: str, *seed: str) -> str:
        """`order`, `u3`, `k1` → `order-u3-k1`, then `order-u3-k1.2` …"""
        wanted = "-".join((kind, *seed))
        while True:
            n = self._count(wanted)
            name = wanted if n == 1 else f"{wanted}.{n}"
            if self._take(name):  # else other parts make the same name: "a-b" and "c", "a" and "b-c"
                return name

    def _count(self, wanted: str) -> int:
        file = os.open(
            self._path(wanted, "count"), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            os.write(file, b".")
            return os.lseek(file, 0, os.SEEK_CUR)  # where our own byte ended, whoever wrote since
        finally:
            os.close(file)

    def _take(self, name: str) -> bool:
        try:
            file = os.open(
                self._path(name, "given"), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600
            )
        except FileExistsError:
            return False
        os.close(file)
        return True

    def _path(self, name: str, what: str) -> str:
        return f"{self._folder}/{blake2b(name.encode(), digest_size=16).hexdigest()}.{what}"


class AsyncTasks:
    """`Tasks`: background work that trips over the world dies alone; a bug is the whole process's business.

    `tripped(name, error)` hears of the first kind, `bug(name, error)` of the second.
    """

    def __init__(
        self, tripped: Callable[[str, PortError], None], bug: Callable[[str, BaseException], None]
    ) -> None:
        self._tripped = tripped
        self._bug = bug
        self._running: set[asyncio.Task[None]] = set()  # the loop itself keeps only weak references

    def spawn(self, coro: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Start a task."""
        task = asyncio.get_running_loop().create_task(coro, name=name)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, PortError):
            self._tripped(task.get_name(), error)
        elif error is not None:
            self._bug(task.get_name(), error)

    async def close(self) -> None:
        """Cancel what is still running, and see it end."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
