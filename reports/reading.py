"""A results directory, read into what the reports need. The run lines are streamed, never held.

Nothing but the directory is read, so a campaign can be rendered again long after it ran. Whatever is
wrong with the directory is a ResultsError of `chaos.results`, with file and versions.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from chaos.checkers.verdict import Verdict
from chaos.history import Header, History, load
from chaos.results import Campaign as Meta
from chaos.results import Results, ResultsError, Run
from chaos.tally import Cell
from reports import leavings
from reports.campaign import AuditCell, Campaign, Failure, Pair
from scenarios.model import Scenario

_OUTCOMES = {"as expected": "expected", "not violated": "unseen", "not run": "none"}


def read(directory: Path) -> Campaign:
    """The campaign in `directory`. Raises ResultsError."""
    results = Results(directory)
    meta = results.campaign
    campaign = Campaign(meta, list(meta.designs), _empty_pairs(meta))
    cells = _unfinished_cells(meta)
    for run in results.all_runs():
        pair = campaign.pairs.setdefault((run.scenario, run.design), Pair(run.scenario, run.design))
        _add(campaign, pair, run)
        if cells:
            cells[run.scenario, run.design].add(run)
    for cell in meta.cells or [cell.summary() for cell in cells.values()]:
        pair = campaign.pairs[cell.scenario, cell.design]
        pair.outcome, pair.reasons = _OUTCOMES.get(cell.outcome, cell.outcome), tuple(cell.reasons)
    campaign.failures = _failures(results)
    campaign.live = leavings.of(results)
    for run_id in results.kept("samples"):
        path = directory / "samples" / run_id
        header = _header(path)
        known = campaign.pairs.get((header.scenario, header.design))
        if known is not None:
            known.sample, known.sample_seed = path, header.seed
    return campaign


def _empty_pairs(meta: Meta) -> dict[tuple[str, str], Pair]:
    pairs = {}
    for name, scenario in meta.scenarios.items():
        for design in meta.designs:
            expected = _expected(scenario.get("expect", {}).get(design))
            sometimes = tuple(scenario.get("sometimes", ()))
            pairs[name, design] = Pair(
                name,
                design,
                outcome="none",
                expected=expected,
                sometimes=sometimes,
                swarm=scenario.get("swarm", True),
                world=meta.world,
                file=meta.files.get(name, ""),
            )
    return pairs


def _expected(expectation: Any) -> tuple[str, ...]:
    """`holds`, `{violated: [...]}` or nothing, as the scenario wrote it."""
    return tuple(expectation.get("violated", ())) if isinstance(expectation, dict) else ()


def _unfinished_cells(meta: Meta) -> dict[tuple[str, str], Cell]:
    """A campaign that was killed has no outcomes yet; they are added up again from its runs."""
    if meta.cells:
        return {}
    cells = {}
    for name, text in meta.scenarios.items():
        try:
            scenario = Scenario.model_validate(text)
        except ValidationError as error:
            raise ResultsError(f"campaign.json: scenario {name}: {error}") from error
        for design in meta.designs:
            cells[name, design] = Cell(scenario, design, meta.files.get(name, ""))
    return cells


def _add(campaign: Campaign, pair: Pair, run: Run) -> None:
    campaign.runs += 1
    campaign.orders += run.orders
    campaign.virtual_us += run.virtual_us
    pair.runs += 1
    if run.behaviour:
        pair.behaviours.add(run.behaviour)
    pair.bad += run.outcome in ("violated", "broken")
    pair.wall_s += run.wall_ms / 1000
    pair.met.update(run.met)
    pair.crashed.update(run.crashed)
    if run.outcome == "broken":
        pair.broken[run.seed] = run.error
    for rule, count in run.touched.items():
        pair.touched[rule] += count
    for invariant, outcome in run.verdicts.items():
        if outcome == "violated":
            pair.violated[invariant] += 1
            pair.first_seed.setdefault(invariant, run.seed)
        else:
            pair.undecided[invariant] += 1
    for cell in run.audit.get("matrix", ()):
        where = AuditCell(run.design, cell["rule"], cell["fault"], cell["state"])
        campaign.audit.setdefault(where, Counter())[cell["verdict"]] += cell["count"]


def _failures(results: Results) -> list[Failure]:
    failures = []
    for run_id in results.kept("failures"):
        path = results.path / "failures" / run_id
        record = results.verdict("failures", run_id)
        try:
            verdicts = msgspec.convert(record.get("verdicts", []), tuple[Verdict, ...])
        except msgspec.ValidationError as error:
            raise ResultsError(f"{path / 'verdict.json'}: damaged: {error}") from error
        broken = tuple(verdict for verdict in verdicts if verdict.outcome == "violated")
        header = _header(path)
        if broken:
            swarm = results.campaign.scenarios.get(header.scenario, {}).get("swarm", True)
            failures.append(
                Failure(
                    run_id,
                    path,
                    header.scenario,
                    header.design,
                    header.seed,
                    broken,
                    swarm,
                    results.campaign.world,
                    results.campaign.files.get(header.scenario, ""),
                )
            )
    return failures


def history_of(kept: Path) -> History:
    """The whole history of a kept run. Raises ResultsError."""
    try:
        return load(kept / "history.jsonl")
    except OSError as error:
        raise ResultsError(f"{kept / 'history.jsonl'}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ResultsError(str(error)) from error  # names file and line itself


def _header(path: Path) -> Header:
    """Only the first line of a history, which may be long."""
    file = path / "history.jsonl"
    try:
        with file.open("rb") as lines:
            return msgspec.json.decode(lines.readline(), type=Header)
    except OSError as error:
        raise ResultsError(f"{file}: cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise ResultsError(f"{file}:1: not a history: {error}") from error
