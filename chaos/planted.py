"""Every planted bug against the checkers: does the one that is for it find it, and find it first?

A checker that never found a bug may be unable to. Each planted design (`reference_platform.designs.planted`)
says which invariant it breaks and in which storm; here the storm is run seed by seed until something
is violated, and the answer is compared with what the design says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from chaos.checkers.judge import Judge
from chaos.checkers.registry import CHECKERS
from chaos.checkers.verdict import Verdict
from chaos.history import History
from chaos.run import RunResult, run
from reference_platform import designs
from scenarios import loading

BROAD = ("I-01", "I-25", "I-30", "I-02", "I-11", "I-06")
"""Invariants that follow from others, the broadest first: whatever happens to money or goods ends up in them.

When several are violated at the same moment, the less broad one has said more precisely what is wrong.
"""


@dataclass(frozen=True, slots=True)
class Bug:
    """A design with one known bug. `real` names reports of real shops, or is empty."""

    name: str
    catches: str
    scenario: str
    real: str
    summary: str


@dataclass(frozen=True, slots=True)
class Hunt:
    """How a bug was found. `first` is empty when it was not; `runs` counts the one that found it."""

    bug: Bug
    first: str
    seed: int
    t_us: int
    violated: tuple[str, ...]
    runs: int
    wall_s: float

    @property
    def right(self) -> bool:
        """Found, and found first by the invariant that it was planted for."""
        return self.first == self.bug.catches


def bugs() -> list[Bug]:
    """Every planted bug, in the order of the invariants that they are for."""
    found = []
    for name in designs.planted_names():
        module = import_module(f"reference_platform.designs.{name}")
        found.append(Bug(name, module.CATCHES, module.SCENARIO, module.REAL, module.SUMMARY))
    return sorted(found, key=lambda bug: (bug.catches, bug.name))


def violated_in(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The violated ones, by the time of the violation."""
    broken = [verdict for verdict in verdicts if verdict.outcome == "violated"]
    return sorted(broken, key=lambda verdict: (verdict.first_us or 0, verdict.invariant))


def found_first(verdicts: Sequence[Verdict]) -> str:
    """The invariant violated first; of several at one moment the least broad.

    Several that are equally narrow are joined by `+`: then nobody can say which one it was.
    """
    broken = violated_in(verdicts)
    if not broken:
        return ""
    tied = [verdict.invariant for verdict in broken if verdict.first_us == broken[0].first_us]
    for broad in BROAD:
        if len(tied) > 1 and broad in tied:
            tied.remove(broad)
    return "+".join(tied)


def storm(bug: Bug, seed: int) -> RunResult:
    """The bug's own scenario on its design."""
    return run(loading.load(bug.scenario), bug.name, seed)


def hunt(bug: Bug, limit: int) -> Hunt:
    """Seed by seed, from 1, until something is violated or the limit is reached."""
    wall_s = 0.0
    for seed in range(1, limit + 1):
        result = storm(bug, seed)
        wall_s += result.wall_s
        broken = violated_in(result.verdicts)
        if broken:
            violated = tuple(verdict.invariant for verdict in broken)
            first = found_first(result.verdicts)
            return Hunt(bug, first, seed, broken[0].first_us or 0, violated, seed, wall_s)
    return Hunt(bug, "", 0, 0, (), limit, wall_s)


def blinded(history: History, invariant: str) -> set[str]:
    """What is found violated when the checker of one invariant is left out."""
    court = Judge(history.header, [checker for checker in CHECKERS if checker.invariant != invariant])
    court.feed_all(history.events)
    return {verdict.invariant for verdict in violated_in(court.finish())}


def seen_without(bug: Bug, seeds: Sequence[int]) -> dict[str, bool]:
    """For each invariant, whether the bug is still found on these seeds when its checker is left out."""
    seen = {checker.invariant: False for checker in CHECKERS}
    for seed in seeds:
        history = storm(bug, seed).history
        for invariant, found in seen.items():
            if not found:
                seen[invariant] = bool(blinded(history, invariant))
    return seen
