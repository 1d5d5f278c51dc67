"""How long people waited for answers, counted from when they were due, beside what a closed loop would have measured.

A row an action. The filled line is the open loop's: from the median to the slowest, with marks on the way. The
hollow one below it is the closed loop's, of the same requests; where the two part, the closed loop looked away.
Work that was dropped or failed stands beside the action's name, for a latency cannot tell it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from chaos.live.load.figures import Row
from chaos.words import Words
from reports import durations, style
from reports.waits import lost, named, spoken

WIDTH = 480.0
OPEN, CLOSED = style.OUTCOMES["delivered"].colour, style.OUTCOMES["unresolved"].colour
MARKS = {"p50": 4.0, "p90": 6.0, "p99": 8.0}
"""Percentiles by the size of their marks."""

_LEFT, _RIGHT = 14.0, 466.0
_KEY, _BOTTOM = 38.0, 40.0
_ROW, _OPEN_Y, _CLOSED_Y = 56.0, 24.0, 40.0
_BOLD = 1.15  # how much wider than plain letters
_ROOM = 0.8  # of the width; what is right of it is for numbers


def draw(rows: Sequence[Row], words: Words, title: str, span_ms: tuple[float, float]) -> str:
    """One run's load as inline SVG; `span_ms` as `span` gives it, so that designs side by side share an axis."""
    with style.settings(f"load {title}"):
        height = _KEY + _ROW * len(rows) + _BOTTOM
        figure = style.canvas(WIDTH, height)
        axes = style.panel(figure, _LEFT, _KEY, _RIGHT, height - _BOTTOM)
        axes.set_xscale("log")
        low, high = span_ms
        axes.set_xlim(low, low * (high / low) ** (1 / _ROOM))
        axes.set_ylim(_ROW * len(rows), 0)
        at = durations.ticks(low, high, at_most=6)
        axes.set_xticks(at, [durations.short(ms, words) for ms in at])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_locator(NullLocator())
        axes.spines["left"].set_visible(False)
        axes.grid(visible=True, axis="x", color=style.GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.set_xlabel(words("load.axis"))
        for number, row in enumerate(rows):
            _draw_row(axes, row, number * _ROW, words)
        _key(figure.add_axes((0, 1 - _KEY / height, 1, _KEY / height)), words)
        return style.svg(figure, title, " ".join(spoken(row, words) for row in rows))


def span(loads: Iterable[Sequence[Row]]) -> tuple[float, float]:
    """From the least median to the slowest answer of all these runs, ms; some span even if nothing was answered."""
    values = [
        ms for rows in loads for row in rows for told in (row.open_ms, row.closed_ms) for ms in told.values()
    ]
    low = max(min(values, default=1.0), durations.LEAST_MS)
    return low / 1.25, max(max(values, default=1.0), low * 1.5)


def _draw_row(axes: Axes, row: Row, top: float, words: Words) -> None:
    left: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center"}
    axes.text(0, top + 8, named(row.action, words), weight=700, size=style.SMALL, **left)
    width = style.text_width(named(row.action, words), style.SMALL) * _BOLD + 8
    told = words.count("load.requests", row.requests)
    axes.text(width / (_RIGHT - _LEFT), top + 8, told, size=style.SMALL, color=style.MUTED, **left)
    if gone := lost(row, words):
        axes.text(1, top + 8, gone, size=style.SMALL, color=style.ALARM, weight=700, ha="right", **left)
    _track(axes, row.open_ms, top + _OPEN_Y, OPEN, words, filled=True)
    _track(axes, row.closed_ms, top + _CLOSED_Y, CLOSED, words, filled=False)


def _track(axes: Axes, told: dict[str, float], y: float, colour: str, words: Words, *, filled: bool) -> None:
    if not told:
        axes.text(0, y, words("load.nothing"), size=style.SMALL, color=style.MUTED, va="center",
                  transform=axes.get_yaxis_transform())  # fmt: skip
        return
    places = {share: max(ms, durations.LEAST_MS) for share, ms in told.items()}
    axes.plot([places["p50"], places["p100"]], [y, y], color=colour, linewidth=1.5, zorder=2)
    axes.plot([places["p100"]], [y], color=colour, marker="|", markersize=9, markeredgewidth=1.5, zorder=2)
    for share, size in MARKS.items():
        _mark(axes, places[share], y, size, colour, filled=filled)
    axes.annotate(
        durations.short(told["p99"], words), (places["p100"], y), (9, 0), textcoords="offset points", va="center",
        size=style.SMALL, color=colour, annotation_clip=False,
    )  # fmt: skip


def _mark(axes: Axes, x: float, y: float, size: float, colour: str, *, filled: bool) -> None:
    axes.plot(
        [x], [y], marker="o", markersize=size, linestyle="none", markeredgecolor=colour, clip_on=False, zorder=3,
        markerfacecolor=colour if filled else "white", markeredgewidth=1.4,
    )  # fmt: skip


def _key(axes: Axes, words: Words) -> None:
    """Two lines above the rows: which loop is which, and which mark is which percentile."""
    axes.set_axis_off()
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(_KEY, 0)
    x = _LEFT + 4
    for name, colour, filled in (("open", OPEN, True), ("closed", CLOSED, False)):
        axes.plot([x - 4, x + 12], [8, 8], color=colour, linewidth=1.5, zorder=2)
        _mark(axes, x + 4, 8, 6, colour, filled=filled)
        text = words(f"load.{name}")
        axes.text(x + 18, 8, text, size=style.SMALL, color=style.MUTED, va="center")
        x += 34 + style.text_width(text, style.SMALL)
    x = _LEFT + 4
    for share, size in MARKS.items():
        _mark(axes, x, 25, size, style.MUTED, filled=True)
        text = words(f"load.{share}")
        axes.text(x + 8, 25, text, size=style.SMALL, color=style.MUTED, va="center")
        x += 26 + style.text_width(text, style.SMALL)
    axes.plot([x], [25], color=style.MUTED, marker="|", markersize=9, markeredgewidth=1.5)
    axes.text(x + 8, 25, words("load.p100"), size=style.SMALL, color=style.MUTED, va="center")
