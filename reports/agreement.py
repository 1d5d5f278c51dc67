"""How far two worlds agree, for people: a short table in the terminal, and a page with the times side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from rich.console import Console
from rich.table import Table

from chaos.agreement import UNLIKELY, Agreement, Verdict
from chaos.titles import Titles
from chaos.words import Words
from reports import TEXTS, spreads, style

JSON, PAGE = "agreement.json", "agreement.html"


def write(found: Agreement, speeds: dict[str, str], *, calibrated: bool, out: Path, lang: str) -> None:
    """The data and the page, into a directory that is there. `speeds` are as people write them."""
    document = {"agreement": msgspec.to_builtins(found), "speeds": speeds, "calibrated": calibrated}
    (out / JSON).write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    (out / PAGE).write_text(page(found, speeds, calibrated=calibrated, lang=lang), "utf-8")


def page(found: Agreement, speeds: dict[str, str], *, calibrated: bool, lang: str) -> str:
    """The whole page, complete in itself."""
    words = Words(lang, TEXTS)
    templates = Environment(loader=PackageLoader("reports"), autoescape=True, undefined=StrictUndefined)
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
        figures=_figures(found, words),
        speeds=speeds,
        calibrated=calibrated,
        colours=(spreads.SIM, spreads.LIVE),
        css=style.markup((Path(__file__).parent / "templates" / "report.css").read_text("utf-8")),
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


def _figures(found: Agreement, words: Words) -> list[tuple[str, list[Markup]]]:
    """For each design a drawing for each kind of time."""
    by_design: dict[str, list[Markup]] = {}
    for spread in found.spreads:
        by_design.setdefault(spread.design, []).append(style.markup(spreads.draw(spread, words)))
    return list(by_design.items())


def _rests(found: Agreement, words: Words) -> str:
    sim = sum({verdict.design: verdict.sim_runs for verdict in found.verdicts}.values())
    live = sum({verdict.design: verdict.live_runs for verdict in found.verdicts}.values())
    seeds = f"{found.seeds[0]}–{found.seeds[-1]}" if len(found.seeds) > 1 else str(found.seeds[0])
    return words("agreement.rests", sim=sim, live=live, seeds=seeds, cases=round(1 / UNLIKELY))


def _worth_showing(verdicts: Sequence[Verdict]) -> list[Verdict]:
    return [one for one in verdicts if one.sim or one.live or one.sim_unknown or one.live_unknown]


def _counts(sim: int, live: int, words: Words) -> str:
    return f"{words('agreement.sim')} {sim} ×, {words('agreement.live')} {live} ×"


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
