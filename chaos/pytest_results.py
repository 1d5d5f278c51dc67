"""Storms run by pytest, kept as a results directory like any campaign's.

Each storm leaves a part, a file in a temporary directory that all workers share, as soon as it is
done; so a worker that dies takes no finished storm with it. The process that the user started joins
the parts at the end, in the order of scenarios, designs and seeds, whoever ran them.
"""

from __future__ import annotations

import shlex
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chaos.results import SCHEMA, Campaign, ResultsError, Run, claim
from chaos.results_writer import Writer
from chaos.tally import Cell, Exit, exit_code
from chaos.versions import versions
from chaos.vocabulary import design_names
from chaos.worker import Batch, Outcome, dump
from scenarios.model import Scenario

_WORKER_KEY = "dingfeng_parts"


class Part(msgspec.Struct):
    """One scenario on one design, run. `lines` are its runs, encoded; `kept` holds (folder, run id, artefacts)."""

    scenario: dict[str, Any]
    design: str
    seeds: list[int]
    lines: bytes
    kept: list[tuple[str, str, dict[str, bytes]]]
    file: str


@dataclass
class _Open:
    """The results directory being filled; `runs` once it is written."""

    out: Path
    parts: Path
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    runs: int | None = None


_open = pytest.StashKey[_Open]()


def open_results(config: pytest.Config) -> None:
    """Claim the directory that was asked for. Raises UsageError. A worker of xdist has nothing to claim."""
    if hasattr(config, "workerinput"):
        return
    out: Path = config.option.dingfeng_out
    try:
        claim(out)
    except ResultsError as error:
        raise pytest.UsageError(str(error).replace("--out", "--dingfeng-out")) from error
    config.stash[_open] = _Open(out, Path(tempfile.mkdtemp(prefix="dingfeng-")))


def tell_worker(config: pytest.Config, workerinput: dict[str, Any]) -> None:
    """What a worker needs to know: where parts go."""
    if opened := config.stash.get(_open, None):
        workerinput[_WORKER_KEY] = str(opened.parts)


def kept_separately(config: pytest.Config) -> bool:
    """Whether storms of this session end up in one results directory."""
    return config.option.dingfeng_out is not None


def keep(config: pytest.Config, batch: Batch, outcome: Outcome, file: str) -> None:
    """Leave a part, if results are wanted. `file` is what names the scenario again. A storm that is run again gives the same part again."""
    parts = _parts(config)
    if parts is None:
        return
    kept = [(folder, run_id, files) for (folder, run_id), files in outcome.files.items()]
    part = Part(dump(batch.scenario), batch.design, list(batch.seeds), outcome.lines, kept, file)
    fresh = parts / f"{batch.scenario.name}-{batch.design}.new"
    fresh.write_bytes(msgspec.msgpack.encode(part))
    fresh.replace(parts / f"{batch.scenario.name}-{batch.design}.part")


def _parts(config: pytest.Config) -> Path | None:
    if opened := config.stash.get(_open, None):
        return opened.parts
    told = getattr(config, "workerinput", {}).get(_WORKER_KEY)
    return Path(told) if told else None


def close_results(session: pytest.Session, exitstatus: int) -> None:
    """Join the parts into campaign.json, runs.jsonl and the kept runs; without a storm nothing is left behind."""
    opened = session.config.stash.get(_open, None)
    if opened is None:
        return
    decode = msgspec.msgpack.Decoder(Part).decode
    rank = {name: place for place, name in enumerate(design_names())}
    try:
        parts = [decode(path.read_bytes()) for path in opened.parts.glob("*.part")]
        parts.sort(key=lambda part: (part.scenario["name"], rank[part.design]))
        if parts:
            _write(opened, parts, session, exitstatus)
        else:
            opened.out.rmdir()
    finally:
        shutil.rmtree(opened.parts)


def _write(opened: _Open, parts: Sequence[Part], session: pytest.Session, exitstatus: int) -> None:
    seeds = sorted({seed for part in parts for seed in part.seeds})
    cells = [_cell(part) for part in parts]
    campaign = _campaign(opened, cells, seeds, session.config.invocation_params.args)
    writer = Writer(opened.out, campaign)
    for part in parts:
        writer.append(part.lines)
        for folder, run_id, files in part.kept:
            writer.keep(folder, run_id, files)
    summaries = [cell.summary() for cell in cells]
    interrupted = exitstatus == pytest.ExitCode.INTERRUPTED
    whole = exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED} and not session.shouldfail
    writer.save(
        msgspec.structs.replace(
            campaign,
            finished=whole,
            interrupted=interrupted,
            stopped=str(session.shouldfail or ""),
            wall_s=round((datetime.now(UTC) - opened.started).total_seconds(), 3),
            exit_code=int(Exit.INTERRUPTED if interrupted else exit_code(summaries)),
            cells=summaries,
        )
    )
    writer.close()
    opened.runs = sum(cell.runs for cell in cells)


def _cell(part: Part) -> Cell:
    """The part, added up."""
    cell = Cell(Scenario.model_validate(part.scenario), part.design, part.file)
    decode = msgspec.json.Decoder(Run).decode
    for line in part.lines.splitlines():
        cell.add(decode(line))
    return cell


def _campaign(opened: _Open, cells: Sequence[Cell], seeds: Sequence[int], args: Sequence[str]) -> Campaign:
    return Campaign(
        schema=SCHEMA,
        version=versions()["dingfeng"],
        versions=versions(),
        command=shlex.join(["pytest", *args]),
        started=opened.started.isoformat(timespec="seconds"),
        scenarios={cell.scenario.name: dump(cell.scenario) for cell in cells},
        designs=[name for name in design_names() if any(cell.design == name for cell in cells)],
        seeds=list(seeds),
        jobs=1,
        files={cell.scenario.name: cell.file for cell in cells if cell.file != cell.scenario.name},
    )


def sentence(config: pytest.Config) -> str:
    """Where the results are; nothing if there are none."""
    opened = config.stash.get(_open, None)
    if opened is None or opened.runs is None:
        return ""
    out = shlex.quote(str(opened.out))
    return f"dingfeng: {opened.runs} runs in {out}; to read them: dingfeng report {out}"
