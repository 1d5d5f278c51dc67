"""What a counterparty needs of whoever runs it: time, later calls, a post, and something to write in.

The simulator gives its kernel and network, an HTTP server its own clock and client. The counterparty
cannot tell which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from reference_platform.ports import Request
from sim.counterparties.signatures import Seal
from sim.randomness import Streams
from sim.recorder import Recorder
from sim.storm import Storm


class Timers(Protocol):
    """A clock with calls in the future; `sim.kernel.Kernel` is one."""

    @property
    def now(self) -> int:
        """Microseconds since the host's own zero."""
        ...

    def call_at(self, at_us: int, fn: Callable[..., Any], *args: Any) -> object:
        """Call `fn(*args)` when `now` is `at_us`."""
        ...


class Post(Protocol):
    """Sends a callback to the platform and passes on what came back, None when nothing did.

    The host must call `answered(*args, response)` exactly once, no later than `timeout_us`.
    """

    def __call__(
        self,
        request: Request,
        timeout_us: int,
        key: tuple[str, ...],
        answered: Callable[..., None],
        *args: Any,
    ) -> None:
        """`key` names this delivery for keyed draws; the response is the last argument of `answered`."""
        ...


@dataclass(frozen=True, slots=True)
class Host:
    """The surroundings of the counterparty `name`. `epoch_us` is the time of day at the timers' zero."""

    name: str
    timers: Timers
    post: Post
    seal: Seal
    recorder: Recorder
    streams: Streams
    epoch_us: int
    storm: Storm

    @property
    def now_us(self) -> int:
        """Microseconds since 1970, as the platform counts them; a counterparty's clock is never wrong."""
        return self.timers.now + self.epoch_us

    def after(self, delay_us: int, fn: Callable[..., Any], *args: Any) -> None:
        """Call `fn(*args)` in `delay_us`."""
        self.timers.call_at(self.timers.now + delay_us, fn, *args)

    def between_us(self, span_us: tuple[int, int], stream: str, *key: str) -> int:
        """A duration drawn evenly from the span, by the key alone."""
        low_us, high_us = span_us
        return low_us + int((high_us - low_us) * self.streams.uniform(stream, self.name, *key))
