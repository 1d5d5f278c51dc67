"""How long people waited for answers, in words: beside the figure, in the table, on the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from chaos.live.load.figures import Row
from chaos.words import Words
from reports import durations
from reports.leavings import Leavings


def named(action: str, words: Words) -> str:
    """What people do, in their words."""
    return words.named("action", action)


def lost(row: Row, words: Words) -> str:
    """What came to nothing, and what was never sent; nothing when all is well."""
    parts = [
        words(f"load.{name}", n=n) for name, n in (("failed", row.failed), ("dropped", row.dropped)) if n
    ]
    return words("figure.comma").join(parts)


def spoken(row: Row, words: Words) -> str:
    """A row in a sentence, for those who cannot see the figure."""
    times = {
        loop: durations.short(told["p99"], words) if told else "–"
        for loop, told in (("open", row.open_ms), ("closed", row.closed_ms))
    }
    counts = {"requests": row.requests, "failed": row.failed, "dropped": row.dropped}
    return words("load.spoken", action=named(row.action, words), **times, **counts)


def line(runs: Iterable[Leavings], words: Words) -> str:
    """All of it in one line: how much was asked, failed and dropped, and who waited longest. Nothing without load."""
    rows = [(row, left) for left in runs for row in left.load]
    if not rows:
        return ""
    counts = {name: sum(getattr(row, name) for row, _ in rows) for name in ("requests", "failed", "dropped")}
    told = words("load.total", **counts)
    answered = [(row, left) for row, left in rows if row.open_ms]
    if not answered:
        return told
    slowest, left = max(answered, key=lambda pair: pair[0].open_ms["p99"])
    closed = slowest.closed_ms.get("p99")
    return told + words(
        "load.slowest",
        action=named(slowest.action, words),
        open=durations.short(slowest.open_ms["p99"], words),
        closed="–" if closed is None else durations.short(closed, words),
        run=left.run,
    )
