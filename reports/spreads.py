"""How one kind of time spreads in both worlds: the share of cases that took at most so long."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from chaos.agreement import Spread
from chaos.words import Words
from reports import durations, style

SIM, LIVE = style.OUTCOMES["delivered"].colour, style.OUTCOMES["unresolved"].colour
WIDTH, HEIGHT = 330.0, 232.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 312.0, 46.0, 206.0


def draw(spread: Spread, words: Words) -> str:
    """Inline SVG; a world without such times leaves its half out."""
    title = named(spread, words)
    with style.settings(f"spread {spread.design} {spread.what}"):
        figure = style.canvas(WIDTH, HEIGHT)
        axes = style.panel(figure, _LEFT, _TOP, _RIGHT, _BOTTOM)
        axes.set_xscale("log")
        for values, colour, line in ((spread.sim_ms, SIM, "-"), (spread.live_ms, LIVE, (0, (4, 2)))):
            if values:
                least = [max(value, durations.LEAST_MS) for value in values]
                shares = [number / len(least) for number in range(1, len(least) + 1)]
                axes.step(
                    [least[0], *least], [0, *shares], where="post", color=colour, linestyle=line, linewidth=1.8
                )  # fmt: skip
        _scales(axes, words)
        axes.annotate(
            title, (0, 1), (0, 26), xycoords="axes fraction", textcoords="offset points", weight=700
        )
        axes.annotate(
            _test(spread, words), (0, 1), (0, 9), xycoords="axes fraction", textcoords="offset points",
            color=style.MUTED, size=style.SMALL,
        )  # fmt: skip
        return style.svg(figure, title, spoken(spread, words))


def _scales(axes: Axes, words: Words) -> None:
    axes.set_ylim(0, 1.02)
    axes.set_yticks([0, 0.5, 1], ["0%", "50%", "100%"])
    axes.grid(visible=True, color=style.GRID)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(FixedLocator(durations.ticks(*axes.get_xlim())))
    axes.xaxis.set_major_formatter(lambda value, _: durations.short(value, words))
    axes.xaxis.set_minor_locator(NullLocator())


def named(spread: Spread, words: Words) -> str:
    """Our own measures have words of their own; the rest are what people do."""
    return words.either(f"agreement.{spread.what.replace(' ', '_')}", words.named("action", spread.what))


def _test(spread: Spread, words: Words) -> str:
    if spread.distance is None or spread.chance is None:
        return f"{len(spread.sim_ms)} / {len(spread.live_ms)}: {words('agreement.few')}"
    chance = f"{spread.chance:.2f}" if spread.chance >= 0.01 else "< 0.01"
    return f"{words('agreement.distance')} {spread.distance:.2f}, {words('agreement.chance')} {chance}"


def spoken(spread: Spread, words: Words) -> str:
    """The medians, for those who cannot see the figure."""
    medians = [
        f"{words(f'agreement.{name}')} {durations.short(values[(len(values) - 1) // 2], words)}"
        if values
        else "–"
        for name, values in (("sim", spread.sim_ms), ("live", spread.live_ms))
    ]
    return f"{named(spread, words)}: {words('agreement.median')} {', '.join(medians)}"
