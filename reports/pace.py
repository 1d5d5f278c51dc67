"""How run time passed in live runs: where the real seconds went, while the run's clock leapt over its hours.

A bar a run, in real seconds, by what the clock did; beside its name how much of the run that was, and how much
of it was leapt.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullLocator

from chaos.words import Words
from reports import style
from reports.leavings import Leavings, Pace

WIDTH = 480.0
STATES = {"moving": "#0072b2", "waiting": "#a9cfe8", "hastening": "#e69f00", "quiet": "#c9d0d9"}
"""What the clock does, as `chaos.live.conductor` tells it, and its colour."""

_LEFT, _RIGHT = 14.0, 466.0
_KEY, _BOTTOM, _ROW = 24.0, 40.0, 58.0


def draw(runs: Sequence[Leavings], words: Words) -> str:
    """Inline SVG of all runs that say how time passed, on one axis of real seconds."""
    shown = [(left.run, left.pace) for left in runs if left.pace is not None]
    title = words("pace.title")
    with style.settings("pace"):
        height = _KEY + _ROW * len(shown) + _BOTTOM
        figure = style.canvas(WIDTH, height)
        axes = style.panel(figure, _LEFT, _KEY, _RIGHT, height - _BOTTOM)
        axes.set_xlim(0, max(max((_spent_s(pace) for _, pace in shown), default=0.0), 0.001))
        axes.set_ylim(_ROW * len(shown), 0)
        axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_major_locator(NullLocator())
        axes.spines["left"].set_visible(False)
        axes.grid(visible=True, axis="x", color=style.GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.set_xlabel(words("pace.axis"))
        for number, (run, pace) in enumerate(shown):
            _bar(axes, run, pace, number * _ROW, words)
        _key(figure.add_axes((0, 1 - _KEY / height, 1, _KEY / height)), words)
        return style.svg(figure, title, " ".join(f"{run}: {told(pace, words)}" for run, pace in shown))


def _bar(axes: Axes, run: str, pace: Pace, top: float, words: Words) -> None:
    where = axes.get_yaxis_transform()
    axes.text(0, top + 9, run, transform=where, va="center", weight=700, size=style.SMALL)
    axes.text(
        0, top + 23, told(pace, words), transform=where, va="center", color=style.MUTED, size=style.SMALL
    )
    done_s = 0.0
    for state, colour in STATES.items():
        for_s = pace.spent_s.get(state, 0.0)
        axes.broken_barh([(done_s, for_s)], (top + 32, 14), facecolor=colour, linewidth=0)
        done_s += for_s


def _key(axes: Axes, words: Words) -> None:
    axes.set_axis_off()
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(_KEY, 0)
    x = _LEFT + 4
    for state, colour in STATES.items():
        text = words(f"pace.{state}")
        axes.plot([x], [8], marker="s", markersize=7, color=colour, linestyle="none")
        axes.text(x + 8, 8, text, size=style.SMALL, color=style.MUTED, va="center")
        x += 24 + style.text_width(text, style.SMALL)


def told(pace: Pace, words: Words) -> str:
    """`26 h 4 min in 7.9 s: 99.99% leapt (89 leaps)`; a share is rounded down, never up to all."""
    share = int(pace.leapt_s / pace.run_s * 10_000) / 100 if pace.run_s > 0 else 0.0
    return words(
        "pace.told",
        run=words.span(round(pace.run_s * 1e6)),
        real=words.span(round(pace.real_s * 1e6)),
        share=f"{share:.2f}%",
        leaps=pace.leaps,
    )


def _spent_s(pace: Pace) -> float:
    return sum(pace.spent_s.get(state, 0.0) for state in STATES)
