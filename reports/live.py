"""Progress of live runs on a terminal: what is being started, which phase is on."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.status import Status


class Steps:
    """One line that is always the latest step, on standard error, and only if somebody watches there."""

    def __init__(self) -> None:
        self._status: Status | None = None

    def show(self, step: str) -> None:
        """Say what is going on now."""
        if not sys.stderr.isatty():
            return
        if self._status is None:
            self._status = Console(stderr=True).status(step)
            self._status.start()
        self._status.update(step)

    def close(self) -> None:
        """Wipe it from the screen."""
        if self._status is not None:
            self._status.stop()
            self._status = None
