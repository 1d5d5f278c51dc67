"""One direction of one connection: bytes from a source, through the stages in force, to a target.

Without stages data goes straight from one socket to the other. The sender is made to wait while the target
does not take more or the stages hold as much as they may, so memory stays bounded whatever a peer does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from chaos.toxiproxy.closing import Limit, Linger, Reset, Silence
from chaos.toxiproxy.ledger import Ledger
from chaos.toxiproxy.pacing import Delay, Slice, Throttle
from chaos.toxiproxy.stage import CHUNK, Onward, Stage
from chaos.toxiproxy.toxics import Toxic

STAGES: dict[str, type[Stage[Any]]] = {
    "noop": Stage,
    "latency": Delay,
    "bandwidth": Throttle,
    "slow_close": Linger,
    "timeout": Silence,
    "reset_peer": Reset,
    "slicer": Slice,
    "limit_data": Limit,
}


class End(Protocol):
    """One of the two sockets, as a flow needs it."""

    def write(self, data: bytes) -> None: ...
    def close(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class Flow:
    """The stages of one direction, in the order in which their toxics were added."""

    def __init__(
        self,
        direction: str,
        ends: tuple[End, End],
        ledger: Ledger,
        reset: Callable[[], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.direction = direction
        self.loop = loop
        self.reset = reset
        self.stages: list[Stage[Any]] = []
        self.full = False  # the target's socket takes no more for now
        self._source, self._target = ends
        self._ledger = ledger
        self._stopped = False  # nothing more is read, for good
        self._waits = False  # the sender is being made to wait
        self._finished = False  # the source has ended
        self._over = False  # the target has been closed, or is lost

    def receive(self, data: bytes) -> None:
        """Data from the source."""
        self._ledger.received[self.direction] += len(data)
        if self._stopped:
            return
        if not self.stages:
            self.push(data, 0.0)
            return
        first, now = self.stages[0], self.loop.time()
        if len(data) <= CHUNK:
            first.push(data, now)
        else:
            for start in range(0, len(data), CHUNK):
                first.push(data[start : start + CHUNK], now)
        self.balance()

    def finish(self) -> None:
        """The source has ended or is lost."""
        if not self._finished:
            self._finished = True
            (self.stages[0] if self.stages else self).end()

    def push(self, data: bytes, at: float) -> None:
        """What has passed all stages."""
        del at
        if not self._over:
            self._ledger.sent[self.direction] += len(data)
            self._target.write(data)
            if self._waits:
                self.balance()

    def end(self) -> None:
        """The close has passed all stages. As upstream, it closes the target for both directions."""
        if not self._over:
            self._over = True
            self._target.close()

    def lose(self) -> None:
        """The target is gone; nothing that is held can arrive any more."""
        self._over = True
        self.stop()
        for stage in self.stages:
            stage.cancel()
        self.stages.clear()

    def stop(self) -> None:
        self._stopped = True
        self.balance()

    def balance(self) -> None:
        """Makes the sender wait, or lets it go on."""
        waits = self._stopped or self.full or (bool(self.stages) and self._held() > self._capacity())
        if waits != self._waits:
            self._waits = waits
            if waits:
                self._source.pause()
            else:
                self._source.resume()

    def _held(self) -> int:
        return sum(stage.held for stage in self.stages)

    def _capacity(self) -> int:
        return sum(stage.capacity for stage in self.stages)

    def find(self, toxic: Toxic) -> Stage[Any] | None:
        return next((stage for stage in self.stages if stage.toxic is toxic and not stage.shut), None)

    def insert(self, stage: Stage[Any], order: Iterable[Toxic]) -> None:
        """Puts a stage where its toxic stands among the proxy's toxics of this direction."""
        if self._over:
            return
        before = set()
        for toxic in order:
            if toxic is stage.toxic:
                break
            before.add(id(toxic))
        index = max((i + 1 for i, other in enumerate(self.stages) if id(other.toxic) in before), default=0)
        self.stages.insert(index, stage)
        self._link()
        stage.start()

    def take_out(self, stage: Stage[Any], leave: Callable[[], None]) -> None:
        """Takes a stage out after it has given onward what it held. One that has closed the stream stays."""
        leave()
        if not stage.shut and stage in self.stages:
            self.stages.remove(stage)
            self._link()
        self.balance()

    def _link(self) -> None:
        onward: Onward = self
        for stage in reversed(self.stages):
            stage.onward = onward
            onward = stage
