"""How an adapter waits: the one thing that the real parts of a run leave to whoever hosts them.

Time-outs are promises in the platform's time. A host whose time is the wall's gives asyncio's own
waiting; one that lets idle hours pass in a moment gives its own, and counts what is under way.
"""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

T = TypeVar("T")


class Waits(Protocol):
    """True time and waiting, in microseconds. A node's clock may be wrong; its time-outs are not.

    A `daemon`'s wait is no pending work: a run may end while it lasts.
    """

    def now_us(self) -> int:
        """Microseconds since the host's own zero."""
        ...

    async def sleep(self, us: int, *, daemon: bool = False) -> None:
        """Wait `us`; nothing is under way meanwhile."""
        ...

    async def within(self, us: int, awaitable: Awaitable[T], *, daemon: bool = False) -> T:
        """The result, or TimeoutError after `us`; what was awaited is cancelled then."""
        ...

    def working(self) -> AbstractContextManager[None]:
        """Around a call to another process: while it is under way, time does not leap."""
        ...
