"""The panels of a sheet, each on axes of its own; `sheet` puts them together."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, nan
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from chaos.words import Words, yuan
from reports import style
from reports.orders import MINUTE_US, OUTCOMES, risk_by_age
from reports.storm import Storm, counts_of

LEFT, RIGHT = 72.0, 466.0
POINTS_AT_MOST = 400
STEPS_AT_MOST = 400
BINS_AT_MOST = 1000
_Step = tuple[float, tuple[int, int, int]]
_TICKS = (
    (0.1, 100, "ms"), (1, 1, "s"), (10, 10, "s"), (60, 1, "min"), (300, 5, "min"), (1800, 30, "min"), (7200, 2, "h"),
    (86400, 24, "h"),
)  # fmt: skip
"""Seconds, and the same as a number and its unit."""


def latency(axes: Axes, storm: Storm, words: Words) -> None:
    points = {name: _points(storm, name) for name in OUTCOMES}
    slowest = max([y for group in points.values() for _, y in group if y is not None], default=60.0)
    never = max(600.0, slowest) * 5
    for name, group in points.items():
        if group:
            xs = [storm.axis.place(x) for x, _ in group]
            ys = [never if y is None else max(y, 0.05) for _, y in group]
            size = 7.0 if name == "unresolved" else 5.5
            axes.plot(xs, ys, linestyle="none", **_marker(style.OUTCOMES[name], size))
    axes.set_yscale("log")
    fastest = min([y for group in points.values() for _, y in group if y is not None], default=1.0)
    floor = max(0.05, min(1.0, fastest / 2))
    axes.set_ylim(floor, never * 2.2)
    ticks = [(s, words(f"unit.{unit}", n=n)) for s, n, unit in _TICKS if floor <= s < never / 2]
    axes.set_yticks([s for s, _ in ticks] + [never], [label for _, label in ticks] + [words("axis.never")])
    axes.set_yticks([], minor=True)
    axes.axhline(never / 2.2, color=style.FAINT, linewidth=1)
    axes.axhline(300, color=style.MUTED, linewidth=1, linestyle=(0, (4, 3)))
    counts = counts_of(storm.orders)
    _heading(axes, words("panel.latency"))
    _key(axes, [(words(f"outcome.{n}_n", n=c), style.OUTCOMES[n]) for n, c in counts.items() if c])


def _points(storm: Storm, outcome: str) -> list[tuple[int, float | None]]:
    points: list[tuple[int, float | None]] = []
    for life in storm.orders:
        start = life.start_us()
        if start is None or life.outcome() != outcome:
            continue
        settled = life.settled_us()
        points.append((start, None if settled is None else (settled - start) / 1_000_000))
    step = max(1, -(-len(points) // POINTS_AT_MOST)) if outcome in ("delivered", "unpaid") else 1
    return points[::step]


def traffic(axes: Axes, storm: Storm, words: Words) -> None:
    busy_us = storm.axis.busy_us or storm.axis.until_us
    widths = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800)
    width_us = 1_000_000 * next((w for w in widths if busy_us <= w * 40_000_000), 3600)
    bins = min(storm.axis.until_us // width_us + 1, BINS_AT_MOST)
    orders = storm.orders
    groups: tuple[tuple[str, Sequence[int | None], str, Any], ...] = (
        ("offered", storm.clicks, style.FAINT, "-"),
        ("placed", [life.placed_us for life in orders], style.INK, (0, (1, 1.5))),
        ("paid", [life.captured[0][0] if life.captured else None for life in orders], "#e69f00", "-"),
        ("delivered", [life.delivered_us() for life in orders], "#0072b2", "-"),
    )
    edges = [storm.axis.place(i * width_us) for i in range(bins + 1)]
    for name, times, colour, dashes in groups:
        counts = [0] * bins
        for t_us in times:
            if t_us is not None and t_us < bins * width_us:
                counts[t_us // width_us] += 1
        rate = [c * MINUTE_US / width_us for c in counts]
        if name == "offered":
            axes.stairs(rate, edges, fill=True, color=colour, linewidth=0)
        else:
            axes.stairs(rate, edges, color=colour, linestyle=dashes, linewidth=1.5, baseline=None)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes.set_ylabel(words("axis.per_minute"))
    _heading(axes, words("panel.traffic"))
    _key(axes, [(words(f"traffic.{name}"), style.Look(colour, "s")) for name, _, colour, _ in groups])


def risk(axes: Axes, storm: Storm, words: Words) -> None:
    place = storm.axis.place
    series = risk_by_age(storm.orders, storm.end_us)
    shown = [(place(t_us), state) for t_us, state in series if t_us < storm.axis.until_us]
    shown = _per_pixel(shown)
    if shown:
        edges = [0, *(at for at, _ in shown), 1]
        floor = [0.0] * (len(shown) + 1)
        for age in range(3):
            top = [floor[0], *(f + s[1][age] / 100 for f, s in zip(floor[1:], shown, strict=True))]
            # An area of no height is left out: on paper it would still be a line in its age's colour.
            area = [t if t > f else nan for t, f in zip(top, floor, strict=True)]
            if not all(isnan(t) for t in area):
                axes.stairs(area, edges, baseline=floor, fill=True, color=style.AGES[age], linewidth=0)
            floor = top
    peak = max((sum(state) for _, state in shown), default=0)
    left = sum(fen for life in storm.orders for _, fen in life.at_risk()[-1:])
    axes.set_ylim(0, max(peak / 100 * (1.32 if left else 1.08), 1.0))
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.2f}")
    axes.set_ylabel(words("axis.yuan"))
    _heading(axes, words("panel.risk"))
    _key(axes, [(words(f"age.{age}"), style.Look(style.AGES[age], "s")) for age in range(3)])
    if left:
        note = words("figure.left_at_risk", money=yuan(left), time=words.span(storm.end_us))
        look: dict[str, Any] = {"size": style.SMALL, "color": style.ALARM, "weight": 700}
        axes.text(1, 0.97, note, transform=axes.transAxes, ha="right", va="top", **look)


def _per_pixel(series: list[_Step]) -> list[_Step]:
    """Of a long series the highest state in each pixel's time: no peak is lost, and no page is filled."""
    if len(series) <= 2 * STEPS_AT_MOST:
        return series
    kept: dict[int, _Step] = {}
    for step in series:
        pixel = int(step[0] * STEPS_AT_MOST)
        if pixel not in kept or sum(step[1]) >= sum(kept[pixel][1]):
            kept[pixel] = step
    return list(kept.values())


# ------------------------------------------------------------------ headings and keys


def _heading(axes: Axes, title: str) -> None:
    axes.annotate(
        title, (0, 1), (0, 32), xycoords="axes fraction", textcoords="offset points", weight=700,
        annotation_clip=False,
    )  # fmt: skip


def _key(axes: Axes, entries: Sequence[tuple[str, style.Look]]) -> None:
    """A legend on one line above the panel; it begins left of the panel when it is long."""
    widths = [13 + style.text_width(text, style.SMALL) for text, _ in entries]
    gap = 9.0
    x = min(0.0, RIGHT - LEFT - sum(widths) - gap * (len(widths) - 1))
    for (text, look), width in zip(entries, widths, strict=True):
        _swatch(axes, x, look)
        axes.annotate(
            text, (0, 1), (x + 11, 13), xycoords="axes fraction", textcoords="offset points", size=style.SMALL,
            color=style.MUTED, annotation_clip=False,
        )  # fmt: skip
        x += width + gap


def _swatch(axes: Axes, x: float, look: style.Look) -> None:
    _, height = axes.get_figure(root=True).get_size_inches() * 72  # type: ignore[union-attr]
    box = axes.get_position()
    panel_width, panel_height = RIGHT - LEFT, box.height * height
    axes.plot(
        (x + 4) / panel_width, 1 + 16.5 / panel_height, transform=axes.transAxes, clip_on=False, linestyle="none",
        **_marker(look, 5.5),
    )  # fmt: skip


def _marker(look: style.Look, size: float) -> dict[str, Any]:
    return {
        "marker": look.marker,
        "markersize": size,
        "markerfacecolor": look.colour if look.filled else "none",
        "markeredgecolor": look.colour if not look.filled else "white",
        "markeredgewidth": 1.0 if not look.filled else 0.4,
    }
