"""One order from click to card, drawn as rows of events on lanes, fault bands behind.

Every event has a row of its own, so labels can never overlap and a narrow window shrinks nothing that
matters; real time stands beside the rows, and long waits are written where they happen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from chaos.words import Words, clock, yuan
from reports import style
from reports.path import LANES, Step

WIDTH = 480.0
_TIME_RIGHT = 72.0
_FIRST_LANE = 90.0
_LANE_GAP = 23.0
_LINE = 14.0
_LONG_WAIT_US = 30_000_000


@dataclass
class _Row:
    step: Step
    y: float
    lines: list[str]
    wait_us: int


def draw(steps: Sequence[Step], order_id: str, words: Words) -> str:
    """Inline SVG; `steps` as `path` gives them."""
    used = [lane for lane in LANES if any(step.lane == lane for step in steps)]
    xs = {lane: _FIRST_LANE + index * _LANE_GAP for index, lane in enumerate(used)}
    text_left = _FIRST_LANE + len(used) * _LANE_GAP
    rows, height = _rows(steps, WIDTH - text_left - 4, words)
    title = words("figure.lanes", order=order_id)
    with style.settings(f"lanes {order_id}"):
        figure = style.canvas(WIDTH, height)
        axes = style.panel(figure, 0, 0, WIDTH, height)
        axes.set_axis_off()
        axes.set_xlim(0, WIDTH)
        axes.set_ylim(height, 0)
        _bands(axes, rows)
        for lane, x in xs.items():
            axes.plot([x, x], [56, height - 6], color=style.FAINT, linewidth=1, zorder=1)
            axes.text(
                x - 2,
                50,
                words(f"lane.{lane}"),
                rotation=42,
                size=style.SMALL,
                color=style.MUTED,
                va="bottom",
            )
        path = [row for row in rows if row.step.lane in xs]
        axes.plot(
            [xs[row.step.lane] for row in path],
            [row.y for row in path],
            color=style.MUTED,
            linewidth=1.1,
            zorder=2,
        )
        for row in rows:
            _label(axes, row, xs, text_left, words)
        return style.svg(figure, title, _described(rows, words))


def text_of(step: Step, words: Words) -> str:
    data = dict(step.data)
    if step.lane == "fault":
        key = "step.fault_begins" if step.until_us is not None else "step.fault_touches"
        text = words(key, fault=words.fault(step.key))
    else:
        if "fen" in data:
            data["money"] = yuan(int(data["fen"]))
        for name in ("status", "topic", "answer", "state", "call"):
            if name in data:
                data[name] = words.either(f"{name}.{data[name]}", str(data[name]))
        text = words(f"step.{step.key}", **data)
    return text + (words("step.times", n=step.times) if step.times > 1 else "")


def _rows(steps: Sequence[Step], width: float, words: Words) -> tuple[list[_Row], float]:
    rows: list[_Row] = []
    y = 70.0
    before: int | None = None
    for step in steps:
        wait = step.t_us - before if before is not None else 0
        if wait >= _LONG_WAIT_US:
            y += 15.0
        lines = style.fold(text_of(step, words), width)
        rows.append(_Row(step, y, lines, wait if wait >= _LONG_WAIT_US else 0))
        y += _LINE * len(lines) + 6.0
        before = step.t_us
    return rows, y + 2


def _bands(axes: Axes, rows: Sequence[_Row]) -> None:
    """From the row where a fault begins to the last row that it still covers."""
    for row in rows:
        until = row.step.until_us
        if until is None:
            continue
        covered = [other for other in rows if row.y <= other.y and other.step.t_us <= until]
        bottom = covered[-1].y + _LINE * (len(covered[-1].lines) - 1) + 9
        axes.axhspan(row.y - 10, bottom, facecolor=style.BAND, alpha=0.45, linewidth=0, zorder=0)


def _label(axes: Axes, row: _Row, xs: dict[str, float], left: float, words: Words) -> None:
    step = row.step
    fault = step.lane == "fault"
    colour = style.ALARM if step.alarm else style.BAND_EDGE if fault else style.INK
    axes.text(
        _TIME_RIGHT,
        row.y,
        clock(step.t_us),
        ha="right",
        va="center_baseline",
        size=style.SMALL,
        color=style.MUTED,
    )
    if row.wait_us:
        waited = f"+{words.span(row.wait_us)}"
        axes.text(
            _TIME_RIGHT,
            row.y - 17,
            waited,
            ha="right",
            va="center_baseline",
            size=9,
            color=style.MUTED,
            style="italic",
        )
    if fault:
        axes.plot(_FIRST_LANE - 11, row.y - 1, marker=">", markersize=6, color=style.BAND_EDGE, zorder=3)
    else:
        axes.plot(
            xs[step.lane], row.y - 1, marker="D" if step.alarm else "o", markersize=9 if step.alarm else 7,
            markerfacecolor=colour, markeredgecolor="white", markeredgewidth=1.2, zorder=4,
        )  # fmt: skip
    for number, line in enumerate(row.lines):
        axes.text(
            left, row.y + number * _LINE, line, va="center_baseline", size=style.SIZE, color=colour,
            weight=700 if step.alarm else 400,
        )  # fmt: skip


def _described(rows: Sequence[_Row], words: Words) -> str:
    join = words("figure.semicolon").join
    return join(f"{clock(row.step.t_us)} {text_of(row.step, words)}" for row in rows)
