"""The campaign in short: JSON for machines, Markdown for a comment or a chat."""

from __future__ import annotations

import json
from typing import Any

from chaos.titles import Titles
from chaos.words import Words, yuan
from reports import TEXTS, leavings, strength, tables, waits
from reports.campaign import Campaign
from reports.findings import findings
from reports.sentences import extent, opening, partial

SCHEMA = 1
TOP = 10


def of(campaign: Campaign, lang: str) -> dict[str, Any]:
    """Plain data; `summary.json` as it stands."""
    words, titles = Words(lang, TEXTS), Titles(lang)
    found = findings(campaign, lang)
    return {
        "schema": SCHEMA,
        "outcome": campaign.outcome(),
        "sentence": opening(campaign, words),
        "extent": extent(campaign, words),
        "finished": campaign.meta.finished,
        "partial": partial(campaign, words),
        "exit_code": campaign.meta.exit_code,
        "command": campaign.meta.command,
        "world": campaign.meta.world,
        "version": campaign.meta.version,
        "runs": campaign.runs,
        "behaviours": campaign.behaviours(),
        "orders": campaign.orders,
        "pairs": [
            {
                "scenario": pair.scenario,
                "title": campaign.title(pair.scenario, lang),
                "design": pair.design,
                "outcome": pair.outcome,
                "runs": pair.runs,
                "failing_runs": pair.bad,
                "behaviours": len(pair.behaviours),
                "violated": dict(sorted(pair.violated.items())),
                "reasons": list(pair.reasons),
            }
            for scenario in campaign.scenarios()
            for pair in campaign.pairs.values()
            if pair.scenario == scenario
        ],
        "strength": {design: strength.sentence(campaign.of(design), words) for design in campaign.designs},
        "findings": [
            {
                "order": finding.entity_id,
                "members": list(finding.users),
                "amount_fen": finding.amount_fen,
                "invariants": list(finding.invariants),
                "what": finding.sentence,
                "expected": finding.expected,
                "replay": finding.failure.replay,
            }
            for finding in found[:TOP]
        ],
        "compensations": _compensations(campaign, words, titles),
        "live": [leavings.as_data(left) for left in campaign.live],
        "load": waits.line(campaign.live, words),
    }


def _compensations(campaign: Campaign, words: Words, titles: Titles) -> dict[str, Any]:
    by_rule: dict[str, dict[str, dict[str, int]]] = {}
    for where, counts in campaign.audit.items():
        by_design = by_rule.setdefault(where.rule, {}).setdefault(where.design, {})
        for judgement, number in counts.items():
            by_design[judgement] = by_design.get(judgement, 0) + number
    return {
        "rules": dict(sorted(by_rule.items())),
        "never_due": tables.audit(campaign, words, titles)["never"],
    }


def as_json(summed: dict[str, Any]) -> str:
    return json.dumps(summed, ensure_ascii=False, indent=2) + "\n"


def as_markdown(summed: dict[str, Any], lang: str) -> str:
    words = Words(lang, TEXTS)
    colon = words("figure.colon")
    lines = [f"# {summed['sentence']}", "", summed["extent"], ""]
    if summed["partial"]:
        lines += [summed["partial"], ""]
    heads = [words(f"column.{name}") for name in ("scenario", "design", "result", "violated")]
    lines += [_row(heads), _row(["---"] * 4)]
    shown = summed["pairs"][: 2 * TOP] if len(summed["pairs"]) > 4 * TOP else summed["pairs"]
    for pair in shown:
        symbol, _ = tables.LOOKS[pair["outcome"]]
        result = f"{symbol} {words('cell.' + pair['outcome'])}"
        lines.append(_row([pair["scenario"], pair["design"], result, " ".join(pair["violated"])]))
    if len(shown) < len(summed["pairs"]):
        lines += ["", words("page.table_rest", n=len(summed["pairs"]) - len(shown))]
    if summed["findings"]:
        lines += ["", f"## {words('page.orders')}", ""]
        for finding in summed["findings"]:
            members = words("figure.comma").join(finding["members"])
            who = " · ".join(
                part for part in (finding["order"], members, yuan(finding["amount_fen"])) if part
            )
            broken = words("figure.bracketed", text=" ".join(finding["invariants"]))
            lines.append(f"- **{who}**{broken}{colon}{finding['what']}  ")
            lines.append(f"  `{finding['replay']}`")
    if summed["load"]:
        lines += ["", f"## {words('load.title')}", "", summed["load"]]
    lines += ["", f"## {words('page.strength')}", ""]
    lines += [f"- {design}{colon}{text}" for design, text in summed["strength"].items()]
    return "\n".join(lines) + "\n"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
