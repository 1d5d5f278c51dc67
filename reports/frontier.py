"""A frontier for people: a table in the terminal, and a figure with a row for each design.

The bar is what every seed stood; marks are where invariants first break. A hollow mark says that the same
invariant held again further up.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from pathlib import Path
from typing import Protocol

import msgspec
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn
from rich.table import Table

from chaos.dials import Dial, says
from chaos.edges import Edge, Frontier, Row
from chaos.titles import Titles
from chaos.words import Words
from reports import TEXTS, style

JSON, FIGURE = "frontier.json", "frontier.svg"

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 860.0, 150.0, 836.0, 64.0, 46.0
_ROW, _LINE, _GAP = 30.0, 14.0, 8.0
_TIMES_US = tuple(
    unit * count
    for unit, counts in (
        (1_000, (1, 10, 100)),
        (1_000_000, (1, 5, 15)),
        (60_000_000, (1, 5, 15)),
        (3_600_000_000, (1, 6, 24)),
    )
    for count in counts
)
_COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


class Standing(Protocol):
    """Where the search stands (`chaos.frontier.Standing`)."""

    @property
    def design(self) -> str: ...

    @property
    def number(self) -> int: ...

    @property
    def designs(self) -> int: ...

    @property
    def runs(self) -> int: ...

    @property
    def rate_per_s(self) -> float: ...


class FrontierBar:
    """Which design is on, and how many runs were made. It starts late, so that workers are forked first."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._task = TaskID(0)

    def show(self, state: Standing) -> None:
        """Draw where the search stands."""
        if self._progress is None:
            self._progress = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                console=Console(stderr=True),
                transient=True,
            )
            self._progress.start()
            self._task = self._progress.add_task("")
        told = f"{state.design} ({state.number} of {state.designs}) · {state.runs:,} runs · {state.rate_per_s:.0f} runs/s"
        self._progress.update(self._task, description=told)

    def close(self) -> None:
        """Wipe it from the screen."""
        if self._progress is not None:
            self._progress.stop()


def write(found: Frontier, dial: Dial, out: Path, lang: str) -> None:
    """The data and the figure, into a directory that is there; no figure if no design was finished."""
    document = msgspec.json.format(msgspec.json.encode(found), indent=2)
    (out / JSON).write_bytes(document + b"\n")
    if found.rows:
        (out / FIGURE).write_text(figure(found, dial, lang), "utf-8")


def show_frontier(found: Frontier, dial: Dial, path: str, lang: str, out: Console) -> None:
    """The table, what it rests on, what is not as simple as it looks, and where the rest is."""
    words, titles = Words(lang, TEXTS), Titles(lang)
    out.print(_headline(found, dial, words), style="bold", markup=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("design", "invariant", "breaks_at", "holds_at", "seeds"):
        table.add_column(
            words(f"frontier.{name}"), justify="left" if name in ("design", "invariant") else "right"
        )
    table.add_column("")
    for row in found.rows:
        for edge in row.edges:
            holds = "–" if edge.holds_at is None else dial.shown(edge.holds_at)
            broke = f"{edge.seeds}/{found.seeds}"
            title = titles.invariant(edge.invariant)
            table.add_row(row.design, edge.invariant, dial.shown(edge.breaks_at), holds, broke, title)
        if not row.edges:
            note = words("frontier.held" if row.touched else "frontier.untouched")
            table.add_row(row.design, "–", "–", dial.shown(found.high), f"0/{found.seeds}", note)
    out.print(table)
    out.print(words.count("frontier.rests", found.seeds, share=f"{found.excluded:.1%}"), markup=False)
    for line in _remarks(found, dial, words):
        out.print(line, markup=False)
    out.print(
        words("frontier.done", runs=f"{found.runs:,}", wall=f"{found.wall_s:.1f}", path=path), soft_wrap=True
    )


def _headline(found: Frontier, dial: Dial, words: Words) -> str:
    what = says(found.dial, words.lang)
    return words(
        "frontier.title",
        scenario=found.scenario,
        what=what,
        low=dial.shown(found.low),
        high=dial.shown(found.high),
    )


def _remarks(found: Frontier, dial: Dial, words: Words) -> list[str]:
    """What somebody must know who reads an edge as "below it is safe, above it is not"."""
    told = []
    for row in found.rows:
        for edge in row.edges:
            if edge.again:
                values = words.listed([dial.shown(value) for value in edge.again])
                told.append(
                    words("frontier.again", design=row.design, invariant=edge.invariant, values=values)
                )
        if row.undecided:
            told.append(
                words("frontier.undecided", design=row.design, invariants=words.listed(row.undecided))
            )
    if found.interrupted:
        told.append(words("frontier.interrupted"))
    return told


def figure(found: Frontier, dial: Dial, lang: str) -> str:
    """An SVG file whose letters are letters."""
    words = Words(lang, TEXTS)
    title = _headline(found, dial, words)
    with style.settings("frontier"):
        scale = _Scale(found)
        levels = [scale.levels(_marks(row)) for row in found.rows]
        heights = [_ROW + _LINE * max(1, len(set(level))) for level in levels]
        height = _TOP + sum(heights) + _BOTTOM
        drawing = style.canvas(_WIDTH, height)
        axes = style.panel(drawing, _LEFT, _TOP, _RIGHT, height - _BOTTOM)
        scale.prepare(axes, dial, sum(heights))
        y = 0.0
        for row, level, tall in zip(found.rows, levels, heights, strict=True):
            _draw_row(axes, scale, row, level, y + tall - _ROW / 2)
            y += tall
        drawing.text(16 / _WIDTH, 1 - 22 / height, title, weight=700)
        drawing.text(
            16 / _WIDTH,
            1 - 42 / height,
            words("frontier.key", n=found.seeds),
            color=style.MUTED,
            size=style.SMALL,
        )
        axes.set_xlabel(says(found.dial, lang))
        description = " ".join(_spoken(row, dial, words) for row in found.rows)
        drawn = style.svg(drawing, title, description)
    return style.standalone(drawn)


def _spoken(row: Row, dial: Dial, words: Words) -> str:
    edges = words.listed([f"{edge.invariant} {dial.shown(edge.breaks_at)}" for edge in row.edges])
    return f"{row.design}: {edges or words('frontier.held')}."


def _marks(row: Row) -> list[tuple[float, list[Edge]]]:
    """The edges by value: invariants that break at the same value share a mark."""
    marks: dict[float, list[Edge]] = {}
    for edge in row.edges:
        marks.setdefault(edge.breaks_at, []).append(edge)
    return sorted(marks.items())


def _label(edges: Sequence[Edge]) -> str:
    return " ".join(edge.invariant for edge in edges)


class _Scale:
    """Values in pixels of the figure; ratios are equally long unless the number is a share."""

    def __init__(self, found: Frontier) -> None:
        self.linear = found.unit == "share"
        self.low, self.high = found.low, found.high
        self._unit = found.unit

    def prepare(self, axes: Axes, dial: Dial, height: float) -> None:
        """Limits, ticks that people would choose, and grid."""
        axes.set_xscale("linear" if self.linear else "log")
        axes.set_xlim(self.low, self.high)
        axes.set_ylim(height, 0)
        choice = {"time": _TIMES_US, "share": _SHARES}.get(self._unit, _COUNTS)
        ticks = [value for value in choice if self.low <= value <= self.high] or [self.low, self.high]
        labels = [f"{value:.0%}" if self.linear else dial.shown(value) for value in ticks]
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_major_formatter(FixedFormatter(labels))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_locator(NullLocator())
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color=style.GRID)
        axes.set_axisbelow(True)

    def levels(self, marks: Sequence[tuple[float, list[Edge]]]) -> list[int]:
        """For each mark the line above the bar on which its label finds room."""
        ends: list[float] = []
        chosen = []
        for value, edges in marks:
            width = style.text_width(_label(edges), style.SMALL)
            start = self.start(value, width)
            level = next((number for number, end in enumerate(ends) if end + _GAP <= start), len(ends))
            ends[level : level + 1] = [start + width]
            chosen.append(level)
        return chosen

    def start(self, value: float, width: float) -> float:
        """Where a label begins, in pixels: over its mark, but never outside."""
        return min(max(self.x(value) - 6, 0.0), _RIGHT - _LEFT - width)

    def x(self, value: float) -> float:
        """Pixels from the left end of the axis."""
        part = (value - self.low) / (self.high - self.low)
        if not self.linear:
            part = log(value / self.low) / log(self.high / self.low)
        return part * (_RIGHT - _LEFT)


def _draw_row(axes: Axes, scale: _Scale, row: Row, levels: Sequence[int], y: float) -> None:
    name = row.design.removeprefix("planted.")
    axes.text(-12 / (_RIGHT - _LEFT), y, name, transform=axes.get_yaxis_transform(), ha="right", va="center")
    axes.plot([scale.low, scale.high], [y, y], color=style.FAINT, linewidth=1, zorder=1)
    if row.holds_to is not None and row.touched:
        look = style.OUTCOMES["delivered"]
        axes.plot(
            [scale.low, row.holds_to], [y, y], color=look.colour, linewidth=6, solid_capstyle="butt", zorder=2
        )
    for (value, edges), level in zip(_marks(row), levels, strict=True):
        again = any(edge.again for edge in edges)
        axes.plot(
            [value], [y], marker="X", markersize=9, linestyle="none", color=style.ALARM, clip_on=False, zorder=3,
            markerfacecolor="white" if again else style.ALARM,
        )  # fmt: skip
        label = _label(edges)
        offset = scale.start(value, style.text_width(label, style.SMALL)) - scale.x(value)
        if level:  # a label that had to climb is tied to its mark
            axes.annotate(
                "", (value, y), (0, 9 + level * _LINE), textcoords="offset points", annotation_clip=False,
                arrowprops={"arrowstyle": "-", "color": style.ALARM, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 6},
            )  # fmt: skip
        axes.annotate(
            label, (value, y), (offset, 9 + level * _LINE), textcoords="offset points", size=style.SMALL, va="bottom",
            annotation_clip=False,
        )  # fmt: skip


def exit_code(found: Frontier) -> int:
    """As every command: 1 when something broke, 3 when the fault struck nobody on some design, else 0."""
    if any(row.edges for row in found.rows):
        return 1
    return 3 if any(not row.touched or row.undecided for row in found.rows) else 0
