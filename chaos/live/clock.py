"""One clock for all processes of a run: a small mapped file that says how far run time is ahead of the wall's.

Run time is CLOCK_MONOTONIC plus one offset, and the offset only ever grows. That is all: the offset is one
word, so no reader can see half of a change; whoever reads an old offset sees a time that is too early, never
too late, so time is monotone in every process, and an event that follows another through a socket never bears
an earlier time. A faster pace is many small leaps.

Before `begin` the clock stands at zero, so that processes can boot at the start of a run, however long it takes.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from chaos.live.slots import FOREVER_US, NAME_BYTES, NAME_WORD, SLOT_WORDS, Look, Slot

__all__ = ["FOREVER_US", "SharedClock", "Slot"]

_MAGIC: Final = 0x676E6566676E6964  # "dingfeng"
_HEAD_WORDS: Final = 8
_MAGIC_WORD, _SLOTS, _OFFSET, _PACE, _LEAPS = range(5)
_STANDING: Final = -(1 << 62)  # the offset of a clock that was not begun
_LOOK: Final = struct.Struct("@9q")


class SharedClock:
    """Run time in µs since the start of the run, the same in every process that opens the file."""

    def __init__(self, path: Path) -> None:
        """Map an existing clock. Raises ValueError when the file is none."""
        self.path = path
        self._bells: dict[int, int] = {}  # slot -> descriptor; the conductor's
        with path.open("rb+") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self._words = memoryview(self._map).cast("q")
        if self._words[_MAGIC_WORD] != _MAGIC:
            self.close()
            raise ValueError(f"{path}: not a clock of a live run")

    @classmethod
    def create(cls, path: Path, processes: int) -> SharedClock:
        """Make a clock with room for that many slots. It stands at zero until `begin`."""
        words = [0] * (_HEAD_WORDS + processes * SLOT_WORDS)
        words[_MAGIC_WORD], words[_SLOTS], words[_OFFSET], words[_PACE] = _MAGIC, processes, _STANDING, 1000
        path.write_bytes(struct.pack(f"@{len(words)}q", *words))
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> SharedClock:
        """Map the clock of a run that somebody else created."""
        return cls(path)

    # ------------------------------------------------------------ reading

    def now_us(self) -> int:
        """Run time, µs. Zero until the clock is begun."""
        mono_us = time.monotonic_ns() // 1000
        offset_us: int = self._words[_OFFSET]
        return mono_us + offset_us if offset_us != _STANDING else 0

    def begun(self) -> bool:
        """Whether the run has begun; until then the clock stands at zero."""
        return bool(self._words[_OFFSET] != _STANDING)

    def pace(self) -> float:
        """Run seconds per real second: 1, or more while everybody only waits for time-outs."""
        return float(self._words[_PACE] / 1000)

    def real_s(self, us: int) -> float:
        """How many real seconds `us` of run time take at the present pace, if there is no leap."""
        return us / (1000 * float(self._words[_PACE]))

    # ------------------------------------------------------------ slots

    def slot(self, name: str) -> Slot:
        """This process's slot. A restarted process takes over the slot of that name.

        Raises ValueError when a living process has it, when no slot is left, or when the name is too long.
        """
        encoded = name.encode()
        if not encoded or len(encoded) > NAME_BYTES:
            raise ValueError(f"a slot's name has 1 to {NAME_BYTES} bytes, not {name!r}")
        with self._locked():
            index = self._place(name)
            pid = self._look(index).pid
            if pid and _is_alive(pid):
                raise ValueError(f"{self.path}: slot {name!r} belongs to the living process {pid}")
            start = self._start(index)
            at = 8 * (start + NAME_WORD)
            self._map[at : at + NAME_BYTES] = encoded.ljust(NAME_BYTES, b"\0")
            return Slot(self._words, start, name, self._bell(index))

    def looks(self) -> list[Look]:
        """What every owned slot says at present, in order of slots; free ones have pid 0."""
        return [self._look(index) for index in range(self._words[_SLOTS])]

    def names(self) -> set[str]:
        """Of all that ever had a slot."""
        return {self.name(index) for index in range(self._words[_SLOTS])} - {""}

    def name(self, index: int) -> str:
        """The name in a slot, empty when it was never taken."""
        at = 8 * (self._start(index) + NAME_WORD)
        return self._map[at : at + NAME_BYTES].rstrip(b"\0").decode()

    # ------------------------------------------------------------ the conductor's

    def begin(self) -> None:
        """Let time run, from zero, and ring everybody."""
        assert not self.begun(), "a clock is begun once"
        self._words[_OFFSET] = -(time.monotonic_ns() // 1000)
        for index, look in enumerate(self.looks()):
            if look.pid:
                self.ring(index)

    def leap_to(self, at_us: int) -> int:
        """Move run time forward to `at_us` and ring whoever has something due by then. Returns the offset, µs.

        A time in the past changes nothing. Only one process may do this.
        """
        assert self.begun(), "a clock that stands cannot leap"
        offset_us: int = at_us - time.monotonic_ns() // 1000
        if offset_us > self._words[_OFFSET]:
            self._words[_OFFSET] = offset_us
            self._words[_LEAPS] += 1
            for index, look in enumerate(self.looks()):
                if look.pid and look.due_daemon_us <= at_us:
                    self.ring(index)
        return int(self._words[_OFFSET])

    def ring(self, index: int) -> None:
        """Wake the loop of a slot's owner, so that it looks at the clock. Nobody there: nothing happens."""
        descriptor = self._bells.get(index)
        if descriptor is None:
            try:
                descriptor = os.open(self._bell(index), os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError:  # its owner died, or has not come yet
                return
            self._bells[index] = descriptor
        # Full: it is readable already. Broken: the owner died, and its successor opens the same file.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(descriptor, b"!")

    def say_pace(self, pace: float) -> None:
        """Publish the pace at which time runs, leaps of idle time left out."""
        self._words[_PACE] = round(pace * 1000)

    def close(self) -> None:
        """Unmap. Slots must not be used any more. Twice does no harm."""
        for descriptor in self._bells.values():
            os.close(descriptor)
        self._bells = {}
        self._words.release()
        self._map.close()

    # ------------------------------------------------------------ within

    def _look(self, index: int) -> Look:
        return Look._make(_LOOK.unpack_from(self._map, 8 * self._start(index)))

    def _place(self, name: str) -> int:
        names = [self.name(index) for index in range(self._words[_SLOTS])]
        for wanted in (name, ""):
            if wanted in names:
                return names.index(wanted)
        raise ValueError(f"{self.path}: room for {len(names)} processes, and {name!r} is one too many")

    def _bell(self, index: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{index}.bell")

    @staticmethod
    def _start(index: int) -> int:
        return _HEAD_WORDS + index * SLOT_WORDS

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time takes a slot. The kernel unlocks for one that dies meanwhile."""
        with self.path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
