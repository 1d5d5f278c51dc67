"""Faults of a link, by Toxiproxy's names, and what each means for a message.

Toxiproxy works on the bytes of a connection; here a call is one connection that carries one request
(upstream) and one reply (downstream), each with a size in bytes. The translation:

=========== =========================================================================================
latency     the message arrives `latency_us` later, give or take a uniform `jitter_us`
bandwidth   the message takes its size / `rate_kb_s` longer (KB of 1000 bytes); a rate of 0 lets nothing pass
slow_close  the reply arrives in time, but the connection, and with it the worker at the destination,
            is released `delay_us` later; where a toxic closes the connection, that is noticed so much later
timeout     the message is dropped and the connection closes after `timeout_us`; 0: only when the toxic
            is removed
reset_peer  the message is dropped and the connection is reset after `timeout_us`
slicer      the message arrives in pieces of about `average_size` bytes, `delay_us` apart; it counts as
            arrived with the last
limit_data  a message of more than `bytes` is cut off: dropped, and the connection closes at once
down        connecting is refused; calls under way lose their connection
noop        passes everything on, and counts it
=========== =========================================================================================

Beyond Toxiproxy: *cut* (silence, for partitions), *loss*, *duplicate*, *reorder*. A dropped request
had no effect and a dropped reply had all of it, but its caller is told the same, that is nothing.
Toxicity is rolled once a call and direction, as Toxiproxy rolls it once a connection and direction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

Stream = Literal["upstream", "downstream"]
Draw = Callable[[str], float]


class Passage:
    """One message on its way through the toxics of a link: what has become of it so far."""

    __slots__ = (
        "close_delay_us", "closes_after_us", "copies_after_us", "delay_us", "ending", "hangs", "lost", "refused",
        "size",
    )  # fmt: skip

    def __init__(self, size: int, delay_us: int) -> None:
        self.size = size
        self.delay_us = delay_us
        self.lost = False
        self.refused = False
        self.hangs = False  # the connection closes when the toxic is removed, if not before
        self.closes_after_us: int | None = None  # the connection closes under the caller's eyes
        self.close_delay_us = 0
        self.ending = "closed"  # or "reset": how that looks to the caller
        self.copies_after_us: list[int] = []  # how long after the first each further copy arrives

    def drop(self, closes_after_us: int | None = None) -> None:
        """The message goes no further; the caller may see the connection close."""
        self.lost = True
        self.closes_after_us = closes_after_us


class Fault(Protocol):
    """What can be done to a message."""

    def apply(self, passage: Passage, draw: Draw, /) -> None:
        """Change the passage. `draw(purpose)` is a number in [0, 1) of this call's own."""
        ...


@dataclass(frozen=True, slots=True)
class Latency:
    """Toxiproxy's latency."""

    latency_us: int
    jitter_us: int = 0

    def apply(self, passage: Passage, draw: Draw, /) -> None:
        delay = self.latency_us
        if self.jitter_us:
            delay += int((2.0 * draw("jitter") - 1.0) * self.jitter_us)
        passage.delay_us += max(delay, 0)


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """Toxiproxy's bandwidth."""

    rate_kb_s: int

    def apply(self, passage: Passage, _draw: Draw, /) -> None:
        if self.rate_kb_s <= 0:
            passage.drop()
        else:
            passage.delay_us += passage.size * 1000 // self.rate_kb_s


@dataclass(frozen=True, slots=True)
class SlowClose:
    """Toxiproxy's slow_close."""

    delay_us: int

    def apply(self, passage: Passage, _draw: Draw, /) -> None:
        passage.close_delay_us += self.delay_us


@dataclass(frozen=True, slots=True)
class Timeout:
    """Toxiproxy's timeout. Calls hang on it until it closes them or is removed."""

    timeout_us: int = 0

    def apply(self, passage: Passage, _draw: Draw, /) -> None:
        passage.hangs = True
        passage.drop(self.timeout_us or None)


@dataclass(frozen=True, slots=True)
class ResetPeer:
    """Toxiproxy's reset_peer."""

    timeout_us: int = 0

    def apply(self, passage: Passage, _draw: Draw, /) -> None:
        passage.ending = "reset"
        passage.drop(self.timeout_us)


@dataclass(frozen=True, slots=True)
class Slicer:
    """Toxiproxy's slicer."""

    average_size: int
    size_variation: int = 0
    delay_us: int = 0

    def apply(self, passage: Passage, draw: Draw, /) -> None:
        size = self.average_size
        if self.size_variation:
            size += int((2.0 * draw("slice") - 1.0) * self.size_variation)
        pieces = -(-passage.size // max(size, 1))
        passage.delay_us += max(pieces - 1, 0) * self.delay_us


@dataclass(frozen=True, slots=True)
class LimitData:
    """Toxiproxy's limit_data."""

    bytes: int

    def apply(self, passage: Passage, _draw: Draw, /) -> None:
        if passage.size > self.bytes:
            passage.drop(0)


@dataclass(frozen=True, slots=True)
class Down:
    """A Toxiproxy proxy that is disabled."""

    def apply(self, passage: Passage, _draw: Draw, /) -> None:
        passage.refused = True
        passage.ending = "reset"
        passage.drop(0)


@dataclass(frozen=True, slots=True)
class Noop:
    """Toxiproxy's noop."""

    def apply(self, passage: Passage, _draw: Draw, /) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Cut:
    """One direction of a partition: messages vanish, also those already on their way."""

    def apply(self, passage: Passage, _draw: Draw, /) -> None:
        passage.drop()


@dataclass(frozen=True, slots=True)
class Loss:
    """The message vanishes: upstream before it took effect, downstream after."""

    def apply(self, passage: Passage, _draw: Draw, /) -> None:
        passage.drop()


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The request arrives again, `copies` times, `gap_us` apart. The first reply counts."""

    copies: int = 1
    gap_us: int = 1_000

    def apply(self, passage: Passage, _draw: Draw, /) -> None:
        passage.copies_after_us.extend(self.gap_us * n for n in range(1, self.copies + 1))


@dataclass(frozen=True, slots=True)
class Reorder:
    """The message is held back by up to `within_us`, so later ones can overtake it."""

    within_us: int

    def apply(self, passage: Passage, draw: Draw, /) -> None:
        passage.delay_us += 1 + int(draw("reorder") * self.within_us)


TOXICS: Final[dict[str, type[Fault]]] = {
    "latency": Latency,
    "bandwidth": Bandwidth,
    "slow_close": SlowClose,
    "timeout": Timeout,
    "reset_peer": ResetPeer,
    "slicer": Slicer,
    "limit_data": LimitData,
    "down": Down,
    "noop": Noop,
}
"""Toxiproxy's names. Times are microseconds here; its own attributes are milliseconds."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a plan does to one particular call: faults of its request, and of its reply."""

    request: tuple[Fault, ...] = field(default=())
    reply: tuple[Fault, ...] = field(default=())
