"""A gate at which a process waits between being loaded and coming to life.

Loading Python takes real seconds, more on a busy machine; they are no part of any storm. So the successor
of a killed process is loaded while its node is still down, and lives when its time has come.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

_LOOK_S: Final = 0.002


class Gate:
    """Two files next to each other: the bar, and the sign that somebody waits at it."""

    def __init__(self, path: Path) -> None:
        self._bar = path
        self._sign = path.with_name(f"{path.name}.waiting")

    def close(self) -> None:
        """Whoever comes from now on waits."""
        self._sign.unlink(missing_ok=True)
        self._bar.touch()

    def open(self) -> None:
        """Let through whoever waits, and whoever comes. Twice does no harm."""
        self._bar.unlink(missing_ok=True)

    def reached(self) -> bool:
        """Whether somebody has come to the closed gate since."""
        return self._sign.exists()

    def pass_through(self) -> None:
        """At once if it is open; else say so, and wait. For the process."""
        if self._bar.exists():
            self._sign.touch()
        while self._bar.exists():
            time.sleep(_LOOK_S)
