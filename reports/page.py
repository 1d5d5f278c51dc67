"""The page: what a campaign says, in the order in which a reader asks. Self-contained, no request goes out."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from chaos.results import SIM
from chaos.story import Story, tell, worst
from chaos.titles import Titles
from chaos.words import Words, clock, yuan
from reports import TEXTS, lanes, sheet, storm, strength, tables
from reports.campaign import Campaign, Failure
from reports.findings import Finding, findings
from reports.path import path
from reports.reading import history_of
from reports.sentences import extent, opening, partial

ORDERS_AT_MOST = 20
REPLAYS_AT_MOST = 24
SHEETS_AT_MOST = 48
SHEET_BYTES_AT_MOST = 2_400_000
_ID = re.compile(r"\b([IK]-\d+)\b")
_TEMPLATES = Path(__file__).parent / "templates"


def render(campaign: Campaign, lang: str) -> str:
    words, titles = Words(lang, TEXTS), Titles(lang)
    found = findings(campaign, lang)
    situations, also_met = tables.situations(campaign, words, titles)
    groups, left_out = _sheets(campaign, words)
    context = {
        "w": words,
        "css": _ours((_TEMPLATES / "report.css").read_text("utf-8")),
        "verdict": _badge(campaign, words),
        "sentence": opening(campaign, words),
        "extent": extent(campaign, words),
        "partial": partial(campaign, words),
        "designs": campaign.designs,
        "story": _story(campaign, words),
        "verdicts": tables.verdicts(campaign, words, titles),
        "orders": [_order(finding, words) for finding in found[:ORDERS_AT_MOST]],
        "orders_at_most": ORDERS_AT_MOST,
        "orders_rest": _rest(campaign, found, words),
        "sheets": groups,
        "sheets_left": words("figure.comma").join(left_out),
        "audit": tables.audit(campaign, words, titles),
        "invariants": tables.invariants(campaign, words, titles),
        "situations": situations,
        "also_met": also_met,
        "strength": [(design, strength.sentence(campaign.of(design), words)) for design in campaign.designs],
        "replays": replays(campaign, words, titles),
        "ran": _ran(campaign, words),
    }
    return str(_environment().get_template("report.html.j2").render(context))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["unbroken"] = _unbroken
    return environment


def _unbroken(text: str) -> Markup:
    """`I-17` and `K-03` never break at the hyphen."""
    return Markup(_ID.sub(r'<span class="whole">\1</span>', str(escape(text))))  # noqa: S704 - escaped before


def _ours(markup: str) -> Markup:
    """Markup that this package made: its style sheet, and figures whose texts matplotlib has escaped."""
    return Markup(markup)  # noqa: S704 - see above; everything else on the page is escaped


def _badge(campaign: Campaign, words: Words) -> dict[str, Any]:
    outcome = campaign.outcome()
    if outcome == "expected":  # the word of a cell would sound like a failure of the whole
        return {**tables.cell("holds", words), "word": words("cell.as_expected")}
    return tables.cell("none" if outcome == "empty" else outcome, words)


# ------------------------------------------------------------------ the worst story


def _story(campaign: Campaign, words: Words) -> dict[str, Any] | None:
    failures = campaign.grave_failures()
    if not failures:
        return None
    failure = failures[0]
    history = history_of(failure.path)
    told = tell(history, worst(failure.verdicts), words.lang)
    steps = path(history, told.order_id, _evidence(failure, told.order_id)) if told.order_id else []
    title = _title(campaign, failure.scenario, failure.design, failure.seed, words)
    return {
        "title": told.title,
        "money": yuan(told.money_fen),
        "facts": [
            (words("column.order"), told.order_id or "–"),
            (words("column.member"), told.user or "–"),
            (words("column.where"), _where(failure)),
            (words("column.result"), tables.cell(campaign.pair(failure).outcome, words)["word"]),
        ],
        "sentences": _without_remedy(told),
        "saved_by": told.saved_by,
        "timeline": [(clock(m.t_us), words.either(f"lane.{m.lane}", m.lane), m.text) for m in told.timeline],
        "order": told.order_id,
        "replay": failure.replay,
        "lanes": _ours(lanes.draw(steps, told.order_id, words)) if steps else None,
        "sheet": _ours(sheet.draw(storm.read(history), words, title, full=True)),
        "sheet_title": title,
    }


def _without_remedy(told: Story) -> tuple[str, ...]:
    """The remedy has a box of its own on the page."""
    last = told.sentences[-1:]
    repeated = bool(told.saved_by) and any(told.saved_by in sentence for sentence in last)
    return told.sentences[:-1] if repeated else told.sentences


def _title(campaign: Campaign, scenario: str, design: str, seed: int, words: Words) -> str:
    return words("figure.sheet", scenario=campaign.title(scenario, words.lang), design=design, seed=seed)


def _evidence(failure: Failure, order_id: str) -> set[int]:
    return {
        index for verdict in failure.verdicts for witness in verdict.witnesses if witness.id == order_id
        for index in witness.events
    }  # fmt: skip


# ------------------------------------------------------------------ the rest


def _order(finding: Finding, words: Words) -> dict[str, Any]:
    failure = finding.failure
    return {
        "id": finding.entity_id,
        "kind": "" if finding.entity == "order" else words.either(f"entity.{finding.entity}", finding.entity),
        "member": words("figure.comma").join(finding.users) or "–",
        "money": yuan(finding.amount_fen),
        "what": finding.sentence,
        "names": finding.invariants,
        "where": _where(failure),
        "status": words("cell.expected") if finding.expected else "",
    }


def _where(failure: Failure) -> str:
    """Scenario, design and seed; a line may break after the scenario only."""
    return f"{failure.scenario} · {failure.design}\u00a0·\u00a0{failure.seed}"


def _rest(campaign: Campaign, found: list[Finding], words: Words) -> str:
    """What the table leaves out. Witnesses are kept up to a limit, so the number is a lower bound."""
    total = 0
    for failure in campaign.failures:
        listed = sum(1 for finding in found if finding.failure is failure)
        total += max([listed, *(verdict.count for verdict in failure.verdicts)])
    left = total - len(found[:ORDERS_AT_MOST])
    bad = sum(pair.bad for pair in campaign.pairs.values())
    if left <= 0 and bad == len(campaign.failures):
        return ""
    return words("page.orders_rest", n=f"{left:,}", kept=f"{len(campaign.failures):,}", runs=f"{bad:,}")


def _sheets(campaign: Campaign, words: Words) -> tuple[list[dict[str, Any]], list[str]]:
    """One drawn run for each pair, failing scenarios first, until the page is large enough."""
    groups: list[dict[str, Any]] = []
    left: list[str] = []
    drawn = size = 0
    for scenario in campaign.scenarios():
        kept = _kept_runs(campaign, scenario)
        if drawn + len(kept) > SHEETS_AT_MOST or size > SHEET_BYTES_AT_MOST:
            left += [f"{scenario} · {design}" for design in kept]
        elif kept:
            group = _side_by_side(campaign, scenario, kept, words)
            groups.append(group)
            drawn, size = drawn + len(kept), size + sum(len(shown["svg"]) for shown in group["sheets"])
    return groups, left


def _kept_runs(campaign: Campaign, scenario: str) -> dict[str, Path]:
    """For each design the failure to show, else the sample; of one seed where that was kept.

    Under one seed all designs meet the same users and the same storm, so the sheets compare.
    """
    pairs = [pair for pair in campaign.pairs.values() if pair.scenario == scenario]
    seeds = {pair.sample_seed for pair in pairs if pair.sample is not None}
    kept: dict[str, Path] = {}
    for failure in campaign.grave_failures():
        if failure.scenario == scenario and (failure.design not in kept or failure.seed in seeds):
            kept[failure.design] = failure.path
    for pair in pairs:
        if pair.sample is not None:
            kept.setdefault(pair.design, pair.sample)
    return {design: kept[design] for design in campaign.designs if design in kept}


def _side_by_side(campaign: Campaign, scenario: str, kept: dict[str, Path], words: Words) -> dict[str, Any]:
    """The kept runs of one scenario on one time axis, a sheet for each design."""
    histories = {design: history_of(chosen) for design, chosen in kept.items()}
    storms = {design: storm.read(history) for design, history in histories.items()}
    storm.align(list(storms.values()))
    name = campaign.title(scenario, words.lang)
    shown = []
    for design, run in storms.items():
        seed = histories[design].header.seed
        svg = sheet.draw(run, words, _title(campaign, scenario, design, seed, words), full=False)
        caption = words("figure.seed", seed=seed)
        outcome = campaign.pairs[scenario, design].outcome
        shown.append(tables.cell(outcome, words, design=design, svg=_ours(svg), caption=caption))
    return {"title": name, "sheets": shown}


def replays(campaign: Campaign, words: Words, titles: Titles) -> list[dict[str, str]]:
    """One line for each kind of failure, those of designs that should have held first.

    Kinds that the same seed shows share a line.
    """
    shown: dict[str, list[str]] = {}
    for grave in (True, False):
        for scenario in campaign.scenarios():
            for design in campaign.designs:
                pair = campaign.pairs.get((scenario, design))
                if pair is None or (pair.outcome == "violated") != grave:
                    continue
                for invariant in sorted(pair.violated):
                    seed = pair.first_seed[invariant]
                    shown.setdefault(pair.replay(seed), []).append(
                        f"{invariant} {titles.invariant(invariant)}".strip()
                    )
    join = words("figure.semicolon").join
    return [
        {"command": command, "what": join(what)} for command, what in list(shown.items())[:REPLAYS_AT_MOST]
    ]


def _ran(campaign: Campaign, words: Words) -> list[tuple[str, str, bool]]:
    meta = campaign.meta
    join = words("figure.comma").join
    rows = [
        ("command", meta.command, True),
        ("world", words(f"ran.world_{meta.world}") if meta.world != SIM else "", False),
        (
            "version",
            join(
                f"{name} {version}" for name, version in {"dingfeng": meta.version, **meta.versions}.items()
            ),
            False,
        ),
        ("designs", join(campaign.designs), False),
        ("scenarios", join(meta.scenarios), False),
        ("seeds", seeds_text(meta.seeds), False),
        ("runs", f"{campaign.runs:,}", False),
        ("orders", f"{campaign.orders:,}", False),
        ("virtual", words.span(campaign.virtual_us), False),
        ("took", words.span(int(meta.wall_s * 1_000_000)), False),
        ("started", meta.started, False),
        ("schema", str(meta.schema), False),
    ]
    return [(words(f"ran.{key}"), value, code) for key, value, code in rows if value]


def seeds_text(seeds: list[int]) -> str:
    """`1–20`, or the seeds themselves when they are not in a row."""
    if len(seeds) > 2 and seeds == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]}–{seeds[-1]}"
    shown = ", ".join(map(str, seeds[:12]))
    return shown + (" …" if len(seeds) > 12 else "")
