"""Which runs the page draws: of each scenario and design one that was kept, all of one storm where possible."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chaos.words import Words
from reports import sheet, storm, style, tables
from reports.campaign import Campaign
from reports.reading import history_of

SHEETS_AT_MOST = 48
SHEET_BYTES_AT_MOST = 2_400_000


def kept(campaign: Campaign, scenario: str) -> dict[str, Path]:
    """For each design the failure to show, else the sample; of one seed where that was kept.

    Under one seed all designs meet the same users and the same storm, so the sheets compare.
    """
    pairs = [pair for pair in campaign.pairs.values() if pair.scenario == scenario]
    seeds = {pair.sample_seed for pair in pairs if pair.sample is not None}
    chosen: dict[str, Path] = {}
    for failure in campaign.grave_failures():
        if failure.scenario == scenario and (failure.design not in chosen or failure.seed in seeds):
            chosen[failure.design] = failure.path
    for pair in pairs:
        if pair.sample is not None:
            chosen.setdefault(pair.design, pair.sample)
    return {design: chosen[design] for design in campaign.designs if design in chosen}


def title(campaign: Campaign, scenario: str, design: str, seed: int, words: Words) -> str:
    """What a figure of one run is called."""
    return words("figure.sheet", scenario=campaign.title(scenario, words.lang), design=design, seed=seed)


def sheets(campaign: Campaign, words: Words) -> tuple[list[dict[str, Any]], list[str]]:
    """One drawn run for each pair, failing scenarios first, until the page is large enough; and what was left out."""
    groups: list[dict[str, Any]] = []
    left: list[str] = []
    drawn = size = 0
    for scenario in campaign.scenarios():
        runs = kept(campaign, scenario)
        if drawn + len(runs) > SHEETS_AT_MOST or size > SHEET_BYTES_AT_MOST:
            left += [f"{scenario} · {design}" for design in runs]
        elif runs:
            group = _side_by_side(campaign, scenario, runs, words)
            groups.append(group)
            drawn, size = drawn + len(runs), size + sum(len(shown["svg"]) for shown in group["sheets"])
    return groups, left


def _side_by_side(campaign: Campaign, scenario: str, runs: dict[str, Path], words: Words) -> dict[str, Any]:
    """The kept runs of one scenario on one time axis, a sheet for each design."""
    histories = {design: history_of(chosen) for design, chosen in runs.items()}
    storms = {design: storm.read(history) for design, history in histories.items()}
    storm.align(list(storms.values()))
    name = campaign.title(scenario, words.lang)
    shown = []
    for design, run in storms.items():
        seed = histories[design].header.seed
        svg = sheet.draw(run, words, title(campaign, scenario, design, seed, words), full=False)
        caption = words("figure.seed", seed=seed)
        outcome = campaign.pairs[scenario, design].outcome
        shown.append(tables.cell(outcome, words, design=design, svg=style.markup(svg), caption=caption))
    return {"title": name, "sheets": shown}
