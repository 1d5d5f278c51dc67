"""Lets run time leap while nothing moves, and hasten while everybody waits for an answer that does not come.

A thread of the orchestrator looks at all slots about once a millisecond and tells three cases apart:

- *moving*: a process is at work, or has yet to do what fell due, or asks for the wall's pace. Time runs with
  the wall's.
- *waiting*: all processes block, but calls are under way. Once all of these are old, somebody waits for a
  time-out; time then hastens in small leaps, and stops at the earliest timer of anybody. What is done beside
  them in the meantime, such as a poll, interrupts that for as long as it takes.
- *quiet*: all processes block and no call is under way. Time leaps to the earliest timer of anybody.

Both wait for two looks that found the very same, and until nothing else runs on this machine or nothing has
moved for a few milliseconds: what nobody counts, such as a notification of the database, may be on its way.
What a dead or a stopped process says does not count: nobody at the other end will ever take it back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import psutil

from chaos.live.clock import SharedClock
from chaos.live.leaplog import LeapLog
from chaos.live.slots import FOREVER_US, Look

_WORTH_US: Final = 1_000  # a shorter way is not worth a leap: the wall's clock is there as soon
_STEP_MAX_S: Final = (
    0.005  # if this thread got no processor for longer, neither did those that would have moved
)
_LOAD: Final = Path("/proc/loadavg")  # its fourth field: threads that run or could, and all threads
_UNHEARD_US: Final = 5_000  # an idle process so late did not hear the bell


@dataclass
class Figures:
    """What came of it. `spent_s`: real seconds moving, waiting, hastening, and quiet before a leap.
    `held_s`: of those moving, the seconds for which a slot was the first that held time.
    """

    real_s: float = 0.0
    run_s: float = 0.0
    leaps: int = 0
    hasty_steps: int = 0
    looks: int = 0
    leapt_s: float = 0.0  # run seconds that passed in leaps
    hasty_s: float = 0.0  # run seconds that passed in hasty steps, beyond the wall's pace
    spent_s: dict[str, float] = field(default_factory=dict)
    held_s: dict[str, float] = field(default_factory=dict)

    def spend(self, state: str, real_s: float, holder: str = "") -> None:
        """Real seconds passed in this state."""
        self.spent_s[state] = self.spent_s.get(state, 0.0) + real_s
        if holder:
            self.held_s[holder] = self.held_s.get(holder, 0.0) + real_s


class Conductor:
    """The one that moves the clock. `with` it, or `start` and `close`.

    It looks every `look_s` real seconds. After `settle_s` without any move it is quiet on a busy machine too.
    `haste` is the pace while everybody waits and all calls are older than `old_s` real seconds; 1 forbids it. `may_hasten` is asked each time (from the conductor's thread): False while something makes real time
    count, such as a toxic that delays. `may_leap` likewise for leaps: False while the orchestrator has
    not yet read what the processes wrote.
    """

    def __init__(
        self,
        clock: SharedClock,
        *,
        look_s: float = 0.001,
        settle_s: float = 0.005,
        old_s: float = 0.1,
        haste: float = 20.0,
        may_hasten: Callable[[], bool] = lambda: True,
        may_leap: Callable[[], bool] = lambda: True,
    ) -> None:
        self.clock = clock
        self.log = LeapLog()
        self.figures = Figures()
        self.limit_us = FOREVER_US
        """No leap goes past this run time; set at any time, from any thread."""
        self.skips_daemons = False
        """Whether leaps pass over daemons' timers, which then come late, as in `Kernel.skip_to`."""
        self._look_s = look_s
        self._settle_s = settle_s
        self._old_s = old_s
        self._haste = haste
        self._may_hasten = may_hasten
        self._may_leap = may_leap
        self._thread = threading.Thread(target=self._conduct, name="conductor", daemon=True)
        self._over = threading.Event()
        self._error: BaseException | None = None
        self._processes: dict[int, psutil.Process] = {}
        self._before: list[Look] = []
        self._moves: list[tuple[int, int, int]] = []
        self._unmoved_since_s = 0.0
        self._looked_s = 0.0
        self._began_s = 0.0

    # ------------------------------------------------------------ for the orchestrator

    def start(self) -> None:
        """Begin the run: its time starts here, from zero."""
        self.clock.begin()
        self.log.note(self.clock.now_us)
        self._began_s = self._looked_s = time.monotonic()
        self._thread.start()

    def to_run_us(self, real_epoch_us: int) -> int:
        """Run time of a real time, µs since 1970, such as the database's commit times."""
        return self.log.to_run_us(real_epoch_us)

    def check(self) -> None:
        """Raise what ended the conductor's thread, if anything did."""
        if self._error is not None:
            raise RuntimeError(f"the conductor of the run failed: {self._error!r}") from self._error

    def close(self) -> None:
        """Stop moving the clock; from then on it runs with the wall's. Raises what ended the thread."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()
        self.clock.say_pace(1.0)
        self.check()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------ the thread

    def _conduct(self) -> None:
        try:
            while not self._over.wait(self._look_s):
                self._look()
        except BaseException as error:  # noqa: BLE001 - raised by check and close
            self._error = error

    def _look(self) -> None:
        real_s = time.monotonic()
        past_s, self._looked_s = real_s - self._looked_s, real_s
        now_us = self.clock.now_us()
        figures = self.figures
        figures.looks += 1
        figures.real_s = real_s - self._began_s
        figures.run_s = now_us / 1e6
        looks = self.clock.looks()
        same, self._before = looks == self._before, looks
        moves = [(look.pid, look.working, look.ops) for look in looks]
        if moves != self._moves:
            self._moves = moves
            self._unmoved_since_s = real_s
        holder = self._holder(looks, now_us)
        if holder >= 0:
            figures.spend("moving", past_s, self.clock.name(holder))
            self._pace(1.0)
            return
        newest_ns = max(
            (look.newest_ns for look in looks if look.working and self._lives(look.pid)), default=0
        )
        settled = same and (real_s - self._unmoved_since_s >= self._settle_s or _nothing_else_runs())
        old = real_s - newest_ns / 1e9 >= self._old_s
        hastens = settled and newest_ns > 0 and old and self._haste > 1 and self._may_hasten()
        figures.spend("hastening" if hastens else "waiting" if newest_ns else "quiet", past_s)
        self._pace(self._haste if hastens else 1.0)
        if settled:
            target_us = min(self._target_us(looks, now_us), self.limit_us)
            if hastens:
                self._hasten(now_us, target_us, past_s)
            elif not newest_ns:
                self._leap(now_us, target_us)

    def _leap(self, now_us: int, target_us: int) -> None:
        if now_us + _WORTH_US < target_us < FOREVER_US and self._may_leap():
            self._move(target_us)
            self.figures.leaps += 1
            self.figures.leapt_s += (target_us - now_us) / 1e6

    def _hasten(self, now_us: int, target_us: int, past_s: float) -> None:
        """One small leap, as far as time should have come since the last look."""
        step_s = min(past_s, _STEP_MAX_S) * (self._haste - 1)
        at_us = min(now_us + round(step_s * 1e6), target_us)
        if at_us > now_us:
            self._move(at_us)
            self.figures.hasty_steps += 1
            self.figures.hasty_s += (at_us - now_us) / 1e6

    def _move(self, at_us: int) -> None:
        self.clock.leap_to(at_us)
        self.log.note(self.clock.now_us)

    def _pace(self, pace: float) -> None:
        if self.clock.pace() != pace:
            self.clock.say_pace(pace)

    def _holder(self, looks: list[Look], now_us: int) -> int:
        """The first slot that keeps time at the wall's pace, -1 when none does."""
        real_ns = time.monotonic_ns()
        for index, look in enumerate(looks):
            if not look.pid:
                continue
            late_us = now_us - self._due_us(look)
            holds = not look.idle or look.holding > 0 or look.hold_until_ns > real_ns or late_us >= 0
            if holds and self._lives(look.pid):
                if look.idle and late_us > _UNHEARD_US:
                    self.clock.ring(index)
                return index
        return -1

    def _target_us(self, looks: list[Look], now_us: int) -> int:
        """The earliest timer of anybody who can hear it."""
        dues = [due_us for look in looks if look.pid and (due_us := self._due_us(look)) > now_us]
        return min(dues, default=FOREVER_US)

    def _due_us(self, look: Look) -> int:
        return look.due_us if self.skips_daemons else look.due_daemon_us

    def _lives(self, pid: int) -> bool:
        """Whether a process is there and may run: neither dead nor stopped by a signal."""
        try:
            process = self._processes.get(pid) or self._processes.setdefault(pid, psutil.Process(pid))
            return process.status() not in {psutil.STATUS_ZOMBIE, psutil.STATUS_STOPPED, psutil.STATUS_DEAD}
        except psutil.NoSuchProcess:
            self._processes.pop(pid, None)
            return False


def _nothing_else_runs() -> bool:
    """Whether this thread is the only one on the machine that runs or could."""
    try:
        return _LOAD.read_text("ascii").split()[3].startswith("1/")
    except FileNotFoundError:
        return False  # no Linux: only the time that has passed can tell
