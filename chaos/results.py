"""The results directory: all that campaigns and reports know of each other.

campaign.json   what was run: versions, scenario texts, designs, seeds, exact command, how it ended
runs.jsonl      a line for each run, as they end; once the campaign has ended, by scenario, design and seed
corpus.jsonl    a line for each plan saved by earlier campaigns that was tried again, if there were any
failures/<id>/  plan, history, verdicts and audit of the first runs that broke each invariant, and in each way
samples/<id>/   the same of one run that held, for each scenario and design
live/<id>/      of each run on real parts: logs of its processes, figures of the load, how time passed
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from chaos.checkers.verdict import Kind
from chaos.history import History, load
from chaos.measures import Measures

SCHEMA = 1
SIM, LIVE = "sim", "live"
FILES = ("history.jsonl", "verdict.json", "plan.json")


class ResultsError(Exception):
    """The results directory cannot be written, or is not one that can be read. The message says why."""


class Run(msgspec.Struct, frozen=True):
    """One line of runs.jsonl.

    `outcome`: violated, unknown or holds, by the worst verdict; broken when the harness raised, and then
    `error` has the traceback. `stopped` says why a run was ended before its time; it has no verdicts then. `verdicts` names only invariants that do not hold; `amounts_fen` is the
    money at risk by invariant; `kinds` tells in which ways they are violated; `crashed` lists checkers that raised. `audit` has `counts`
    (rule → verdict → number) and `matrix` (the same split by fault and order state, see
    `chaos.oracle.audit`). `touched` counts by fault rule. Runs in which the same kinds
    of things happened share a `behaviour`.
    """

    scenario: str
    design: str
    seed: int
    outcome: str
    digest: str = ""
    verdicts: dict[str, str] = {}
    amounts_fen: dict[str, int] = {}
    kinds: list[Kind] = []
    crashed: list[str] = []
    audit: dict[str, Any] = {}
    met: list[str] = []
    touched: dict[str, int] = {}
    orders: int = 0
    events: int = 0
    virtual_us: int = 0
    behaviour: str = ""
    measures: Measures = Measures()
    wall_ms: float = 0.0
    failure: str = ""
    error: str = ""
    stopped: str = ""

    @property
    def violated(self) -> list[str]:
        """The invariants that this run broke."""
        return [invariant for invariant, outcome in self.verdicts.items() if outcome == "violated"]


class CellSummary(msgspec.Struct, frozen=True):
    """One scenario on one design: how it ended (see `chaos.tally`), and why in words.

    `behaviours` is how many of its runs differed in kind.
    """

    scenario: str
    design: str
    outcome: str
    reasons: list[str]
    runs: int
    violated: dict[str, int]
    replay: list[str]
    behaviours: int = 0


class Campaign(msgspec.Struct, frozen=True):
    """campaign.json. `scenarios` holds each one whole, so that a run replays although the file has changed.

    `versions` has a digest of the code beside the versions of packages; `corpus_ids` are the saved plans
    that were tried first, `regressions` those that failed again; `files` has the path of each scenario that was not
    shipped; `world` is sim or live; `stopped` says why a campaign ended before all runs were made.
    """

    schema: int
    version: str
    versions: dict[str, str]
    command: str
    started: str
    scenarios: dict[str, dict[str, Any]]
    designs: list[str]
    seeds: list[int]
    jobs: int
    engine: str = "local"
    runner: str = ""
    world: str = SIM
    max_failures: int | None = None
    corpus: str = ""
    corpus_ids: list[str] = []
    finished: bool = False
    interrupted: bool = False
    stopped: str = ""
    error: str = ""
    wall_s: float = 0.0
    exit_code: int | None = None
    cells: list[CellSummary] = []
    behaviours: int = 0
    files: dict[str, str] = {}
    regressions: list[str] = []


def claim(path: Path) -> None:
    """Make sure that `path` is an empty directory that can be written. Raises ResultsError."""
    refuse_taken(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise ResultsError(f"{path}: cannot be written: Permission denied")


def refuse_taken(path: Path) -> None:
    """Say before long work that its results have no place here; makes nothing. Raises ResultsError."""
    if path.is_file():
        raise ResultsError(f"{path}: is a file; name a directory for the results")
    try:
        entries = [entry.name for entry in path.iterdir()] if path.exists() else []
    except OSError as error:
        raise cannot_write(path, error) from error
    if entries:
        what = "already holds a campaign" if "campaign.json" in entries else "is not empty"
        raise ResultsError(f"{path}: {what}; name another directory with --out, or remove it")


def cannot_write(path: Path, error: OSError) -> ResultsError:
    """The directory is there, but not for us."""
    return ResultsError(f"{path}: cannot be written: {error.strerror}")


def free_directory(parent: Path) -> Path:
    """The first of `parent`/run-001, run-002 … that does not exist."""
    number = 1
    while (parent / f"run-{number:03d}").exists():
        number += 1
    return parent / f"run-{number:03d}"


class Results:
    """A results directory, read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.campaign = _campaign(path)

    def runs(self) -> Iterator[Run]:
        """Every run; in order, if the campaign was not killed.

        A last line cut off by a kill is left out; other damage raises ResultsError: a line that is no run, or a run
        that is there twice.
        """
        path = self.path / "runs.jsonl"
        seeds: dict[tuple[str, str], set[int]] = {}
        for number, run in enumerate(_runs(path), start=1):
            seen = seeds.setdefault((run.scenario, run.design), set())
            if run.seed in seen:
                case = f"{run.scenario} on {run.design}, seed {run.seed}"
                raise ResultsError(f"{path}:{number}: damaged: a run that is there already: {case}")
            seen.add(run.seed)
            yield run

    def all_runs(self) -> Iterator[Run]:
        """As `runs`, for who counts them: of a campaign that came to its end every run must be there.

        Raises ResultsError when one is missing, which no kill can have done; resuming the campaign makes it again.
        """
        found: Counter[tuple[str, str]] = Counter()
        for run in self.runs():
            found[run.scenario, run.design] += 1
            yield run
        for cell in self.campaign.cells if self.campaign.finished else ():
            if found[cell.scenario, cell.design] != cell.runs:
                raise ResultsError(
                    f"{self.path / 'runs.jsonl'}: damaged: {cell.scenario} on {cell.design} has "
                    f"{found[cell.scenario, cell.design]} runs, and campaign.json counted {cell.runs}"
                )

    def tried(self) -> Iterator[Run]:
        """The runs of plans that earlier campaigns had saved."""
        path = self.path / "corpus.jsonl"
        return _runs(path) if path.exists() else iter(())

    def kept(self, folder: str) -> list[str]:
        """Ids of the runs kept under failures/ or samples/."""
        target = self.path / folder
        return sorted(entry.name for entry in target.iterdir() if entry.is_dir()) if target.is_dir() else []

    def history(self, folder: str, run_id: str) -> History:
        """The history of a kept run. Raises ResultsError."""
        path = self.path / folder / run_id / "history.jsonl"
        try:
            return load(path)
        except (OSError, ValueError) as error:
            raise ResultsError(f"{path}: {error}") from error

    def verdict(self, folder: str, run_id: str) -> dict[str, Any]:
        """Verdicts, audit, situations and touched faults of a kept run. Raises ResultsError."""
        return read_json(self.path / folder / run_id / "verdict.json")


def _runs(path: Path) -> Iterator[Run]:
    decode = msgspec.json.Decoder(Run).decode
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith(b"\n"):
                    return
                try:
                    yield decode(line)
                except msgspec.MsgspecError as error:
                    raise ResultsError(f"{path}:{number}: not a run: {error}") from error
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read: {error.strerror}") from error


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file. Raises ResultsError naming it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise ResultsError(f"{path}: damaged: {error}") from error


def _campaign(path: Path) -> Campaign:
    file = path / "campaign.json"
    if path.is_file():
        raise ResultsError(f"{path}: is a file; name a results directory")
    if not path.is_dir():
        raise ResultsError(f"{path}: no such results directory")
    if not file.is_file():
        raise ResultsError(f"{path}: is no results directory (it has no campaign.json)")
    schema = read_json(file).get("schema")
    if schema != SCHEMA:
        raise ResultsError(
            f"{file}: written by another version of dingfeng (schema {schema}; this one reads {SCHEMA})"
        )
    try:
        return msgspec.json.decode(file.read_bytes(), type=Campaign)
    except msgspec.MsgspecError as error:
        raise ResultsError(f"{file}: damaged: {error}") from error
