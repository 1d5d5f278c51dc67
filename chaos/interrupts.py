"""Ctrl-C stops a campaign at once, but never in the middle of writing a result down.

Python drops an exception that is raised in a weak reference's callback or a finaliser, an interrupt's too. One
that was lost so is raised again when the next result has been written down.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """While entered, an interrupt inside `held` is kept until its end; elsewhere it raises as usual.

    Each is raised once more at the end of the next `held`, because nobody can tell whether it was lost.
    """

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
        try:
            yield
        finally:
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
        self._pending = True
        if not self._holding:
            raise KeyboardInterrupt
