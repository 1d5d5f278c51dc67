"""One toxic at work on one direction of one connection: what all types have in common.

A stage takes chunks from the one before it and gives them to `onward`. It is a small state machine with at most
one timer, not a task with a queue, so a connection without toxics costs nothing. Whatever happens to a
toxic, a stream keeps its bytes and their order, or ends: a stage that has dropped bytes never lets later ones pass.
"""

from __future__ import annotations

import asyncio
from typing import Generic, Protocol, TypeVar, cast

from chaos.toxiproxy.draws import Draws
from chaos.toxiproxy.ledger import Touch
from chaos.toxiproxy.toxics import Attributes, Toxic

CHUNK = 32 * 1024  # bytes; toxics meet data in chunks of at most this, as upstream
A = TypeVar("A", bound=Attributes)


class Onward(Protocol):
    """Where a stage puts what it lets pass: the next stage, or the socket. A second `end` changes nothing."""

    def push(self, data: bytes, at: float) -> None: ...
    def end(self) -> None: ...


class Course(Protocol):
    """The direction of the connection that a stage is part of."""

    loop: asyncio.AbstractEventLoop

    def stop(self) -> None:
        """Read no more from the source."""

    def reset(self) -> None:
        """From now on close both sockets with RST instead of FIN."""


class Stage(Generic[A]):
    """Lets everything pass; the others differ from it."""

    capacity = CHUNK  # bytes that may be held here before the sender is made to wait

    def __init__(self, toxic: Toxic, draws: Draws, touch: Touch, course: Course) -> None:
        self.toxic = toxic
        self.onward: Onward
        self.held = 0  # bytes
        self.shut = False  # it has closed the stream; what still comes is dropped
        self._draws = draws
        self._touch = touch
        self._touched = False
        self._course = course
        self._loop = course.loop
        self._timer: asyncio.Handle | None = None

    @property
    def attributes(self) -> A:
        return cast("A", self.toxic.attributes)

    def start(self) -> None:
        """It is in its place now."""

    def push(self, data: bytes, at: float) -> None:
        """Data that arrived at `at` (loop time)."""
        self.onward.push(data, at)

    def end(self) -> None:
        """The close, after all data."""
        self.onward.end()

    def renew(self) -> None:
        """The attributes have changed."""

    def release(self) -> None:
        """A change of toxicity excuses this connection: what is held goes on at once."""

    def remove(self) -> None:
        """The toxic is removed."""
        self.release()

    def cancel(self) -> None:
        """The connection is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _count(self, amount: int) -> None:
        if not self._touched:
            self._touched = True
            self._touch.connections += 1
        self._touch.bytes += amount

    def _shut(self) -> None:
        """Closes the stream: what is past this stage still arrives, nothing else does."""
        if not self.shut:
            self.cancel()
            self.shut = True
            self._course.stop()
            self.onward.end()
