"""Live runs on a terminal: what is being started, which phase is on, and in the end how long people waited."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.status import Status

from chaos.results import Results
from chaos.words import Words
from reports import TEXTS, leavings, waits


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


def show_load(results: Path, lang: str, out: Console) -> None:
    """One line of all runs: requests, failed, dropped, and the longest wait by either loop. Raises ResultsError."""
    told = waits.line(leavings.of(Results(results)), Words(lang, TEXTS))
    if told:
        out.print(told, soft_wrap=True, markup=False)
