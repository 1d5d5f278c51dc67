"""Rows and cells of the page's tables, in the reader's words. No HTML here, no files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from chaos.oracle.law import RULES
from chaos.titles import Titles
from chaos.words import Words
from reports.campaign import FAILED, AuditCell, Campaign, Pair

LOOKS = {  # symbol, tone: never told by colour alone
    "holds": ("✓", "good"),
    "violated": ("✗", "bad"),
    "unseen": ("✗", "bad"),
    "expected": ("◆", "expected"),
    "inconclusive": ("?", "warn"),
    "broken": ("!", "bad"),
    "none": ("–", "quiet"),
}
ROWS_AT_MOST = 14
_WRONG = ("missed", "undue", "doubled", "late", "wrong_amount")


def cell(outcome: str, words: Words, **more: Any) -> dict[str, Any]:
    symbol, tone = LOOKS[outcome]
    return {"outcome": outcome, "symbol": symbol, "tone": tone, "word": words(f"cell.{outcome}"), **more}


def verdicts(campaign: Campaign, words: Words, titles: Titles) -> list[dict[str, Any]]:
    """One row a scenario, failing first; one cell a design."""
    return [
        {
            "name": scenario,
            "title": campaign.title(scenario, words.lang),
            "cells": [
                _verdict(campaign.pairs.get((scenario, design)), design, words, titles)
                for design in campaign.designs
            ],
        }
        for scenario in campaign.scenarios()
    ]


def _verdict(pair: Pair | None, design: str, words: Words, titles: Titles) -> dict[str, Any]:
    if pair is None or not pair.runs:
        return cell("none", words, design=design, count="", names=[], lines=[])
    count, names = count_of(pair, words), sorted(pair.violated)
    lines = doubts(pair, words, titles)
    return cell(pair.outcome, words, design=design, count=count, names=names, lines=lines)


def doubts(pair: Pair, words: Words, titles: Titles) -> list[str]:
    """What was not seen, touched, met or decided, and what crashed: a line each."""
    lines: list[str] = []
    concluded = pair.outcome in ("violated", "expected")  # then silence elsewhere says nothing
    for key, names in (
        ()
        if concluded
        else (
            ("missing", pair.unseen),
            ("untouched", [_fault(words, rule) for rule in pair.untouched]),
            ("unmet", [titles.situation(name) for name in pair.unmet]),
            ("unknown", sorted(pair.undecided)),
        )
    ):
        if names:
            lines.append(words(f"cell.{key}", names=words("figure.semicolon").join(names)))
    for seed, error in list(pair.broken.items())[:1]:
        last = error.strip().splitlines()[-1:]
        lines.append(
            words("figure.colon").join([words("figure.seed", seed=seed), *(text[:160] for text in last)])
        )
    if pair.crashed:
        lines.append(words("cell.crashed", names=words("figure.comma").join(sorted(pair.crashed))))
    return lines


def _fault(words: Words, rule: str) -> str:
    """`2/channel.callback_loss/wechat` names a rule of the scenario; the reader wants the fault."""
    parts = rule.split("/")
    return words.fault(parts[1] if len(parts) > 1 else rule)


def count_of(pair: Pair, words: Words) -> str:
    if pair.bad:
        return words("cell.runs", bad=f"{pair.bad:,}", n=f"{pair.runs:,}")
    return words.count("cell.clean", pair.runs)


# ------------------------------------------------------------------ invariants, situations


def invariants(campaign: Campaign, words: Words, titles: Titles) -> dict[str, Any]:
    """Which invariants broke, in how many runs of each design; and those that never did."""
    broken = sorted({name for pair in campaign.pairs.values() for name in pair.violated})
    rows = []
    for name in broken:
        cells = []
        for design in campaign.designs:
            pairs = campaign.of(design)
            bad = sum(pair.violated[name] for pair in pairs)
            grave = any(pair.violated[name] for pair in pairs if pair.outcome in FAILED)
            outcome = "holds" if not bad else "violated" if grave else "expected"
            runs = sum(pair.runs for pair in pairs)
            count = words("cell.runs", bad=bad, n=runs) if bad else words.count("cell.clean", runs)
            cells.append(cell(outcome if runs else "none", words, design=design, count=count if runs else ""))
        rows.append({"id": name, "title": titles.invariant(name), "cells": cells})
    held = [f"{name} {titles.invariant(name)}".strip() for name in titles.invariants if name not in broken]
    ran = any(pair.runs for pair in campaign.pairs.values())
    return {"rows": rows, "held": words("figure.semicolon").join(held) if ran else ""}


def situations(campaign: Campaign, words: Words, titles: Titles) -> tuple[list[dict[str, Any]], str]:
    """What each scenario must meet, by design; and a sentence of what else was met."""
    rows = []
    for scenario in campaign.scenarios():
        for name in dict.fromkeys(
            n for p in campaign.pairs.values() if p.scenario == scenario for n in p.sometimes
        ):
            cells = [
                _situation(campaign.pairs.get((scenario, design)), name, design, words)
                for design in campaign.designs
            ]
            title = campaign.title(scenario, words.lang)
            rows.append({"title": titles.situation(name), "scenario": title, "cells": cells})
    asked = {name for pair in campaign.pairs.values() for name in pair.sometimes}
    total: Counter[str] = Counter()
    for pair in campaign.pairs.values():
        total.update(pair.met)
    also = [
        titles.situation(name) + words("figure.bracketed", text=f"{number:,}")
        for name, number in total.most_common()
        if name not in asked
    ]
    return rows, words("figure.also_met", names=words("figure.semicolon").join(also)) if also else ""


def _situation(pair: Pair | None, name: str, design: str, words: Words) -> dict[str, Any]:
    if pair is None or not pair.runs:
        symbol, tone = LOOKS["none"]
        return {"design": design, "symbol": symbol, "tone": tone, "text": words("cell.none")}
    met = pair.met[name]
    symbol, tone = LOOKS["holds" if met else "inconclusive"]
    text = words("cell.runs", bad=met, n=pair.runs) if met else words("cell.never")
    return {"design": design, "symbol": symbol, "tone": tone, "text": text}


# ------------------------------------------------------------------ compensations


def audit(campaign: Campaign, words: Words, titles: Titles) -> dict[str, Any]:
    """Rule × design at the top, rule × fault × order state below, and the rules that never came due."""
    due = [rule for rule in RULES if any(cell.rule == rule for cell in campaign.audit)]
    never = [f"{rule} {titles.rule(rule)}".strip() for rule in RULES if rule not in due]
    return {
        "rules": [_rule(campaign, rule, words, titles) for rule in due],
        "never": words("figure.semicolon").join(never),
    }


def _rule(campaign: Campaign, rule: str, words: Words, titles: Titles) -> dict[str, Any]:
    mine = {where: counts for where, counts in campaign.audit.items() if where.rule == rule}
    states = sorted({where.state for where in mine}, key=_state_order)
    cells = []
    for design in campaign.designs:
        counts = _total(counts for where, counts in mine.items() if where.design == design)
        cells.append({"design": design, **_judged(counts, words)})
    rows: list[dict[str, Any]] = []
    for design in campaign.designs:
        for fault in sorted({where.fault for where in mine if where.design == design}):
            by_state = [mine.get(AuditCell(design, rule, fault, state), Counter()) for state in states]
            name = words("audit.no_fault") if fault in ("", "none") else words.fault(fault)
            wrong = sum(_wrong(counts) for counts in by_state)
            judged = [
                _judged(counts, words) if counts else {"text": "", "tone": "", "symbol": ""}
                for counts in by_state
            ]
            rows.append({"design": design, "fault": name, "cells": judged, "wrong": wrong})
    rows.sort(key=lambda row: -row["wrong"])
    hidden = rows[ROWS_AT_MOST:]
    key = "audit.more_bad" if any(row["wrong"] for row in hidden) else "audit.more_rows"
    return {
        "id": rule,
        "title": titles.rule(rule),
        "cells": cells,
        "states": [words.either(f"status.{state}", state) for state in states],
        "rows": rows[:ROWS_AT_MOST],
        "rest": words(key, n=len(hidden)) if hidden else "",
    }


def _judged(counts: Counter[str], words: Words) -> dict[str, Any]:
    """`3 missed, 12 exact`: what is wrong first."""
    if not counts:
        symbol, tone = LOOKS["none"]
        return {"symbol": symbol, "tone": tone, "text": words("audit.nothing")}
    order = [*_WRONG, "undecided", "exact"]
    parts = [f"{counts[name]:,} {words(f'audit.{name}')}" for name in order if counts[name]]
    symbol, tone = LOOKS["violated" if _wrong(counts) else "inconclusive" if counts["undecided"] else "holds"]
    return {"symbol": symbol, "tone": tone, "text": words("figure.comma").join(parts)}


def _wrong(counts: Counter[str]) -> int:
    return sum(counts[name] for name in _WRONG)


def _total(many: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counts in many:
        total.update(counts)
    return total


def _state_order(state: str) -> tuple[int, str]:
    known = ("none", "created", "closing", "closed", "paid", "paid_late", "fulfilling", "held", "completed", "refunding", "refunded")  # fmt: skip
    return (known.index(state) if state in known else len(known), state)
