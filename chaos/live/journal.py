"""What each process saw, written down at once; afterwards merged into one history.

A line of JSON an event, each with one write to the file: what a process wrote before kill -9 is there. A line
that was being written then has no end, and counts as never written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from heapq import merge as merge_sorted
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from chaos.history import Event, Fail, Invoke, Ok, Recording, State, Unknown

OPS_EACH: Final = 1 << 32
"""How many operations a process may number; `ops_from` of process i is `i * OPS_EACH`."""

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Event).decode
_OUTCOMES: Final = (Ok, Fail, Unknown)


class Journal(Recording):
    """The events of one process, appended to a file.

    A restarted process goes on where the killed one ended: in the same file, with the next number.
    """

    def __init__(self, path: Path, now_us: Callable[[], int], ops_from: int = 0) -> None:
        """Raises ValueError naming file and line when the file holds something else."""
        self.path = path
        whole = 0
        if path.exists():
            tail = Tail(path)
            ops_from = max([ops_from, *(event.op for event in tail.news() if isinstance(event, Invoke))])
            whole = tail.offset
        super().__init__(now_us, self._write, ops_from)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        os.ftruncate(self._file, whole)  # a line without end was never written

    def close(self) -> None:
        """Twice does no harm."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write(self, event: Event) -> None:
        line = _encode(event) + b"\n"
        written = os.write(self._file, line)
        if written != len(line):
            raise OSError(f"{self.path}: only {written} of {len(line)} bytes could be written: disk full?")


class Tail:
    """Reads a journal while it grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        """How many bytes were read: whole lines only."""
        self._lines = 0

    def news(self) -> list[Event]:
        """The events since the last call; none while the file is not there. Raises ValueError naming the line."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                whole, end, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return []
        self.offset += len(whole) + len(end)
        events = []
        for line in whole.splitlines():
            self._lines += 1
            try:
                events.append(_decode(line))
            except ValueError as error:  # a msgspec error is one, and so are bytes that are no text
                raise ValueError(f"{self.path}:{self._lines}: not an event: {error}") from error
        return events


def merge(journals: Iterable[Path], states: Iterable[State] = ()) -> list[Event]:
    """One history of all journals, and of what the database's log tells: by time, stable within a process.

    At the same µs commits come first, then journals in the order given. Operations are numbered anew, from 1, in
    order of time. Raises ValueError when a journal's time runs backwards, when two operations bear one number,
    or when an outcome belongs to none.
    """
    streams: list[list[Event]] = [sorted(states, key=_time), *map(_ordered, journals)]
    numbers: dict[int, int] = {}
    merged: list[Event] = list(merge_sorted(*streams, key=_time))
    for event in merged:
        if isinstance(event, Invoke):
            if event.op in numbers:
                raise ValueError(
                    f"two operations bear the number {event.op}: ranges of two processes overlap"
                )
            numbers[event.op] = number = len(numbers) + 1
            event.op = number
        elif isinstance(event, _OUTCOMES):
            if event.op not in numbers:
                raise ValueError(f"an outcome of operation {event.op}, which was never invoked: {event}")
            event.op = numbers[event.op]
    return merged


def _ordered(path: Path) -> list[Event]:
    events = Tail(path).news()
    for number, (event, following) in enumerate(pairwise(events), start=2):
        if following.t_us < event.t_us:
            raise ValueError(
                f"{path}:{number}: time runs backwards, from {event.t_us} to {following.t_us} us"
            )
    return events


def _time(event: Event) -> int:
    return event.t_us
