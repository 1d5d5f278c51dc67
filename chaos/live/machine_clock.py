"""The clock of one machine, which may be wrong: a mapped word that the orchestrator sets and the node reads.

It keeps its error over the crashes of its node, as the hardware of a real machine does. The second word
counts how often the node read a wrong clock: the evidence that a skew touched anything.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from pathlib import Path

from sim.clock import EPOCH_US

_WORDS = 2
_OFFSET, _WRONG_READINGS = range(_WORDS)


class MachineClock:
    """Implements `reference_platform.adapters.host.Hardware`. `now_us` is run time."""

    def __init__(self, path: Path, now_us: Callable[[], int]) -> None:
        """Map the file, made right when it is not there."""
        if not path.exists():
            path.write_bytes(struct.pack(f"@{_WORDS}q", *[0] * _WORDS))
        with path.open("rb+") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self._words = memoryview(self._map).cast("q")
        self._now_us = now_us

    def now_us(self) -> int:
        """What the clock shows, in microseconds since 1970."""
        offset_us: int = self._words[_OFFSET]
        if offset_us:
            self._words[_WRONG_READINGS] += 1
        return EPOCH_US + self._now_us() + offset_us

    def true_us(self, us: int) -> int:
        """It is set wrong, but it runs right."""
        return us

    def skew(self, offset_us: int) -> None:
        """From now on be `offset_us` ahead of true time; 0 puts it right. For the orchestrator."""
        self._words[_OFFSET] = offset_us

    @property
    def offset_us(self) -> int:
        """How far it is ahead of true time; negative when it is behind."""
        return int(self._words[_OFFSET])

    @property
    def wrong_readings(self) -> int:
        """How often the node read it while it was wrong."""
        return int(self._words[_WRONG_READINGS])

    def close(self) -> None:
        """Unmap. Twice does no harm."""
        self._words.release()
        self._map.close()
