"""One run on one sheet: how long orders took, what was asked and achieved, and whose money was at risk.

The panels share one time axis and the fault bands behind it, so that cause and effect stand in one column.
"""

from __future__ import annotations

from matplotlib.axes import Axes

from chaos.words import Words
from reports import panels, style
from reports.bands import Band
from reports.storm import BANDS_AT_MOST, Storm, describe

WIDTH = 480.0
_ROW = 21.0


def draw(storm: Storm, words: Words, title: str, *, full: bool) -> str:
    """The sheet as inline SVG; `full` adds the panel of offered against achieved."""
    with style.settings(f"{title} {full}"):  # one page may show a run on both kinds of sheet
        rows = storm.bands[:BANDS_AT_MOST]
        strip = storm.rows * _ROW + (14.0 if len(storm.bands) > len(rows) else 0.0)
        heights = [150.0, 90.0, 96.0] if full else [140.0, 86.0]
        figure = style.canvas(WIDTH, 6 + strip + sum(heights) + 60.0 * len(heights) + 24)
        top = 6.0
        axes: list[Axes] = []
        strip_axes = style.panel(figure, panels.LEFT, top, panels.RIGHT, top + max(strip, 1.0))
        top += strip
        for height in heights:
            top += 44.0
            axes.append(style.panel(figure, panels.LEFT, top, panels.RIGHT, top + height))
            top += height + 16.0
        _strip(strip_axes, storm, rows, strip, words)
        panels.latency(axes[0], storm, words)
        if full:
            panels.traffic(axes[1], storm, words)
        panels.risk(axes[-1], storm, words)
        for axis in axes:
            _time_axis(axis, storm, words, last=axis is axes[-1])
        return style.svg(figure, title, describe(storm, words))


def _strip(axes: Axes, storm: Storm, rows: list[Band], height: float, words: Words) -> None:
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(max(height, 1.0), 0)
    width = panels.RIGHT - panels.LEFT
    place = storm.axis.place
    for index, band in enumerate(rows):
        y = index * _ROW
        bars = [(place(start), place(end) - place(start)) for start, end in _shown(storm, band)]
        touches = [place(t) for t in band.touches if t <= storm.axis.until_us]
        axes.broken_barh(bars, (y + 12, 5), facecolor=style.BAND_EDGE, linewidth=0)
        axes.vlines(_thinned(touches), y + 11, y + 18, color=style.BAND_EDGE, linewidth=1.2)
        label = words.fault(band.fault) + (f" ×{len(band.touches)}" if len(band.touches) > 1 else "")
        first = min([left for left, _ in bars] + touches, default=0.0)
        room = 1 - style.text_width(label, style.SMALL) / width
        axes.text(max(0.0, min(first, room)), y + 9, label, size=style.SMALL, color=style.BAND_EDGE)
    if len(storm.bands) > len(rows):
        more = words("figure.more_faults", n=len(storm.bands) - len(rows))
        axes.text(0, height - 3, more, size=style.SMALL, color=style.MUTED)


def _shown(storm: Storm, band: Band) -> list[tuple[int, int]]:
    return [window for window in band.windows if window[0] < storm.axis.until_us]


def _thinned(places: list[float], at_most: int = 150) -> list[float]:
    """Evenly fewer: ticks closer than a pixel are one tick to the eye and many bytes to the page."""
    step = max(1, -(-len(places) // at_most))
    return places[::step]


def _time_axis(axes: Axes, storm: Storm, words: Words, *, last: bool) -> None:
    place = storm.axis.place
    for band in storm.bands[:BANDS_AT_MOST]:
        for start, end in _shown(storm, band):
            axes.axvspan(place(start), place(end), facecolor=style.BAND, alpha=0.45, linewidth=0, zorder=0)
    axes.set_xlim(0, 1)
    ticks = storm.axis.ticks()
    axes.set_xticks([at for at, _ in ticks], [label if last else "" for _, label in ticks])
    if storm.axis.busy_us:
        axes.axvline(place(storm.axis.busy_us), color=style.MUTED, linewidth=1, linestyle=(0, (1, 2)))
    if last:
        axes.set_xlabel(words("axis.minutes_two" if storm.axis.busy_us else "axis.minutes"))
    axes.grid(visible=True, axis="y", color=style.GRID, linewidth=0.8)
    axes.set_axisbelow(True)
