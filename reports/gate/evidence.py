"""Several results directories, joined: every run counts once, and what was seen once stays seen.

A retry may only add evidence. So joined directories must be of the same code and the same scenarios; a run that
is in two of them is one run; a violation in any of them is a violation; and the same case that came out
differently says that something is wrong with the harness.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from chaos.measures import Measures, Times
from chaos.results import LIVE, SIM, Campaign, Results, ResultsError, Run
from chaos.tally import ON_REAL_PARTS, replay_token
from reports.gate import quantiles

_WRONG = ("missed", "undue", "doubled", "late", "wrong_amount")
"""What the oracle calls a broken rule."""

NEVER_US = 2**63 - 1
"""Longer than any run."""


class Took(NamedTuple):
    """One run in four numbers, for comparison with the same run of a baseline."""

    click_to_card: int | None
    time_to_settle: int | None
    money_at_risk: int
    compensation: int


class Seen(NamedTuple):
    """What one run showed."""

    digest: str
    violated: tuple[str, ...]
    undecided: tuple[str, ...]
    took: Took


@dataclass
class Cell:
    """One scenario on one design, all directories together."""

    scenario: str
    design: str
    own: tuple[str, ...] = ()
    """Situations that the scenario itself asks for."""
    runs: dict[int, Seen] = field(default_factory=dict)
    broken: dict[int, str] = field(default_factory=dict)
    crashed: dict[str, int] = field(default_factory=dict)
    conflicts: list[int] = field(default_factory=list)
    missing: set[int] = field(default_factory=set)
    recovered: set[int] = field(default_factory=set)
    """Seeds that broke the harness in one directory and came to their end in another."""
    violated: Counter[str] = field(default_factory=Counter)
    undecided: Counter[str] = field(default_factory=Counter)
    first_seed: dict[str, int] = field(default_factory=dict)
    kept: dict[str, Path] = field(default_factory=dict)
    saved: dict[str, str] = field(default_factory=dict)
    """What a plan saved by an earlier campaign broke → the kept run that replays it, or its seed."""
    amounts_fen: Counter[str] = field(default_factory=Counter)
    due: Counter[str] = field(default_factory=Counter)
    touched: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    click_to_card: Times = field(default_factory=dict)
    time_to_settle: Times = field(default_factory=dict)
    undelivered: int = 0
    unsettled: int = 0
    captured_fen: int = 0
    compensation_fen: int = 0
    worst: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Measure → the worst value of any run, and its seed: where to look when a limit is broken."""
    swarm: bool = True
    """Whether even seeds varied the storm."""
    file: str = ""
    """What names a scenario that was not shipped."""
    world: str = SIM

    def add(self, run: Run, source: Path) -> None:
        """One run of one directory."""
        self.missing.discard(run.seed)
        if run.outcome == "broken":
            if run.seed in self.runs:
                self.recovered.add(run.seed)
            else:
                self.broken[run.seed] = run.error
            return
        if self.broken.pop(run.seed, None) is not None:
            self.recovered.add(run.seed)
        rules = rule_outcomes(run)
        violated = (*run.violated, *(name for name, outcome in rules.items() if outcome == "violated"))
        undecided = (
            *(name for name, outcome in run.verdicts.items() if outcome != "violated"),
            *(name for name, outcome in rules.items() if outcome == "unknown"),
        )
        before = self.runs.get(run.seed)
        if before is not None:
            if before.digest == run.digest:
                return
            self.conflicts.append(run.seed)
            new = tuple(name for name in violated if name not in before.violated)
            self.runs[run.seed] = before._replace(violated=(*before.violated, *new))
            self._blame(run, new, source)
            return
        self.runs[run.seed] = Seen(run.digest, violated, undecided, _took(run))
        self._blame(run, violated, source)
        self.undecided.update(undecided)
        self.due.update(name for name, counts in run.audit.get("counts", {}).items() if counts)
        self.met.update(run.met)
        for name in run.crashed:
            self.crashed.setdefault(name, run.seed)
        for rule, count in run.touched.items():
            self.touched[rule] += count
        self._measure(run.measures, run.seed)

    def tried(self, run: Run, source: Path) -> None:
        """A run of a saved plan: it can break something, but being chosen it says nothing about rates."""
        for name in (
            *run.violated,
            *(n for n, outcome in rule_outcomes(run).items() if outcome == "violated"),
        ):
            where = source / "failures" / run.failure
            self.saved.setdefault(name, str(where) if run.failure else self.token(run.seed))
            if run.failure:
                self.kept.setdefault(name, where)
            self.amounts_fen[name] += amount_fen(run, name)

    def _blame(self, run: Run, violated: Sequence[str], source: Path) -> None:
        self.violated.update(violated)
        for name in violated:
            if run.seed < self.first_seed.get(name, run.seed + 1):
                self.first_seed[name] = run.seed
            if run.failure:
                self.kept.setdefault(name, source / "failures" / run.failure)
            self.amounts_fen[name] += amount_fen(run, name)

    def _measure(self, measures: Measures, seed: int) -> None:
        quantiles.add(self.click_to_card, measures.click_to_card)
        quantiles.add(self.time_to_settle, measures.time_to_settle)
        self.undelivered += measures.undelivered
        self.unsettled += measures.open_orders
        self.captured_fen += measures.captured_fen
        self.compensation_fen += measures.compensation_fen
        for name, value in (
            ("click_to_card", NEVER_US if measures.undelivered else max(measures.click_to_card, default=0)),
            ("time_to_settle", NEVER_US if measures.open_orders else max(measures.time_to_settle, default=0)),
            ("money_at_risk_peak", measures.at_risk_peak_fen),
            ("money_at_risk_end", measures.at_risk_end_fen),
            ("compensation_share", measures.compensation_fen),
        ):
            if name not in self.worst or value > self.worst[name][0]:
                self.worst[name] = value, seed

    def token(self, seed: int) -> str:
        """What `dingfeng replay` takes; or, of a run on real parts, what `replay_command` does."""
        token = replay_token(self.file or self.scenario, self.design, seed, swarm=self.swarm)
        return token + ON_REAL_PARTS if self.world == LIVE else token


@dataclass
class Evidence:
    """All directories, joined."""

    paths: list[Path]
    campaigns: list[Campaign]
    scenarios: dict[str, dict[str, Any]]
    cells: dict[tuple[str, str], Cell]

    @property
    def runs(self) -> int:
        """Runs, each counted once."""
        return sum(len(cell.runs) for cell in self.cells.values())

    def of(self, design: str) -> list[Cell]:
        """Every cell of a design in which anything was run or should have been."""
        cells = [cell for cell in self.cells.values() if cell.design == design]
        return [cell for cell in cells if cell.runs or cell.broken or cell.missing or cell.saved]

    def title(self, scenario: str, lang: str) -> str:
        """What the scenario is called."""
        return str(self.scenarios.get(scenario, {}).get("title", {}).get(lang, scenario))


def join(paths: Sequence[Path]) -> Evidence:
    """Read all directories. Raises ResultsError for one that is damaged, foreign or not of the same code."""
    unique = list({path.resolve(): path for path in paths}.values())
    evidence = Evidence(unique, [], {}, {})
    for results in [Results(path) for path in unique]:
        _same_candidate(evidence, results)
        evidence.campaigns.append(results.campaign)
        evidence.scenarios.update(results.campaign.scenarios)
        _expect(evidence, results.campaign)
    # A seed that one directory lacks and another has is not missing, so all are expected before any is read.
    for results in [Results(path) for path in unique]:
        seeds = frozenset(results.campaign.seeds)
        for number, run in enumerate(results.all_runs(), start=1):
            cell = _cell(evidence, results, run, f"runs.jsonl:{number}")
            if run.seed not in seeds:
                raise ResultsError(f"{results.path}/runs.jsonl:{number}: seed {run.seed} was never asked for")
            cell.add(run, results.path)
        for number, run in enumerate(results.tried(), start=1):
            _cell(evidence, results, run, f"corpus.jsonl:{number}").tried(run, results.path)
    return evidence


def rule_outcomes(run: Run) -> dict[str, str]:
    """Compensation rule → violated, unknown or holds, of those that came due."""
    outcomes = {}
    for rule, counts in run.audit.get("counts", {}).items():
        if counts:
            wrong = any(counts.get(verdict) for verdict in _WRONG)
            outcomes[rule] = "violated" if wrong else "unknown" if counts.get("undecided") else "holds"
    return outcomes


def amount_fen(run: Run, name: str) -> int:
    """Money at risk by a violation; rules are all judged by I-30."""
    return run.amounts_fen.get("I-30" if name.startswith("K-") else name, 0)


def _took(run: Run) -> Took:
    measures = run.measures
    never_us = run.virtual_us
    return Took(
        quantiles.at(0.95, measures.click_to_card, measures.undelivered, never_us),
        quantiles.at(0.95, measures.time_to_settle, measures.open_orders, never_us),
        measures.at_risk_peak_fen,
        measures.compensation_fen,
    )


def _cell(evidence: Evidence, results: Results, run: Run, place: str) -> Cell:
    cell = evidence.cells.get((run.scenario, run.design))
    if cell is None or run.scenario not in results.campaign.scenarios:
        raise ResultsError(
            f"{results.path}/{place}: a run of {run.scenario} on {run.design}, which campaign.json knows nothing of"
        )
    return cell


def _same_candidate(evidence: Evidence, results: Results) -> None:
    campaign = results.campaign
    for path, other in zip(evidence.paths, evidence.campaigns, strict=False):
        for name in ("dingfeng", "code"):
            ours, theirs = campaign.versions.get(name, "unknown"), other.versions.get(name, "unknown")
            if ours != theirs:
                raise ResultsError(
                    f"{results.path}: is of other code than {path} ({name} {ours}, there {theirs}); "
                    "only results of one candidate can be joined"
                )
        if campaign.world != other.world:
            raise ResultsError(
                f"{results.path}: was run in the other world ({campaign.world}) than {path} ({other.world}); "
                "only results of one world can be joined"
            )
        for name in campaign.scenarios.keys() & other.scenarios.keys():
            if campaign.scenarios[name] != other.scenarios[name]:
                raise ResultsError(
                    f"{results.path}: scenario {name} is not the same as in {path}; "
                    "only results of one candidate can be joined"
                )


def _expect(evidence: Evidence, campaign: Campaign) -> None:
    for scenario, design in _pairs(campaign):
        cell = evidence.cells.get((scenario, design))
        if cell is None:
            own = tuple(campaign.scenarios[scenario].get("sometimes", ()))
            cell = evidence.cells[scenario, design] = Cell(scenario, design, own)
            cell.file = campaign.files.get(scenario, "")
            cell.world = campaign.world
            cell.swarm = campaign.scenarios[scenario].get("swarm", True)
        cell.missing.update(campaign.seeds)


def _pairs(campaign: Campaign) -> Iterator[tuple[str, str]]:
    for scenario in campaign.scenarios:
        for design in campaign.designs:
            yield scenario, design
