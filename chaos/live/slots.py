"""What one process says of itself to the conductor: a few words of the clock's mapped memory.

Every word has one writer, the process that owns the slot, and is written with a single store, so there are
no locks and nothing can be left locked by a process that was killed. The words are written on every turn of
a loop, so they are as cheap as an item of a memoryview.

One slot belongs to one loop of control. Counts may be changed from any thread of its process.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple

FOREVER_US: Final = 1 << 62
"""Due time of a process that waits for nothing."""

SLOT_WORDS: Final = 32
NAME_WORD: Final = 16  # the name takes the second half of a slot
NAME_BYTES: Final = 8 * (SLOT_WORDS - NAME_WORD)
_PID, _IDLE, _WORKING, _HOLDING, _OPS, _DUE, _DUE_DAEMON, _HOLD_UNTIL, _NEWEST = range(9)


class Look(NamedTuple):
    """The words of a slot as the conductor found them."""

    pid: int  # 0 when nobody owns the slot
    idle: int
    working: int  # calls to other processes under way
    holding: int  # reasons to let time run no faster than the wall's
    ops: int  # moves with every sign of life
    due_us: int  # run time of the earliest timer that is work
    due_daemon_us: int  # run time of the earliest timer of all
    hold_until_ns: int  # real, monotonic
    newest_ns: int  # when the latest of the calls under way began: real, monotonic; 0 when there is none


class Call:
    """A call to another process: under way from enter to leave. Made by `Slot.working`, one for each call."""

    __slots__ = ("_slot", "_began_ns")

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._began_ns = 0

    def __enter__(self) -> None:
        assert not self._began_ns, "one `working()` counts one call at a time"
        self._began_ns = self._slot._begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._slot._end(self._began_ns)
        self._began_ns = 0


class Count:
    """Enter to count one up, leave to count it down. Reentrant, and shared by all that use it at once."""

    __slots__ = ("_slot", "_word")

    def __init__(self, slot: Slot, word: int) -> None:
        self._slot = slot
        self._word = word

    def __enter__(self) -> None:
        self._slot._add(self._word, 1)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._slot._add(self._word, -1)


class Slot:
    """This process's place in the shared clock. Made by `SharedClock.slot`; starts busy, with nothing due."""

    def __init__(self, words: memoryview, start: int, name: str, bell: Path) -> None:
        self.name = name
        self._words = words
        self._start = start
        self._counting = threading.Lock()
        if not bell.exists():
            os.mkfifo(bell, 0o600)
        # Opened for both directions it never reports an end, and the conductor can always write to it.
        self.bell_fd = os.open(bell, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._under_way: list[int] = []  # when each call began, in order
        self._holding = Count(self, _HOLDING)
        self.silence()
        self._set(_PID, os.getpid())

    def working(self) -> Call:
        """Around a call to another process: time does not leap. It may hasten once the call is an old one."""
        return Call(self)

    def holding(self) -> Count:
        """Around anything whose real duration counts: time runs at the wall's pace, whatever else happens."""
        return self._holding

    def hold(self, real_s: float) -> None:
        """Hold the clock at the wall's pace for a moment, in real seconds.

        For whatever is on its way and waited for by nobody who counts it: the answer to a long poll, a
        notification of the database.
        """
        until_ns = time.monotonic_ns() + int(real_s * 1e9)
        if until_ns > self._words[self._start + _HOLD_UNTIL]:
            self._set(_HOLD_UNTIL, until_ns)

    def idle(self, flag: bool) -> None:
        """True just before blocking with nothing ready, False as soon as the wait is over."""
        self._words[self._start + _IDLE] = flag

    def moved(self) -> None:
        """Something happened: looks before and after it differ."""
        self._add(_OPS, 1)

    def due(self, at_us: int, daemon_us: int = FOREVER_US) -> None:
        """Publish the run time of the earliest timer, `FOREVER_US` when there is none.

        `daemon_us` is the earliest of the timers that are no pending work (see `sim.kernel`); the conductor
        may be told to let those come late.
        """
        self._words[self._start + _DUE_DAEMON] = min(at_us, daemon_us)
        self._words[self._start + _DUE] = at_us

    def answer_bell(self) -> None:
        """Take what the conductor wrote to `bell_fd`, so that it is not readable again at once."""
        with suppress(BlockingIOError):
            while len(os.read(self.bell_fd, 4096)) == 4096:
                pass

    def ring(self) -> None:
        """Make `bell_fd` readable: wakes this process's own loop. Safe from every thread."""
        with suppress(BlockingIOError):  # full: it is readable already
            os.write(self.bell_fd, b"!")

    def silence(self) -> None:
        """Forget what an earlier owner of the slot left behind."""
        self._under_way.clear()
        for word in (_IDLE, _WORKING, _HOLDING, _HOLD_UNTIL, _NEWEST):
            self._set(word, 0)
        self.due(FOREVER_US)
        self.moved()

    def close(self) -> None:
        """Give the slot up; the conductor waits no longer for this process. Twice does no harm."""
        if self.bell_fd >= 0:
            self._set(_PID, 0)
            os.close(self.bell_fd)
            self.bell_fd = -1

    def _begin(self) -> int:
        with self._counting:
            began_ns = time.monotonic_ns()
            self._under_way.append(began_ns)
            self._publish_calls()
        return began_ns

    def _end(self, began_ns: int) -> None:
        with self._counting:
            if began_ns in self._under_way:  # the slot may have been silenced meanwhile
                self._under_way.remove(began_ns)
            if self.bell_fd >= 0:  # else it was given up, and the mapping may be gone
                self._publish_calls()

    def _publish_calls(self) -> None:
        words, start = self._words, self._start
        words[start + _NEWEST] = self._under_way[-1] if self._under_way else 0
        words[start + _WORKING] = len(self._under_way)
        words[start + _OPS] += 1

    def _set(self, word: int, value: int) -> None:
        self._words[self._start + word] = value

    def _add(self, word: int, by: int) -> None:
        with self._counting:
            self._words[self._start + word] += by
            if word != _OPS:
                self._words[self._start + _OPS] += 1
