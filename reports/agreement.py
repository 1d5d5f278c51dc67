"""How far two worlds agree, for people: a short table in the terminal, and a page with the times side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator
from rich.console import Console
from rich.table import Table

from chaos.agreement import UNLIKELY, Agreement, Spread, Verdict
from chaos.titles import Titles
from chaos.words import Words
from reports import TEXTS, style

JSON, PAGE = "agreement.json", "agreement.html"
SIM, LIVE = style.OUTCOMES["delivered"].colour, style.OUTCOMES["unresolved"].colour

_WIDE, _TALL, _GAP, _LEFT, _TOP, _BOTTOM = 250.0, 150.0, 44.0, 52.0, 54.0, 44.0
_COLUMNS = 3
_LADDER = (
    (0.001, (1, 10, 100)),
    (1.0, (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    (1_000.0, (1, 2, 5, 10, 30)),
    (60_000.0, (1, 2, 5, 10, 30)),
    (3_600_000.0, (1, 2, 5, 12, 24)),
)


def write(found: Agreement, speeds: dict[str, str], *, calibrated: bool, out: Path, lang: str) -> None:
    """The data and the page, into a directory that is there. `speeds` are as people write them."""
    document = {"agreement": msgspec.to_builtins(found), "speeds": speeds, "calibrated": calibrated}
    (out / JSON).write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    (out / PAGE).write_text(page(found, speeds, calibrated=calibrated, lang=lang), "utf-8")


def page(found: Agreement, speeds: dict[str, str], *, calibrated: bool, lang: str) -> str:
    """The whole page, complete in itself."""
    words = Words(lang, TEXTS)
    templates = Environment(loader=PackageLoader("reports"), autoescape=True, undefined=StrictUndefined)
    designs = list(dict.fromkeys(spread.design for spread in found.spreads))
    return templates.get_template("agreement.html.j2").render(
        w=words,
        titles=Titles(lang),
        found=found,
        told=lambda verdict, world: told(verdict, world, words),
        verdict_told=lambda verdict: verdict_told(verdict, words),
        sentence=sentence(found, words),
        rests=_rests(found, words),
        shown=_worth_showing(found.verdicts),
        held=len(found.verdicts) - len(_worth_showing(found.verdicts)),
        only=[step for step in found.steps if not (step.sim and step.live)],
        both=sum(bool(step.sim and step.live) for step in found.steps),
        figures=[(design, Markup(figure(found, design, lang))) for design in designs],  # noqa: S704 - our own drawing
        speeds=speeds,
        calibrated=calibrated,
        colours=(SIM, LIVE),
        css=Markup((Path(__file__).parent / "templates" / "report.css").read_text("utf-8")),  # noqa: S704 - our own
    )


def show(
    found: Agreement, speeds: dict[str, str], path: str, lang: str, out: Console, *, calibrated: bool
) -> None:
    """What agrees, what does not, and where the rest is."""
    words, titles = Words(lang, TEXTS), Titles(lang)
    out.print(words("agreement.title", scenario=found.scenario), style="bold", markup=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("design", "invariant", "sim", "live"):
        table.add_column(words(f"agreement.{name}"), justify="left" if name == "invariant" else "default")
    table.add_column("")
    table.add_column("")
    for verdict in _worth_showing(found.verdicts):
        table.add_row(
            verdict.design,
            verdict.invariant,
            *(told(verdict, world, words) for world in ("sim", "live")),
            verdict_told(verdict, words),
            titles.invariant(verdict.invariant),
        )
    if table.rows:
        out.print(table)
    held = len(found.verdicts) - len(table.rows)
    out.print(words("agreement.held", n=held), markup=False)
    out.print(
        words("agreement.steps_same", n=sum(bool(step.sim and step.live) for step in found.steps)),
        markup=False,
    )
    only = [step for step in found.steps if not (step.sim and step.live)]
    out.print(words("agreement.steps_only" if only else "agreement.steps_none"), markup=False)
    for step in only:
        out.print(f"  {step.design}: {step.what}: {_counts(step.sim, step.live, words)}", markup=False)
    out.print(sentence(found, words), style="bold", markup=False)
    out.print(
        words("agreement.speeds")
        + words("figure.colon")
        + " "
        + ", ".join(f"{n} {v}" for n, v in speeds.items())
    )
    out.print(words("agreement.speeds_used" if calibrated else "agreement.speeds_unused"), markup=False)
    out.print(words("agreement.done", path=path), soft_wrap=True, markup=False)


def sentence(found: Agreement, words: Words) -> str:
    """The result in one sentence."""
    if not found.differing:
        return words("agreement.same")
    return words.count("agreement.differ", len(found.differing))


def told(verdict: Verdict, world: str, words: Words) -> str:
    """How an invariant fared in one world."""
    broken, runs, unknown = (
        (verdict.sim, verdict.sim_runs, verdict.sim_unknown)
        if world == "sim"
        else (verdict.live, verdict.live_runs, verdict.live_unknown)
    )
    more = words("agreement.unknown_in", n=unknown) if unknown else ""
    return words("agreement.broken_in", n=broken, runs=runs) + more


def verdict_told(verdict: Verdict, words: Words) -> str:
    """Whether the worlds agree on an invariant, and with what chance so few real runs would miss it."""
    if not verdict.agrees:
        return words("agreement.disagrees")
    if verdict.missed is None:
        return words("agreement.agrees")
    return words("agreement.missed", chance=f"{verdict.missed:.0%}")


def _rests(found: Agreement, words: Words) -> str:
    sim = sum({verdict.design: verdict.sim_runs for verdict in found.verdicts}.values())
    live = sum({verdict.design: verdict.live_runs for verdict in found.verdicts}.values())
    seeds = f"{found.seeds[0]}–{found.seeds[-1]}" if len(found.seeds) > 1 else str(found.seeds[0])
    return words("agreement.rests", sim=sim, live=live, seeds=seeds, cases=round(1 / UNLIKELY))


def _worth_showing(verdicts: Sequence[Verdict]) -> list[Verdict]:
    return [one for one in verdicts if one.sim or one.live or one.sim_unknown or one.live_unknown]


def _counts(sim: int, live: int, words: Words) -> str:
    return f"{words('agreement.sim')} {sim} ×, {words('agreement.live')} {live} ×"


# ---------------------------------------------------------------- the figure


def figure(found: Agreement, design: str, lang: str) -> str:
    """Every kind of time of one design: the share of cases that took at most so long, in both worlds."""
    words = Words(lang, TEXTS)
    spreads = [spread for spread in found.spreads if spread.design == design]
    lines = -(-len(spreads) // _COLUMNS)
    width = _LEFT + _COLUMNS * (_WIDE + _GAP)
    height = lines * (_TALL + _TOP + _BOTTOM)
    with style.settings(f"agreement {design}"):
        drawing = style.canvas(width, height)
        for number, spread in enumerate(spreads):
            row, column = divmod(number, _COLUMNS)
            left = _LEFT + column * (_WIDE + _GAP)
            top = _TOP + row * (_TALL + _TOP + _BOTTOM)
            axes = style.panel(drawing, left, top, left + _WIDE, top + _TALL)
            _draw(axes, spread, words)
        description = ". ".join(_spoken(spread, words) for spread in spreads)
        return style.svg(drawing, words("agreement.times"), description)


def _draw(axes: Axes, spread: Spread, words: Words) -> None:
    axes.set_xscale("log")
    for values, colour, line in ((spread.sim_ms, SIM, "-"), (spread.live_ms, LIVE, (0, (4, 2)))):
        if values:
            least = [max(value, 0.01) for value in values]
            shares = [number / len(least) for number in range(1, len(least) + 1)]
            axes.step(
                [least[0], *least],
                [0, *shares],
                where="post",
                color=colour,
                linestyle=line,
                linewidth=1.8,
            )
    axes.set_ylim(0, 1.02)
    axes.set_yticks([0, 0.5, 1], ["0%", "50%", "100%"])
    axes.grid(visible=True, color=style.GRID)
    axes.set_axisbelow(True)
    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(FixedLocator(_ticks(low, high)))
    axes.xaxis.set_major_formatter(lambda value, _: _time(value))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_title(_title(spread, words), loc="left", fontweight=700, pad=22)
    axes.text(0, 1.06, _test(spread, words), transform=axes.transAxes, color=style.MUTED, size=style.SMALL)


def _title(spread: Spread, words: Words) -> str:
    """Our own measures have words of their own; the rest are what people do."""
    return words.either(f"agreement.{spread.what.replace(' ', '_')}", words.named("action", spread.what))


def _ticks(low: float, high: float) -> list[float]:
    """Round values in ms that people would choose, four at most."""
    ladder = [unit * step for unit, steps in _LADDER for step in steps if low <= unit * step <= high]
    return ladder[:: -(-len(ladder) // 4)] if ladder else [low, high]


def _test(spread: Spread, words: Words) -> str:
    if spread.distance is None or spread.chance is None:
        return f"{len(spread.sim_ms)} / {len(spread.live_ms)}: {words('agreement.few')}"
    chance = f"{spread.chance:.2f}" if spread.chance >= 0.01 else "< 0.01"
    return f"{words('agreement.distance')} {spread.distance:.2f}, {words('agreement.chance')} {chance}"


def _spoken(spread: Spread, words: Words) -> str:
    medians = [
        f"{words(f'agreement.{name}')} {_time(values[(len(values) - 1) // 2])}" if values else "–"
        for name, values in (("sim", spread.sim_ms), ("live", spread.live_ms))
    ]
    return f"{_title(spread, words)}: {words('agreement.median')} {', '.join(medians)}"


def _time(ms: float) -> str:
    """`250 µs`, `20 ms`, `3 s`, `5 min`, `2 h`: whole numbers where they are."""
    units: list[tuple[float, str]] = [
        (3_600_000, "h"),
        (60_000, "min"),
        (1000, "s"),
        (1, "ms"),
        (0.001, "µs"),
    ]
    size, unit = next(((size, unit) for size, unit in units if ms >= size), units[-1])
    return f"{ms / size:.3g} {unit}"


def as_data(found: Agreement, path: str) -> dict[str, Any]:
    """The same for machines, without the single times."""
    return {
        "results": path,
        "agrees": not found.differing,
        "verdicts": msgspec.to_builtins(found.verdicts),
        "steps": msgspec.to_builtins(found.steps),
        "compensations": msgspec.to_builtins(found.compensations),
        "times": [
            {"design": one.design, "what": one.what, "distance": one.distance, "chance": one.chance}
            for one in found.spreads
        ],
    }
