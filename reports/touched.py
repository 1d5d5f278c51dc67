"""What each fault really touched: how often over all runs, and on real parts which processes and how many bytes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from chaos.history import Fault, History
from chaos.results import LIVE
from chaos.words import Words
from reports import drawn
from reports.campaign import Campaign, Pair
from reports.reading import history_of

SUMMED = ("connections", "bytes", "sessions")
PROCESSES_AT_MOST = 4
ACTING = "acting"
"""Where a rule strikes the node that did what it waited for."""


def rows(campaign: Campaign, words: Words) -> list[dict[str, Any]]:
    """A row a fault rule, scenarios in the page's order, a cell a design."""
    found = []
    for scenario in campaign.scenarios():
        pairs = {
            pair.design: pair for pair in campaign.pairs.values() if pair.scenario == scenario and pair.runs
        }
        evidence = _evidence(campaign, scenario)
        rules = sorted({rule for pair in pairs.values() for rule in pair.touched}, key=_place)
        for rule in rules:
            _, fault, where = _parts(rule)
            cells = [
                _cell(pairs.get(name), rule, evidence.get((name, rule)), words) for name in campaign.designs
            ]
            found.append(
                {
                    "fault": words.fault(fault),
                    "where": _whereabouts(where, words),
                    "scenario": campaign.title(scenario, words.lang),
                    "cells": [
                        {"design": name, **cell} for name, cell in zip(campaign.designs, cells, strict=True)
                    ],
                }
            )
    return found


def _cell(pair: Pair | None, rule: str, evidence: list[Fault] | None, words: Words) -> dict[str, Any]:
    if pair is None or rule not in pair.touched:
        return {"text": "–", "tone": "quiet", "lines": []}
    count = pair.touched[rule]
    return {
        "text": words.count("touched.times", count) if count else words("touched.nothing"),
        "tone": "" if count else "warn",
        "lines": told(evidence or [], words),
    }


def _evidence(campaign: Campaign, scenario: str) -> dict[tuple[str, str], list[Fault]]:
    """Of the drawn runs, how each fault ended; only real parts have more to tell than a count."""
    if campaign.meta.world != LIVE:
        return {}
    return {
        (design, rule): events
        for design, path in drawn.kept(campaign, scenario).items()
        for rule, events in ends(history_of(path)).items()
    }


def ends(history: History) -> dict[str, list[Fault]]:
    """The ends of window faults by rule: that is where evidence stands."""
    found: dict[str, list[Fault]] = {}
    for event in history.events:
        if isinstance(event, Fault) and event.phase == "end":
            found.setdefault("/".join(_parts(event.site)), []).append(event)
    return found


def told(events: list[Fault], words: Words) -> list[str]:
    """Connections, bytes and sessions added up; processes by name, the first few."""
    sums: Counter[str] = Counter()
    processes = []
    for event in events:
        sums.update({name: event.data[name] for name in SUMMED if event.data.get(name)})
        if event.data.get("pid"):
            key = "touched.process" if event.data.get("node") else "touched.server"
            processes.append(words(key, node=event.data.get("node", ""), pid=str(event.data["pid"])))
    lines = processes[:PROCESSES_AT_MOST]
    if len(processes) > PROCESSES_AT_MOST:
        lines.append(words("touched.more", n=len(processes) - PROCESSES_AT_MOST))
    counted = words("figure.comma").join(
        words(f"touched.{name}", n=sums[name]) for name in SUMMED if sums[name]
    )
    return [*lines, *([counted] if counted else [])]


def _whereabouts(where: str, words: Words) -> str:
    """In words where a rule has a word of its own; nothing where it strikes anybody."""
    return {"*": "", ACTING: words("touched.acting")}.get(where, where)


def _parts(site: str) -> tuple[str, str, str]:
    """`2/link.partition/edge->wechat/window` is the third rule, its fault, and where."""
    index, fault, where, *_ = [*site.split("/"), "", ""]
    return index, fault, where


def _place(rule: str) -> tuple[int, str]:
    index, _, _ = _parts(rule)
    return (int(index) if index.isdigit() else 0, rule)
