"""A counterparty that survives kill -9: whatever reaches it is written down first, and replayed at restart.

Channels and suppliers are deterministic machines: what they do follows from their inputs and the
times of these. So the inputs are all that has to be kept. Each is one line, written before it takes
effect; at a restart the same machine is fed the same lines and stands where it stood. Between two
inputs it moves by its own timers, each at exactly the time it was set for, however late the process
gets round to it, so that a replay meets no other times than the first life did.

What it books during a replay is compared with the journal, not written a second time (`Books`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import msgspec

from chaos.history import Book, Event, Fault
from chaos.live.journal import Journal, Tail
from sim.kernel import HarnessError


class RealTimers(Protocol):
    """Waiting by the shared clock; `chaos.live.timers.AsyncTimers` is it."""

    @property
    def now(self) -> int: ...

    def call_at(self, at_us: int, fn: Callable[..., Any], *args: Any) -> Any:
        """The timer; it has a `cancel`."""
        ...


class Steps:
    """A machine's own time: it moves from one timer or input to the next. Implements `host.Timers`."""

    def __init__(self) -> None:
        self.now = 0
        self._heap: list[tuple[int, int, Callable[..., Any], tuple[Any, ...]]] = []
        self._numbers = count()

    def call_at(self, at_us: int, fn: Callable[..., Any], *args: Any) -> object:
        """Call `fn(*args)` when the machine's time is `at_us`; a time in the past means as soon as it moves."""
        heappush(self._heap, (max(at_us, self.now), next(self._numbers), fn, args))
        return None

    def advance(self, to_us: int) -> None:
        """Make every call due by `to_us`, each at its time, in the order of time and then of setting."""
        while self._heap and self._heap[0][0] <= to_us:
            self.now, _, fn, args = heappop(self._heap)
            fn(*args)
        self.now = max(self.now, to_us)

    @property
    def next_us(self) -> int | None:
        """When the next call is due, None when there is none."""
        return self._heap[0][0] if self._heap else None


class Input(msgspec.Struct, frozen=True):
    """Something that reached the machine: what, when (run time, µs), and with which particulars."""

    t_us: int
    kind: str
    data: dict[str, Any]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Input).decode

Apply = Callable[[Input, Any], None]
"""`apply(input, reply)`; `reply` is None during a replay: nobody waits for the answer any more."""


class Durable:
    """Feeds a machine. Build the machine on `steps`, then `replay`, then `take` what comes."""

    def __init__(
        self,
        path: Path,
        steps: Steps,
        timers: RealTimers,
        apply: Apply,
        news: Callable[[], Iterable[tuple[int, str, Mapping[str, Any]]]] = tuple,
    ) -> None:
        """`news` is asked before the machine moves: inputs that nobody brings, each with the time it is of."""
        self._path = path
        self._steps = steps
        self._timers = timers
        self._apply = apply
        self._news = news
        self._alarm: Any = None
        self._alarm_us = -1
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def replay(self) -> int:
        """Feed the machine what it was fed before; how much that was. Raises ValueError for a damaged file."""
        whole, _, _ = self._path.read_bytes().rpartition(b"\n")
        lines = whole.splitlines()
        os.ftruncate(self._file, len(whole) + bool(lines))  # a line without end never took effect
        for number, line in enumerate(lines, start=1):
            try:
                said = _decode(line)
            except ValueError as error:  # a msgspec error is one, and so are bytes that are no text
                raise ValueError(f"{self._path}:{number}: not an input: {error}") from error
            self._steps.advance(said.t_us)
            self._apply(said, None)
        return len(lines)

    def begin(self) -> None:
        """Make up for the timers that went off meanwhile; from now on they go off in real time."""
        self._catch_up()

    def take(self, kind: str, data: Mapping[str, Any], reply: Any = None) -> None:
        """An input, now. It is on record before it takes effect."""
        self._fetch_news()
        self._take(self._timers.now, kind, data, reply)
        self._set_alarm()

    def _fetch_news(self) -> None:
        for at_us, kind, data in self._news():
            self._take(min(at_us, self._timers.now), kind, data, None)

    def _take(self, at_us: int, kind: str, data: Mapping[str, Any], reply: Any) -> None:
        said = Input(max(at_us, self._steps.now), kind, dict(data))
        line = _encode(said) + b"\n"
        if os.write(self._file, line) != len(line):
            raise OSError(f"{self._path}: an input could not be written: disk full?")
        self._steps.advance(said.t_us)
        self._apply(said, reply)

    def close(self) -> None:
        """No timer goes off any more."""
        if self._alarm is not None:
            self._alarm.cancel()
        os.close(self._file)

    def _catch_up(self) -> None:
        self._alarm_us = -1
        self._fetch_news()
        self._steps.advance(max(self._timers.now, self._steps.now))
        self._set_alarm()

    def _set_alarm(self) -> None:
        next_us = self._steps.next_us
        if next_us is None or next_us == self._alarm_us:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_us = next_us
        self._alarm = self._timers.call_at(next_us, self._catch_up)


class Books(Journal):
    """A journal that recognises what it holds already: a replayed machine books everything again."""

    def __init__(self, path: Path, now_us: Callable[[], int], ops_from: int = 0) -> None:
        self._held: list[Event] = Tail(path).news()
        self._at = 0
        super().__init__(path, now_us, ops_from)

    def _write(self, event: Event) -> None:
        if self._at == len(self._held):
            super()._write(event)
            return
        held = self._held[self._at]
        self._at += 1
        if not _same(held, event):
            raise HarnessError(f"{self.path}:{self._at}: a replay booked {event}, and there is {held}")

    def all_met(self) -> None:
        """After a replay and `begin`: raises HarnessError when the machine did not come as far as its books."""
        if self._at < len(self._held):
            raise HarnessError(f"{self.path}:{self._at + 1}: not booked by a replay: {self._held[self._at]}")


def _same(held: Event, event: Event) -> bool:
    """Equal but for the time, which is that of writing."""
    assert isinstance(event, Book | Fault), "a machine writes books, and what struck it"
    again = msgspec.convert(msgspec.to_builtins(event) | {"t_us": held.t_us}, Event)
    return bool(held == again)
