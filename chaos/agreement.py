"""Do the two worlds agree? The same storms, simulated and on real parts, compared by what came of them.

Verdicts must be the same. Real processes race otherwise in every run, so what breaks only sometimes is held
against how often it breaks in many simulated storms, which cost next to nothing. Transitions, times and latencies are shown side by side: where they differ, the
model of the simulator has something to learn, or there are too few runs to tell. Pure functions of results;
nothing here knows how a run is made.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec
from scipy import stats

World = Literal["sim", "live"]
ENOUGH = 5
"""Fewer values than this in either world say nothing about a distribution."""
UNLIKELY = 0.05
"""Real runs that break nothing where simulated ones do are a difference when chance explains it less often."""
EXACT_UP_TO = 10_000
"""Beyond so many pairs of values the exact chance takes long, may not come out, and is that of the limit anyway."""


class Look(msgspec.Struct, frozen=True):
    """What one run showed. Times in µs; `steps` are status changes with their causes, as the order log has them."""

    scenario: str
    design: str
    seed: int
    outcomes: dict[str, str]
    steps: dict[str, int]
    compensations: dict[str, int]
    times_us: dict[str, list[int]]


class Verdict(msgspec.Struct, frozen=True):
    """In how many runs an invariant was violated, and in how many nobody could tell.

    `beside`: in how many of those simulated runs that have a real one of the same seed beside them.
    """

    design: str
    invariant: str
    sim: int
    sim_runs: int
    beside: int
    live: int
    live_runs: int
    sim_unknown: int = 0
    live_unknown: int = 0

    @property
    def agrees(self) -> bool:
        """Whether both worlds say the same: broken in some run or in none, or broken in too few to be sure."""
        if self.live > 0:
            return self.sim > 0
        return self.missed is None or self.missed >= UNLIKELY

    @property
    def missed(self) -> float | None:
        """How likely so few real runs miss what simulated ones break (Fisher, one-sided); None if they did not."""
        if self.beside == 0 or self.live > 0:
            return None
        table = [[self.sim, self.sim_runs - self.sim], [0, self.live_runs]]
        return float(stats.fisher_exact(table, alternative="greater").pvalue)


class Count(msgspec.Struct, frozen=True):
    """How often something happened in each world."""

    design: str
    what: str
    sim: int
    live: int


class Spread(msgspec.Struct, frozen=True):
    """One kind of time in both worlds, in ms. `distance` is Kolmogorov and Smirnov's, None with too few values."""

    design: str
    what: str
    sim_ms: list[float]
    live_ms: list[float]
    distance: float | None = None
    chance: float | None = None


class Agreement(msgspec.Struct, frozen=True):
    """The whole comparison of one scenario."""

    scenario: str
    seeds: list[int]
    verdicts: list[Verdict]
    steps: list[Count]
    compensations: list[Count]
    spreads: list[Spread]

    @property
    def differing(self) -> list[Verdict]:
        """Verdicts that are not the same in both worlds."""
        return [verdict for verdict in self.verdicts if not verdict.agrees]

    @property
    def undecided(self) -> list[Verdict]:
        """Verdicts that some run could not give."""
        return [verdict for verdict in self.verdicts if verdict.sim_unknown or verdict.live_unknown]


def compare(sim: Sequence[Look], live: Sequence[Look]) -> Agreement:
    """Compare real runs with the same ones simulated; verdicts with all that were simulated.

    Raises ValueError when a real run has no simulated one beside it.
    """
    simulated = {(one.scenario, one.design, one.seed) for one in sim}
    real = {(one.scenario, one.design, one.seed) for one in live}
    if not real or not real <= simulated or len({one.scenario for one in sim}) != 1:
        raise ValueError("only the same runs of one scenario can be compared")
    agreement = Agreement(live[0].scenario, sorted({one.seed for one in live}), [], [], [], [])
    for design in dict.fromkeys(one.design for one in live):
        theirs = [one for one in live if one.design == design]
        many = [one for one in sim if one.design == design]
        ours = [one for one in many if (one.scenario, design, one.seed) in real]
        agreement.verdicts.extend(_verdicts(design, many, ours, theirs))
        agreement.steps.extend(_counts(design, (one.steps for one in ours), (one.steps for one in theirs)))
        agreement.compensations.extend(
            _counts(design, (one.compensations for one in ours), (one.compensations for one in theirs))
        )
        agreement.spreads.extend(_spreads(design, ours, theirs))
    return agreement


def _verdicts(
    design: str, sim: Sequence[Look], beside: Sequence[Look], live: Sequence[Look]
) -> list[Verdict]:
    def count(looks: Sequence[Look], invariant: str, outcome: str) -> int:
        return sum(one.outcomes.get(invariant) == outcome for one in looks)

    return [
        Verdict(
            design,
            invariant,
            count(sim, invariant, "violated"),
            len(sim),
            count(beside, invariant, "violated"),
            count(live, invariant, "violated"),
            len(live),
            count(sim, invariant, "unknown"),
            count(live, invariant, "unknown"),
        )
        for invariant in sorted({name for one in (*sim, *live) for name in one.outcomes})
    ]


def _counts(design: str, sim: Iterable[Mapping[str, int]], live: Iterable[Mapping[str, int]]) -> list[Count]:
    ours, theirs = _sum(sim), _sum(live)
    return [Count(design, what, ours[what], theirs[what]) for what in sorted({*ours, *theirs})]


def _sum(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return total


def _spreads(design: str, sim: Sequence[Look], live: Sequence[Look]) -> list[Spread]:
    spreads = []
    for what in sorted({name for one in (*sim, *live) for name in one.times_us}):
        ours, theirs = (
            sorted(us / 1000 for one in looks for us in one.times_us.get(what, [])) for looks in (sim, live)
        )
        distance = chance = None
        if min(len(ours), len(theirs)) >= ENOUGH:
            few = len(ours) * len(theirs) <= EXACT_UP_TO
            with warnings.catch_warnings(
                action="ignore", category=RuntimeWarning
            ):  # no exact chance: the limit's
                tested = stats.ks_2samp(ours, theirs, method="exact" if few else "asymp")
            distance, chance = float(tested.statistic), float(tested.pvalue)
        spreads.append(Spread(design, what, ours, theirs, distance, chance))
    return spreads
