"""Toxics that let everything pass, but later: latency, bandwidth, slicer."""

from __future__ import annotations

from collections import deque
from math import inf

from chaos.toxiproxy.draws import Draws
from chaos.toxiproxy.ledger import Touch
from chaos.toxiproxy.slicing import pieces
from chaos.toxiproxy.stage import A, Course, Stage
from chaos.toxiproxy.toxics import Bandwidth, Latency, Slicer, Toxic

# A timer of the event loop is up to a millisecond late. Pieces that should be closer than that are waited for awake.
_AWAKE_S = 0.001


class _Waiting(Stage[A]):
    """Holds chunks in a queue; what stands at its head leaves when it is due."""

    def __init__(self, toxic: Toxic, draws: Draws, touch: Touch, course: Course) -> None:
        super().__init__(toxic, draws, touch, course)
        self._queue: deque[tuple[bytes, float]] = deque()
        self._ended = False
        self._over = False  # the end has gone onward
        self._due: float | None = None  # of the head; None: not yet known

    def push(self, data: bytes, at: float) -> None:
        self._count(len(data))
        self.held += len(data)
        self._queue.append((data, at))
        if len(self._queue) == 1 and self._timer is None:
            self._go()

    def end(self) -> None:
        self._ended = True
        if not self._queue and self._timer is None:
            self._finish()

    def renew(self) -> None:
        """The chunk at the head goes at once, as upstream; those behind it follow the new attributes."""
        self.cancel()
        self._due = None
        if self._queue:
            self._give(self._queue.popleft())
        self._go()

    def release(self) -> None:
        self.cancel()
        while self._queue:
            self._give(self._queue.popleft())
        self._finish()

    def _finish(self) -> None:
        if self._ended and not self._over:
            self._over = True
            self.onward.end()

    def _give(self, chunk: tuple[bytes, float]) -> None:
        self.held -= len(chunk[0])
        self.onward.push(*chunk)

    def _go(self) -> None:
        """Lets go what is due, then sleeps until the next is."""
        while self._queue:
            if self._due is None:
                self._due = self._when()
            if self._due > self._loop.time():
                if self._due != inf:
                    self._timer = self._loop.call_at(self._due, self._woken)
                return
            self._leave(self._due)
            self._due = None
        self._finish()

    def _woken(self) -> None:
        self._timer = None
        if self._due is not None and self._queue:
            self._leave(self._due)
            self._due = None
        self._go()

    def _when(self) -> float:
        """When the head, or its next piece, may leave (loop time)."""
        raise NotImplementedError

    def _leave(self, due: float) -> None:
        """Gives the head, or its next piece, onward."""
        raise NotImplementedError


class Delay(_Waiting[Latency]):
    """latency: each chunk leaves so long after it arrived, and never before the one ahead of it."""

    capacity = 4 * 1024 * 1024
    _last = 0.0

    def _when(self) -> float:
        delay_ms = self.attributes.latency + self._draws.around(self.attributes.jitter)
        return max(self._queue[0][1] + delay_ms / 1000, self._last)

    def _leave(self, due: float) -> None:
        data, _ = self._queue.popleft()
        self._last = due
        self._give((data, due))


class Throttle(_Waiting[Bandwidth]):
    """bandwidth: data leaves when it would have been transmitted; large chunks in pieces of 100 ms each."""

    _credit_s = 0.0  # how late the last piece left; the next one starts earlier by this

    def _when(self) -> float:
        size = min(len(self._queue[0][0]), self._piece())
        if size <= 0:
            return inf
        return self._loop.time() - self._credit_s + size / (self.attributes.rate * 1000)

    def _leave(self, due: float) -> None:
        data, at = self._queue.popleft()
        size = self._piece()
        if len(data) > size:
            self._queue.appendleft((data[size:], at))
        self._credit_s = self._loop.time() - due
        self._give((data[:size], at))

    def _piece(self) -> int:
        return max(self.attributes.rate, 0) * 100


class Slice(_Waiting[Slicer]):
    """slicer: chunks leave in pieces with a pause after each."""

    def __init__(self, toxic: Toxic, draws: Draws, touch: Touch, course: Course) -> None:
        super().__init__(toxic, draws, touch, course)
        self._sizes: deque[int] = deque()  # of the head's pieces
        self._free = 0.0  # the last pause ends

    def _when(self) -> float:
        return self._free

    def _leave(self, due: float) -> None:
        del due
        data, at = self._queue.popleft()
        if not self._sizes:
            wanted = self.attributes
            self._sizes.extend(
                pieces(len(data), wanted.average_size, wanted.size_variation, self._draws.around)
            )
        size = self._sizes.popleft()
        if size < len(data):
            self._queue.appendleft((data[size:], at))
        self._give((data[:size], at))
        self._free = self._loop.time() + self.attributes.delay / 1_000_000

    def _go(self) -> None:
        while (now := self._loop.time()) >= self._free:
            if not self._queue:
                self._finish()
                return
            self._leave(now)
        if self._free - now > _AWAKE_S:
            self._timer = self._loop.call_at(self._free - _AWAKE_S, self._woken)
        else:
            self._timer = self._loop.call_soon(self._woken)

    def _woken(self) -> None:
        self._timer = None
        self._go()

    def renew(self) -> None:
        self._sizes.clear()
        self._free = 0.0
        super().renew()
