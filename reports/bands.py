"""When which fault was on and what it touched, for the bands behind every figure."""

from __future__ import annotations

from dataclasses import dataclass, field

from chaos.history import Fault, History


@dataclass
class Band:
    """One fault of the vocabulary: its windows and the instants at which it touched something."""

    fault: str
    windows: list[tuple[int, int]] = field(default_factory=list)
    touches: list[int] = field(default_factory=list)

    def span_us(self) -> int:
        return sum(end - start for start, end in self.windows)


def bands(history: History) -> list[Band]:
    """Bands in order of first appearance. A fault that never ends lasts until the run does."""
    found: dict[str, Band] = {}
    open_since: dict[tuple[str, str], list[int]] = {}
    for event in history.events:
        if not isinstance(event, Fault):
            continue
        band = found.setdefault(event.fault, Band(event.fault))
        where = (event.fault, event.site)
        if event.phase == "start":
            open_since.setdefault(where, []).append(event.t_us)
        elif event.phase == "end" and open_since.get(where):
            band.windows.append((open_since[where].pop(), event.t_us))
        elif event.phase == "touch":
            band.touches.append(event.t_us)
    for (fault, _), starts in open_since.items():
        found[fault].windows += [(start, history.header.end_us) for start in starts]
    for band in found.values():
        band.windows = _merged(band.windows)
    return list(found.values())


def _merged(windows: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(windows):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
