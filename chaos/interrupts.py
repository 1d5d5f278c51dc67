"""Ctrl-C stops a campaign at once, but never in the middle of writing a result down.

Python drops an exception that is raised in a weak reference's callback or a finaliser, an interrupt's too. One
that was lost so is raised again a moment later.
"""

from __future__ import annotations

import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

AGAIN_S = 0.02
"""Real seconds after which a dropped interrupt is raised again: whatever dropped it is over by then."""


def hush() -> None:
    """An interrupt drops worlds where they stand: that a coroutine of theirs was never awaited is then no news."""
    warnings.filterwarnings("ignore", r"coroutine '.*' was never awaited", RuntimeWarning)


class Interrupts:
    """While entered, an interrupt inside `held` is kept until its end; elsewhere it raises as usual."""

    def __init__(self) -> None:
        self._holding = False
        self._pending = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Take over SIGINT; in other threads than the main one there is nothing to take over."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = signal.signal(signal.SIGINT, self._interrupted)
        hook = sys.unraisablehook
        sys.unraisablehook = partial(_dropped, hook)
        try:
            yield
        finally:
            sys.unraisablehook = hook
            signal.signal(signal.SIGINT, previous)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Whatever happens in here happens whole."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
        if self._pending:
            self._pending = False
            raise KeyboardInterrupt

    def _interrupted(self, _number: int, _frame: FrameType | None) -> None:
        hush()
        if not self._holding:
            raise KeyboardInterrupt
        self._pending = True


def _dropped(hook: Callable[[Any], object], told: Any) -> None:
    """Python tells of an exception that nobody can catch."""
    if told.exc_type is KeyboardInterrupt:
        main = threading.main_thread().ident
        assert main is not None
        threading.Timer(AGAIN_S, signal.pthread_kill, (main, signal.SIGINT)).start()  # ends a sleep, too
    else:
        hook(told)
