"""What takes real seconds, done beside the run: starting a process again, recovery of the database.

While any of it goes on, the clock keeps to the wall's pace, for real duration is what it is about.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

from chaos.live.clock import SharedClock


class Background:
    """One thread that does one thing after the other. `with` it: what was begun is finished, the rest is not."""

    def __init__(self, clock: SharedClock, name: str) -> None:
        self._slot = clock.slot(name)
        self._slot.idle(True)
        self._queue: SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...]] | None] = SimpleQueue()
        self._pending = 0
        self._counting = threading.Lock()
        self._over = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def do(self, fn: Callable[..., Any], *args: Any) -> None:
        """Do it soon. An error is raised by `check`."""
        with self._counting:
            self._pending += 1
            self._slot.idle(False)
        self._queue.put((fn, args))

    @property
    def busy(self) -> bool:
        """Whether anything is still to be done."""
        return self._pending > 0

    def finish(self, within_s: float) -> None:
        """Wait until everything is done. Raises TimeoutError, or what went wrong."""
        deadline_s = time.monotonic() + within_s
        while self.busy:
            self.check()
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"not done within {within_s} s")
            time.sleep(0.005)
        self.check()

    def check(self) -> None:
        """Raise what went wrong, if anything did."""
        if self._error is not None:
            raise RuntimeError(f"in the background of the run: {self._error}") from self._error

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            fn, args = job
            try:
                if not self._over:
                    fn(*args)
            except BaseException as error:  # noqa: BLE001 - raised by check
                self._error = self._error or error
            with self._counting:
                self._pending -= 1
                self._slot.idle(self._pending == 0)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        self._queue.put(None)
        self._thread.join()
        self._slot.close()
        if error is None:
            self.check()
