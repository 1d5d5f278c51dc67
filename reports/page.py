"""The page: what a campaign says, in the order in which a reader asks. Self-contained, no request goes out."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from chaos.results import LIVE, SIM
from chaos.story import Story, tell, worst
from chaos.titles import Titles
from chaos.words import Words, clock, yuan
from reports import TEXTS, drawn, lanes, real, sheet, storm, strength, style, tables, touched
from reports.campaign import Campaign, Failure
from reports.findings import Finding, findings
from reports.path import path
from reports.reading import history_of
from reports.sentences import extent, opening, partial

ORDERS_AT_MOST = 20
REPLAYS_AT_MOST = 24
_ID = re.compile(r"\b([IK]-\d+)\b")
_TEMPLATES = Path(__file__).parent / "templates"


def render(campaign: Campaign, lang: str) -> str:
    words, titles = Words(lang, TEXTS), Titles(lang)
    found = findings(campaign, lang)
    situations, also_met = tables.situations(campaign, words, titles)
    groups, left_out = drawn.sheets(campaign, words)
    context = {
        "w": words,
        "css": style.markup((_TEMPLATES / "report.css").read_text("utf-8")),
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
        "touched": touched.rows(campaign, words),
        "live": campaign.meta.world == LIVE,
        "load": real.load_section(campaign, words),
        "pace": real.pace_section(campaign, words),
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
    environment.filters["breakable"] = _breakable
    return environment


def _unbroken(text: str) -> Markup:
    """`I-17` and `K-03` never break at the hyphen."""
    return Markup(_ID.sub(r'<span class="whole">\1</span>', str(escape(text))))  # noqa: S704 - escaped before


def _breakable(name: str) -> Markup:
    """`callback_idempotent` may break at its underscore, where columns are many."""
    return Markup(str(escape(name)).replace("_", "_<wbr>"))  # noqa: S704 - escaped before


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
    title = drawn.title(campaign, failure.scenario, failure.design, failure.seed, words)
    return {
        "title": told.title,
        "money": yuan(told.money_fen),
        "facts": [
            (words("column.order"), told.order_id or "–"),
            (words("column.member"), told.user or "–"),
            (words("column.result"), tables.cell(campaign.pair(failure).outcome, words)["word"]),
            (words("column.where"), _where(failure)),
        ],
        "sentences": _without_remedy(told),
        "saved_by": told.saved_by,
        "timeline": [(clock(m.t_us), words.either(f"lane.{m.lane}", m.lane), m.text) for m in told.timeline],
        "order": told.order_id,
        "replay": failure.replay,
        "lanes": style.markup(lanes.draw(steps, told.order_id, words)) if steps else None,
        "sheet": style.markup(sheet.draw(storm.read(history), words, title, full=True)),
        "sheet_title": title,
    }


def _without_remedy(told: Story) -> tuple[str, ...]:
    """The remedy has a box of its own on the page."""
    last = told.sentences[-1:]
    repeated = bool(told.saved_by) and any(told.saved_by in sentence for sentence in last)
    return told.sentences[:-1] if repeated else told.sentences


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
    """What the table leaves out: who is named but not listed, and violations past those of which a run names anybody."""
    named = len(found) - len(found[:ORDERS_AT_MOST])
    counted = sum(
        verdict.count - len(verdict.witnesses)
        for failure in campaign.failures
        for verdict in failure.verdicts
    )
    bad = sum(pair.bad for pair in campaign.pairs.values())
    if not named and not counted and bad == len(campaign.failures):
        return ""
    told = (("page.orders_more", named), ("page.orders_counted", counted), ("page.orders_runs", bad))
    return " ".join(words.count(key, number) for key, number in told if number)


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
