"""Reads a history as it streams by and says which situations were met.

Event keys are the judge's: `state.<table>`, `CH.<entry>`, `invoke.<action>`, `fault.<name>` …
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from chaos import routes
from chaos.history import Book, Event, Fault, Header, Invoke, State
from chaos.situations.callbacks import Callbacks
from chaos.situations.repairs import Repairs
from chaos.situations.seen import Seen
from chaos.situations.surroundings import Surroundings

NAMES: Final = (*Callbacks.names, *Repairs.names, *Surroundings.names)
"""Every situation that a scenario can name."""


class Situations:
    """Feed it events in order; ask `met` at the end."""

    def __init__(self, header: Header) -> None:
        self._seen = Seen()
        self._callbacks = Callbacks(self._seen)
        self._surroundings = Surroundings(self._seen, header)
        parts = (self._seen, self._callbacks, Repairs(self._seen), self._surroundings)
        tables = routes.tables([part.hears() for part in parts])
        self._states = tables.get("state", {})
        self._books = {party: tables.get(party, {}) for party in ("CH", "SUP")}
        self._invokes = tables.get("invoke", {})
        self._faults = tables.get("fault", {})
        self._now_us = 0

    def feed(self, event: Event) -> None:
        """Take one event."""
        self.feed_all((event,))

    def feed_all(self, events: Iterable[Event]) -> None:
        """Take events in order. This runs over every event of a run: one look-up for most."""
        states, books, invokes, faults = self._states, self._books, self._invokes, self._faults
        event: Event | None = None
        for event in events:
            kind = type(event)
            if kind is State:
                handlers = states.get(event.table)  # type: ignore[union-attr]
            elif kind is Book:
                handlers = books[event.party].get(event.entry)  # type: ignore[union-attr]
            elif kind is Invoke:
                handlers = invokes.get(event.action)  # type: ignore[union-attr]
            elif kind is Fault:
                handlers = faults.get(event.fault)  # type: ignore[union-attr]
            else:
                continue
            if handlers is not None:
                for handler in handlers:
                    handler(event)
        if event is not None:
            self._now_us = event.t_us

    def times(self) -> dict[str, int]:
        """When each situation was first met, in µs; those that only the whole tells, at the latest event."""
        found = dict(self._seen.met)
        for name in (*self._callbacks.at_end(), *self._surroundings.at_end()):
            found.setdefault(name, self._now_us)
        return {name: found[name] for name in NAMES if name in found}

    def met(self) -> list[str]:
        """The situations that occurred, in the order of `NAMES`."""
        return list(self.times())

    def has(self, name: str) -> bool:
        """Whether this situation occurred. KeyError for a name that nobody knows."""
        if name not in NAMES:
            raise KeyError(name)
        return name in self.times()
