"""Reads what all processes write down while the run goes on: journals, and the database's own log.

Two readers need it. The nemesis has rules that wait for an event, and the money desk is told of tickets; so
what is read is handed to the orchestrator's kernel. And time may not leap over hours while somebody has yet
to hear what just happened; so the conductor asks `caught_up` before each leap.

The database's log is not free to read. It is read often only if a rule waits for an event.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from chaos.history import Event, State
from chaos.live.journal import Tail

EAGER_S: Final = 0.015
LAZY_S: Final = 0.25


class Watch:
    """A thread that looks at everything; `heard(events)` is called in it, and in the conductor's.

    `commits` reads what the database committed since it was last called. `with` it.
    """

    def __init__(
        self,
        journals: Sequence[Path],
        commits: Callable[[], list[State]],
        heard: Callable[[list[Event]], None],
        *,
        eager: bool,
    ) -> None:
        self._tails = [Tail(path) for path in journals]
        self._commits = commits
        self._heard = heard
        self._every_s = EAGER_S if eager else LAZY_S
        self._one_at_a_time = threading.Lock()
        self._over = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)
        self.states: list[State] = []
        """Everything that the database has committed so far, in order."""

    def caught_up(self) -> bool:
        """Look now. True when there was nothing new."""
        with self._one_at_a_time:
            return not self._look()

    def check(self) -> None:
        """Raise what ended the thread, if anything did."""
        if self._error is not None:
            raise RuntimeError(f"the watch over the run failed: {self._error!r}") from self._error

    def _watch(self) -> None:
        try:
            while not self._over.wait(self._every_s):
                self.caught_up()
        except BaseException as error:  # noqa: BLE001 - raised by check and at the end
            self._error = error

    def _look(self) -> bool:
        committed = self._commits()
        self.states += committed
        news: list[Event] = [*committed]
        for tail in self._tails:
            news += tail.news()
        if news:
            self._heard(news)
        return bool(news)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        if error is None:
            self.check()
