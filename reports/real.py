"""What only real parts can tell: how long people waited for answers, and how the run's time passed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chaos.live.load.figures import Row
from chaos.words import Words
from reports import drawn, durations, load, pace, style, waits
from reports.campaign import Campaign
from reports.leavings import Leavings

FIGURES_AT_MOST = 24
BARS_AT_MOST = 24
ROWS_AT_MOST = 60
HOLDERS = 3
SHARES = ("p50", "p90", "p99")


def load_section(campaign: Campaign, words: Words) -> dict[str, Any] | None:
    """Figures of the drawn runs by scenario, and the table of all; None without any."""
    runs = [left for left in campaign.live if left.load]
    if not runs:
        return None
    groups, figures = [], 0
    for scenario in campaign.scenarios():
        chosen = _chosen(campaign, scenario, runs)
        figures += len(chosen)
        if chosen and figures <= FIGURES_AT_MOST:
            groups.append({"title": campaign.title(scenario, words.lang), "figures": _figures(chosen, words)})
    rows = table(runs, words)
    return {
        "line": waits.line(runs, words),
        "groups": groups,
        "shares": [words(f"load.loops_{share}") for share in SHARES],
        "rows": rows[:ROWS_AT_MOST],
        "rest": len(rows) - ROWS_AT_MOST,
    }


def table(runs: Iterable[Leavings], words: Words) -> list[dict[str, Any]]:
    """A row for each run and action, as the page and the Markdown show it."""
    return [_row(left, row, words) for left in runs for row in left.load]


def _chosen(campaign: Campaign, scenario: str, runs: list[Leavings]) -> list[Leavings]:
    """Of each design the run that the page draws; where none was kept, its first."""
    names = {design: path.name for design, path in drawn.kept(campaign, scenario).items()}
    chosen = []
    for design in campaign.designs:
        mine = [left for left in runs if (left.scenario, left.design) == (scenario, design)]
        chosen += [left for left in mine if left.id == names.get(design)][:1] or mine[:1]
    return chosen


def _figures(chosen: list[Leavings], words: Words) -> list[dict[str, Any]]:
    """Side by side on one axis, actions in one order."""
    span_ms = load.span(left.load for left in chosen)
    order = {row.action: -row.requests for left in reversed(chosen) for row in left.load}
    return [
        {
            "title": f"{left.design} · {words('figure.seed', seed=left.seed)}",
            "svg": style.markup(
                load.draw(
                    sorted(left.load, key=lambda row: (order[row.action], row.action)),
                    words,
                    words("load.figure", run=left.run),
                    span_ms,
                )
            ),
        }
        for left in chosen
    ]


def _row(left: Leavings, row: Row, words: Words) -> dict[str, Any]:
    return {
        "run": left.run,
        "action": waits.named(row.action, words),
        "counts": [
            (words("load.asked"), f"{row.requests:,}", ""),
            (words("load.came_to_nothing"), f"{row.failed:,}", "bad" if row.failed else ""),
            (words("load.never_sent"), f"{row.dropped:,}", "bad" if row.dropped else ""),
        ],
        "times": [
            " / ".join(_short(told.get(share), words) for told in (row.open_ms, row.closed_ms))
            for share in SHARES
        ],
    }


def _short(ms: float | None, words: Words) -> str:
    return "–" if ms is None else durations.short(ms, words)


def pace_section(campaign: Campaign, words: Words) -> dict[str, Any] | None:
    """A bar a run, and who kept the clock from leaping; None where no run says how time passed."""
    runs = [left for left in campaign.live if left.pace is not None]
    if not runs:
        return None
    held_s: dict[str, float] = {}
    for left in runs:
        for name, for_s in left.pace.held_s.items() if left.pace else ():
            held_s[name] = held_s.get(name, 0.0) + for_s
    longest = sorted(held_s, key=lambda name: -held_s[name])[:HOLDERS]
    names = [f"{name} ({words.span(round(held_s[name] * 1e6))})" for name in longest]
    return {
        "svg": style.markup(pace.draw(runs[:BARS_AT_MOST], words)),
        "held": words("pace.held", names=words("figure.comma").join(names)) if names else "",
        "left": words("pace.left", n=len(runs) - BARS_AT_MOST) if len(runs) > BARS_AT_MOST else "",
    }
