"""Takes up a campaign that was killed, interrupted or stopped, and runs exactly what is missing.

Scenarios come from the directory, whole, so a file that has changed since does not matter. Anything else that
would make the result differ from that of an undisturbed campaign is refused before anything is touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from pydantic import ValidationError

from chaos import corpus
from chaos.campaign import Order
from chaos.results import Campaign, Results, ResultsError
from chaos.versions import differing
from chaos.worker import Runner, dump, name_of
from scenarios.model import Scenario


def taken_up(
    directory: Path, runner: Runner, jobs: int, engine: str, max_failures: int | None = None
) -> Order:
    """The order that finishes the campaign in `directory`. Raises ResultsError."""
    results = Results(directory)
    campaign = results.campaign
    if wrong := differing(campaign.versions):
        raise ResultsError(
            f"{directory}: cannot be resumed, its results would mix: {'; '.join(wrong)}; run it anew with --out"
        )
    if campaign.runner != name_of(runner):
        raise ResultsError(
            f"{directory}: its runs were made by {campaign.runner}, those of this command are by {name_of(runner)}"
        )
    order = Order(
        _scenarios(directory, campaign),
        campaign.designs,
        campaign.seeds,
        runner,
        directory,
        jobs,
        campaign.max_failures if max_failures is None else max_failures,
        engine=engine,
        corpus=Path(campaign.corpus) if campaign.corpus else None,
        resume=results,
        files=campaign.files,
    )
    _check_runs(results, order)
    _check_corpus(campaign, order)
    if not campaign.wall_s:
        results.campaign = msgspec.structs.replace(campaign, wall_s=_until_killed(directory, campaign))
    return order


def agree(order: Order, scenarios: Sequence[Scenario], designs: Sequence[str], seeds: Sequence[int]) -> None:
    """What is named beside a directory to resume must be what is in it. Raises ResultsError."""
    given = {scenario.name: dump(scenario) for scenario in scenarios}
    recorded = {scenario.name: dump(scenario) for scenario in order.scenarios}
    if given and given != recorded:
        names = sorted(name for name in {**given, **recorded} if given.get(name) != recorded.get(name))
        raise ResultsError(f"{order.out}: its scenarios are others than those named: {', '.join(names)}")
    if designs and sorted(set(designs)) != sorted(order.designs):
        raise ResultsError(f"{order.out}: its designs are {', '.join(order.designs)}")
    if seeds and list(seeds) != list(order.seeds):
        raise ResultsError(f"{order.out}: its seeds are {order.seeds[0]} to {order.seeds[-1]}")


def _scenarios(directory: Path, campaign: Campaign) -> list[Scenario]:
    try:
        return [Scenario.model_validate(text) for text in campaign.scenarios.values()]
    except ValidationError as error:
        raise ResultsError(f"{directory / 'campaign.json'}: damaged: {error}") from error


def _check_runs(results: Results, order: Order) -> None:
    """Every line is of this campaign."""
    names = [scenario.name for scenario in order.scenarios]
    seeds = set(order.seeds)
    for number, run in enumerate(results.runs(), start=1):
        case = (run.scenario, run.design, run.seed)
        if run.scenario not in names or run.design not in order.designs or run.seed not in seeds:
            raise ResultsError(f"{results.path / 'runs.jsonl'}:{number}: not a run of this campaign: {case}")


def _check_corpus(campaign: Campaign, order: Order) -> None:
    """The saved plans that the campaign began with are still there."""
    known = [entry.name for entry in corpus.read(order.corpus, order.scenarios, order.designs)]
    if gone := [name for name in campaign.corpus_ids if name not in known]:
        raise ResultsError(f"{order.out}: began with saved plans that are gone: {', '.join(gone)}")


def _until_killed(directory: Path, campaign: Campaign) -> float:
    """How long a campaign ran that had no chance to say so."""
    runs = directory / "runs.jsonl"
    if not runs.exists():
        return 0.0
    return max(0.0, round(runs.stat().st_mtime - datetime.fromisoformat(campaign.started).timestamp(), 3))
