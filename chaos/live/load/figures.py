"""What load came to: latencies of the open loop, beside those that a closed loop would have measured.

An open loop counts from when work was due. Most tools run a closed loop: each of their users sends the next
request when the last is answered, and counts from then. So of all the work that comes due while the platform
stalls it sees one request a user, and the stall all but vanishes from its percentiles. Its figure is worked
out from the same requests: those that found another of the same member under way are left out, and the rest
are counted from when they were sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from pathlib import Path

import msgspec

SHARES = (50, 90, 99, 100)


class Action(msgspec.Struct):
    """One action's latencies in µs, by either loop, and how many requests came to nothing."""

    open_us: list[int] = []
    closed_us: list[int] = []
    failed: int = 0
    dropped: int = 0


class Figures(msgspec.Struct):
    """Of one process, or of all together. `real_s` is how long load was made, by the wall."""

    actions: dict[str, Action] = {}
    arrivals: int = 0
    real_s: float = 0.0

    def answered(
        self, action: str, due_us: int, sent_us: int, now_us: int, *, failed: bool, alone: bool
    ) -> None:
        """An answer, or the certainty that none will come. `alone`: a closed loop would have asked too."""
        one = self._of(action)
        one.open_us.append(now_us - due_us)
        if alone:
            one.closed_us.append(now_us - sent_us)
        one.failed += failed

    def dropped(self, action: str) -> None:
        """A request that was never sent: too late, or too many at once."""
        self._of(action).dropped += 1

    def add(self, other: Figures) -> None:
        """Count in another process."""
        for name, theirs in other.actions.items():
            ours = self._of(name)
            ours.open_us += theirs.open_us
            ours.closed_us += theirs.closed_us
            ours.failed += theirs.failed
            ours.dropped += theirs.dropped
        self.arrivals += other.arrivals
        self.real_s = max(self.real_s, other.real_s)

    def save(self, path: Path) -> None:
        """Whole or not at all: a process may be killed meanwhile."""
        part = path.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(self))
        part.replace(path)

    def _of(self, action: str) -> Action:
        if action not in self.actions:
            self.actions[action] = Action()
        return self.actions[action]


class Row(msgspec.Struct, frozen=True):
    """An action in the table: percentiles in ms, by the open and by the closed loop."""

    action: str
    requests: int
    failed: int
    dropped: int
    open_ms: dict[str, float]
    closed_ms: dict[str, float]


def rows(figures: Figures) -> list[Row]:
    """The table, the most frequent action first."""
    told = [
        Row(
            action=name,
            requests=len(one.open_us),
            failed=one.failed,
            dropped=one.dropped,
            open_ms=_percentiles_ms(one.open_us),
            closed_ms=_percentiles_ms(one.closed_us),
        )
        for name, one in figures.actions.items()
    ]
    return sorted(told, key=lambda row: (-row.requests, row.action))


def load(paths: Iterable[Path]) -> Figures:
    """The figures of all processes together; of one that wrote none, nothing."""
    whole = Figures()
    for path in paths:
        if path.exists():
            whole.add(msgspec.json.decode(path.read_bytes(), type=Figures))
    return whole


def _percentiles_ms(values_us: list[int]) -> dict[str, float]:
    ordered = sorted(values_us)
    if not ordered:
        return {}
    return {f"p{share}": ordered[ceil(share / 100 * len(ordered)) - 1] / 1000 for share in SHARES}
