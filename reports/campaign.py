"""A campaign as the reports see it: pairs of scenario and design, kept failures, audits, situations.

`reading` fills these from a results directory; nothing here knows about files.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from chaos import results
from chaos.checkers.verdict import Verdict
from chaos.results import SIM
from chaos.tally import replay_command, replay_token
from reports.leavings import Leavings

OUTCOMES = ("broken", "violated", "unseen", "inconclusive", "expected", "holds", "none")
"""What a pair can come to, gravest first. `unseen`: a failure that the scenario expects did not occur."""

FAILED = ("broken", "violated", "unseen")


@dataclass(frozen=True)
class Failure:
    """A kept failing run: history and verdicts lie in `path`."""

    id: str
    path: Path
    scenario: str
    design: str
    seed: int
    verdicts: tuple[Verdict, ...]
    swarm: bool = True
    world: str = SIM
    file: str = ""

    @property
    def replay(self) -> str:
        token = replay_token(self.file or self.scenario, self.design, self.seed, swarm=self.swarm)
        return replay_command(token, self.world)

    @property
    def money_fen(self) -> int:
        return max((verdict.amount_fen for verdict in self.verdicts), default=0)


@dataclass
class Pair:
    """One scenario against one design, over all seeds that finished."""

    scenario: str
    design: str
    outcome: str = "holds"
    reasons: tuple[str, ...] = ()
    runs: int = 0
    bad: int = 0
    behaviours: set[str] = field(default_factory=set)
    """Of its runs, each kind once."""
    wall_s: float = 0.0
    broken: dict[int, str] = field(default_factory=dict)
    violated: Counter[str] = field(default_factory=Counter)
    undecided: Counter[str] = field(default_factory=Counter)
    first_seed: dict[str, int] = field(default_factory=dict)
    crashed: Counter[str] = field(default_factory=Counter)
    touched: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    expected: tuple[str, ...] = ()
    sometimes: tuple[str, ...] = ()
    sample: Path | None = None
    sample_seed: int = -1
    swarm: bool = True
    world: str = SIM
    file: str = ""
    """What names a scenario that was not shipped."""

    def replay(self, seed: int) -> str:
        """The command that runs a seed again."""
        token = replay_token(self.file or self.scenario, self.design, seed, swarm=self.swarm)
        return replay_command(token, self.world)

    @property
    def unseen(self) -> list[str]:
        """Invariants that this design was expected to break and did not."""
        return [name for name in self.expected if not self.violated[name]]

    @property
    def untouched(self) -> list[str]:
        """Fault rules that touched nothing in any run."""
        return [rule for rule, count in self.touched.items() if not count]

    @property
    def unmet(self) -> list[str]:
        """Situations that the scenario is about and no run met."""
        return [name for name in self.sometimes if not self.met[name]]


@dataclass(frozen=True)
class AuditCell:
    """Where in the compensation matrix a judgement belongs."""

    design: str
    rule: str
    fault: str
    state: str


@dataclass
class Campaign:
    """Everything a report says, but for what lies in the histories of kept runs."""

    meta: results.Campaign
    designs: list[str]
    pairs: dict[tuple[str, str], Pair]
    failures: list[Failure] = field(default_factory=list)
    audit: dict[AuditCell, Counter[str]] = field(default_factory=dict)
    runs: int = 0
    orders: int = 0
    virtual_us: int = 0
    live: list[Leavings] = field(default_factory=list)
    """What runs on real parts left beside their histories."""

    def behaviours(self) -> int:
        """How many runs differed in kind, over all pairs."""
        return len({behaviour for pair in self.pairs.values() for behaviour in pair.behaviours})

    def title(self, scenario: str, lang: str) -> str:
        return str(self.meta.scenarios.get(scenario, {}).get("title", {}).get(lang, scenario))

    def outcome(self) -> str:
        """The gravest outcome of any pair; `empty` when nothing has run."""
        outcomes = {pair.outcome for pair in self.pairs.values() if pair.runs}
        return next((outcome for outcome in OUTCOMES if outcome in outcomes), "empty")

    def scenarios(self) -> list[str]:
        """Failing first, then in the order of the campaign."""
        names = list(dict.fromkeys(scenario for scenario, _ in self.pairs))
        return sorted(names, key=self._gravity)

    def _gravity(self, scenario: str) -> int:
        return min(OUTCOMES.index(pair.outcome) for (name, _), pair in self.pairs.items() if name == scenario)

    def grave_failures(self) -> list[Failure]:
        """Those of designs that should have held first, then the most money."""
        return sorted(self.failures, key=lambda f: (self.pair(f).outcome != "violated", -f.money_fen, f.id))

    def of(self, design: str) -> list[Pair]:
        """Every pair of one design."""
        return [pair for pair in self.pairs.values() if pair.design == design]

    def pair(self, failure: Failure) -> Pair:
        return self.pairs[failure.scenario, failure.design]
