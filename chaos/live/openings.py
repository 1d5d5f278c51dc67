"""Site rules that wait for an event: their windows, opened by whoever hears the event, read by those who draw.

The orchestrator hears everything, and writes each window that an event has opened into one file of the run. A
process that draws looks into it as long as a rule of its own waits.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec


class Opening(msgspec.Struct, frozen=True):
    """The window of the rule with this index, in µs of run time."""

    index: int
    start_us: int
    until_us: int


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Opening).decode


class Openings:
    """The file at `path`, which need not be there yet. Of several readers each has its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def tell(self, opening: Opening) -> None:
        """Write one down."""
        line = _encode(opening) + b"\n"
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            if os.write(file, line) != len(line):
                raise OSError(f"{self._path}: an opening could not be written: disk full?")
        finally:
            os.close(file)

    def news(self) -> list[Opening]:
        """Those written since the last call."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                whole, end, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return []
        self._offset += len(whole) + len(end)
        return [_decode(line) for line in whole.splitlines()]
