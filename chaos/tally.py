"""Adds up the runs of a campaign and says how each scenario on each design stands.

A fault that touched nothing, or a situation that was never met, makes a cell inconclusive, for its
silence proves nothing. Where violations are expected and seen, they are the proof.
"""

from __future__ import annotations

import shlex
from collections import Counter
from enum import IntEnum

from chaos.checkers.verdict import Kind
from chaos.results import SIM, CellSummary, Run
from scenarios.model import Expectation, Scenario

CONFIDENCE = 0.95
ON_REAL_PARTS = ":live"
KEPT_FAILURES = 3
"""Failing runs kept whole for each scenario, design and invariant: those of the smallest seeds.

An invariant can break in several ways, and the rarer may come later; so the first of each kind is kept as well.
"""


class Exit(IntEnum):
    """Exit codes of the front door."""

    HOLDS = 0
    VIOLATED = 1
    BAD_INPUT = 2
    INCONCLUSIVE = 3
    BROKEN = 4
    INTERRUPTED = 130


EXITS = {
    "holds": Exit.HOLDS,
    "as expected": Exit.HOLDS,
    "not run": Exit.HOLDS,
    "violated": Exit.VIOLATED,
    "not violated": Exit.VIOLATED,
    "inconclusive": Exit.INCONCLUSIVE,
    "broken": Exit.BROKEN,
}
"""Outcome of a cell → what the command says. `not violated`: an expected violation was not seen."""

_SEVERITY = (Exit.BROKEN, Exit.VIOLATED, Exit.INCONCLUSIVE)


class Counts:
    """Runs of one scenario on one design, added up; in any order, in parts, the sum is the same."""

    def __init__(self) -> None:
        self.runs = 0
        self.orders = 0
        self.wall_s = 0.0
        self.failing = 0
        self.violated: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        self.amounts_fen: Counter[str] = Counter()
        self.first_seeds: dict[str, list[int]] = {}
        self.first_of_kind: dict[Kind, int] = {}
        self.met: Counter[str] = Counter()
        self.touched: Counter[str] = Counter()
        self.crashed: Counter[str] = Counter()
        self.behaviours: set[str] = set()
        self.broken: dict[int, str] = {}
        self.stopped: dict[int, str] = {}
        self.sample: int | None = None

    def add(self, run: Run) -> None:
        """Count one run."""
        self.runs += 1
        self.orders += run.orders
        self.wall_s += run.wall_ms / 1000
        self.failing += run.outcome in ("violated", "broken")
        self.met.update(run.met)
        self.touched.update(run.touched)
        self.crashed.update(run.crashed)
        if run.behaviour:
            self.behaviours.add(run.behaviour)
        if run.outcome == "broken":
            self.broken[run.seed] = run.error
        if run.stopped:
            self.stopped[run.seed] = run.stopped
        for invariant, outcome in run.verdicts.items():
            if outcome == "violated":
                self.violated[invariant] += 1
                self.amounts_fen[invariant] += run.amounts_fen.get(invariant, 0)
                self._among_first(invariant, [run.seed])
            else:
                self.unknown[invariant] += 1
        for kind in run.kinds:
            self._perhaps_first(kind, run.seed)
        if run.outcome == "holds":
            self.sample = run.seed if self.sample is None else min(self.sample, run.seed)

    def merge(self, other: Counts) -> None:
        """Count what was counted elsewhere."""
        self.runs += other.runs
        self.orders += other.orders
        self.wall_s += other.wall_s
        self.failing += other.failing
        self.met.update(other.met)
        self.touched.update(other.touched)
        self.crashed.update(other.crashed)
        self.behaviours.update(other.behaviours)
        self.broken.update(other.broken)
        self.stopped.update(other.stopped)
        self.violated.update(other.violated)
        self.unknown.update(other.unknown)
        self.amounts_fen.update(other.amounts_fen)
        for invariant, seeds in other.first_seeds.items():
            self._among_first(invariant, seeds)
        for kind, seed in other.first_of_kind.items():
            self._perhaps_first(kind, seed)
        samples = [seed for seed in (self.sample, other.sample) if seed is not None]
        self.sample = min(samples, default=None)

    def _among_first(self, invariant: str, seeds: list[int]) -> None:
        known = self.first_seeds.get(invariant, [])
        self.first_seeds[invariant] = sorted({*known, *seeds})[:KEPT_FAILURES]

    def _perhaps_first(self, kind: Kind, seed: int) -> None:
        self.first_of_kind[kind] = min(seed, self.first_of_kind.get(kind, seed))

    def kept(self, run: Run) -> bool:
        """Whether this run, counted already, is among the first of a failure or of a kind: those are kept whole."""
        return any(run.seed in self.first_seeds[invariant] for invariant in run.violated) or any(
            run.seed == self.first_of_kind[kind] for kind in run.kinds
        )

    def kept_seeds(self) -> list[int]:
        """The seeds of the failing runs that are kept whole."""
        seeds = {seed for seeds in self.first_seeds.values() for seed in seeds}
        return sorted(seeds | set(self.first_of_kind.values()))


class Cell(Counts):
    """One scenario on one design, and what is expected of it; `file` names a scenario that was not shipped."""

    def __init__(self, scenario: Scenario, design: str, file: str = "") -> None:
        super().__init__()
        self.scenario = scenario
        self.design = design
        self.file = file
        self.expectation: Expectation | None = scenario.expect.get(design)

    @property
    def expects_violations(self) -> bool:
        """Whether this design is known to fail here."""
        return self.expectation is not None and not self.expectation.holds

    @property
    def failures(self) -> int:
        """Runs that failed and should not have: where violations are expected, only broken ones."""
        return len(self.broken) if self.expects_violations else self.failing

    def outcome(self) -> tuple[str, list[str]]:
        """How it stands, and why in words."""
        if self.runs == 0:
            return "not run", []
        if self.broken or self.crashed:
            return "broken", self._broken()
        if self.expectation is not None and self.expects_violations:
            missing = [name for name in self.expectation.violated if name not in self.violated]
            if missing:
                return "not violated", [
                    f"expected {name} to be violated; it held in {self.runs} runs" for name in missing
                ]
            return "as expected", [
                f"{name} violated in {count} of {self.runs}" for name, count in self._counts()
            ]
        if self.violated:
            return "violated", [
                f"{name} violated in {count} of {self.runs}" for name, count in self._counts()
            ]
        doubts = self._doubts()
        if doubts:
            return "inconclusive", doubts
        return "holds", [strength(self.runs)]

    def _counts(self) -> list[tuple[str, int]]:
        return sorted(self.violated.items())

    def _broken(self) -> list[str]:
        return [
            f"seed {seed}: {error.strip().splitlines()[-1]}" for seed, error in sorted(self.broken.items())
        ] + [
            f"the checker of {name} crashed in {count} of {self.runs}"
            for name, count in sorted(self.crashed.items())
        ]

    def _doubts(self) -> list[str]:
        doubts = [f"seed {seed}: {why}" for seed, why in sorted(self.stopped.items())]
        doubts += [
            f"{name} undecided in {count} of {self.runs}" for name, count in sorted(self.unknown.items())
        ]
        doubts += [f"fault {rule} touched nothing" for rule, count in self.touched.items() if not count]
        doubts += [f"never met: {name}" for name in self.scenario.sometimes if name not in self.met]
        return doubts

    def replays(self) -> list[str]:
        """One replay token for each kind of failure, the first seed that showed it."""
        name, swarm = self.file or self.scenario.name, self.scenario.swarm
        return [replay_token(name, self.design, seed, swarm=swarm) for seed in dict.fromkeys(self._seeds())]

    def _seeds(self) -> list[int]:
        return [*sorted(self.broken)[:1], *(self.first_seeds[name][0] for name, _ in self._counts())]

    def summary(self) -> CellSummary:
        """The cell as campaign.json keeps it."""
        outcome, reasons = self.outcome()
        return CellSummary(
            self.scenario.name,
            self.design,
            outcome,
            reasons,
            self.runs,
            dict(self._counts()),
            self.replays(),
            len(self.behaviours),
        )


def replay_token(scenario: str, design: str, seed: int, *, swarm: bool) -> str:
    """What `dingfeng replay` reads; `scenario` is a shipped one's name or a path.

    Even seeds vary a storm; where they did not, the token says so.
    """
    return f"{scenario}:{design}:{seed}" + ("" if swarm or seed % 2 else ":plain")


def replay_command(token: str, world: str = SIM) -> str:
    """The command that runs a token again: the very same run in sim, the same storm on real parts live.

    A token that ends in `:live` says its world itself.
    """
    if world == SIM and not token.endswith(ON_REAL_PARTS):
        return f"dingfeng replay {shlex.quote(token)}"
    scenario, design, seed = token.removesuffix(ON_REAL_PARTS).removesuffix(":plain").rsplit(":", 2)
    return f"dingfeng live {shlex.quote(scenario)} -d {design} --seed {seed}"


def exit_code(cells: list[CellSummary]) -> Exit:
    """The worst of all cells: broken before violated before inconclusive."""
    codes = {EXITS[cell.outcome] for cell in cells}
    return next((code for code in _SEVERITY if code in codes), Exit.HOLDS)


def upper_bound(runs: int) -> float:
    """The failure rate that `runs` runs without a failure exclude at 95%: 1 − 0.05^(1/n), exact."""
    return float(1 - (1 - CONFIDENCE) ** (1 / runs))


def strength(runs: int) -> str:
    """What a clean record is worth, in words."""
    return f"0 of {runs} violated: under {upper_bound(runs):.2%} at 95%"
