"""Which fault to name beside a finding, for the table rule × fault × order state.

First one that touched the order or its member's act, else one that was in force while the order
lived up to the trigger. It is a pointer for readers, not a proof of cause.
"""

from __future__ import annotations

from chaos.oracle.replay import Replay
from chaos.oracle.timeline import FOREVER, Timeline

NONE = "none"


class Blame:
    """Looks up faults by order. Built when the history is over; costs nothing until it is asked."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        self._touched: dict[str, str] | None = None
        self._windows: list[tuple[int, int, str]] = []

    def of(self, timeline: Timeline, at_us: int) -> str:
        """The fault's name, or "none"; `at_us` is when the trigger was due."""
        touched = self._index() if self._touched is None else self._touched
        member = f"{timeline.user}/{timeline.client_key}"
        for name in (timeline.order_id, member if timeline.client_key else timeline.user):
            if name in touched:
                return touched[name]
        since_us = timeline.changes[0][0] if timeline.changes else at_us
        for start_us, end_us, fault in self._windows:
            if start_us <= at_us and end_us >= since_us:
                return fault
        return NONE

    def _index(self) -> dict[str, str]:
        """Order, `user/client key` or user → the first fault that touched it; windows by start.

        The site of a touch reads `rule/fault/where/key/…`: a user's faults have the user for `where`
        and the client key next, all others the number of a charge or attempt somewhere in the key.
        """
        touched = self._touched = {}
        for fault, site in self._replay.touches:
            parts = site.split("/")
            if fault.startswith("user."):
                touched.setdefault("/".join(parts[2:4]), fault)
                touched.setdefault(parts[2], fault)
            for part in parts[3:]:
                if part in self._replay.timelines:
                    touched.setdefault(part, fault)
        started: dict[str, int] = {}
        for t_us, fault, site, phase in self._replay.windows:
            if phase == "start":
                started[site] = len(self._windows)
                self._windows.append((t_us, FOREVER, fault))
            elif site in started:
                which = started.pop(site)
                self._windows[which] = (self._windows[which][0], t_us, fault)
        return touched
