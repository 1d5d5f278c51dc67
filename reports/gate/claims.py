"""Invariants and rules: held or violated, how often, and whether so many runs suffice to say so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reports.gate.check import Check, Outcome
from reports.gate.checking import Known
from reports.gate.evidence import Cell, Evidence
from reports.gate.policy import ALL, Demand, Policy, Tolerance
from reports.gate.strength import bounds, needed, outcome

_TOLERATED = {
    "tolerated": "tolerated",
    "violated": "tolerated_too_often",
    "inconclusive": "tolerated_unproven",
}


def check(policy: Policy, evidence: Evidence, known: Known) -> Iterator[Check]:
    """A check for each claim in each scenario on each design; then the pooled rates, if the policy pools."""
    for design, demand in policy.designs.items():
        names = known.claims if demand.holds == ALL else demand.holds
        cells = [cell for cell in evidence.of(design) if cell.runs or cell.saved]
        for cell in cells:
            for name in names:
                yield _one(policy, cell, name, _tolerance(demand, cell, name), known)
        if policy.violation_rate is not None and policy.violation_rate.over == "design":
            for name in names:
                clean = [cell for cell in cells if _tolerance(demand, cell, name) is None]
                yield from _pooled(policy, design, name, policy.violation_rate.below, clean)


def _tolerance(demand: Demand, cell: Cell, name: str) -> Tolerance | None:
    """The exception that concerns this claim here; one for this scenario goes before one for all."""
    fitting = [t for t in demand.tolerated if t.name == name and t.scenario in (None, cell.scenario)]
    return max(fitting, key=lambda tolerance: tolerance.scenario is not None, default=None)


def _one(policy: Policy, cell: Cell, name: str, tolerance: Tolerance | None, known: Known) -> Check:
    runs, failed, doubtful = len(cell.runs), cell.violated[name], cell.undecided[name]
    data: dict[str, Any] = {"failed": failed, "doubtful": doubtful, "runs": runs}
    if failed or name in cell.saved:
        return _violated(policy, cell, name, tolerance, known)
    if doubtful:
        return Check("holds", name, "inconclusive", "undecided", data, cell.scenario, cell.design)
    if runs == 0:
        return Check("holds", name, "inconclusive", "no_runs", data, cell.scenario, cell.design)
    rate = policy.violation_rate
    data |= {"high": bounds(0, runs, policy.confidence).high, "confidence": policy.confidence}
    if rate is not None and rate.over == "scenario" and tolerance is None:
        data |= {"below": rate.below, "needed": needed(0, rate.below, policy.confidence)}
        if runs < data["needed"]:
            return Check("holds", name, "inconclusive", "too_few", data, cell.scenario, cell.design)
    words = "clean" if name not in known.rules or cell.due[name] else "never_due_here"
    return Check("holds", name, "holds", words, data, cell.scenario, cell.design)


def _violated(policy: Policy, cell: Cell, name: str, tolerance: Tolerance | None, known: Known) -> Check:
    runs, failed, doubtful = len(cell.runs), cell.violated[name], cell.undecided[name]
    found = bounds(failed, runs, policy.confidence)
    data: dict[str, Any] = {"failed": failed, "runs": runs, "low": found.low, "high": found.high}
    data["confidence"] = policy.confidence
    stands: Outcome = "violated"
    words = "violated" if failed else "violated_by_saved"
    if tolerance is not None:
        data |= {"below": tolerance.below, "why": tolerance.why}
        stands = "tolerated"
        if tolerance.below < 1:
            judged = outcome(failed, doubtful, runs, tolerance.below, policy.confidence)
            stands = "tolerated" if judged == "holds" else judged
        words = _TOLERATED[stands]
    seed = cell.first_seed.get(name)
    kept = str(cell.kept.get(name, ""))
    token = cell.saved[name] if seed is None else cell.token(seed)
    if seed is not None and cell.scenario not in known.library and not cell.file and kept:
        token = kept  # a scenario that is in no file has no name that `replay` knows
    return Check(
        "holds", name, stands, words, data, cell.scenario, cell.design, (token,), cell.amounts_fen[name], kept
    )


def _pooled(policy: Policy, design: str, name: str, below: float, cells: list[Cell]) -> Iterator[Check]:
    """Clean runs of a design counted together. What is violated or undecided somewhere is told there."""
    if any(cell.violated[name] or cell.undecided[name] or name in cell.saved for cell in cells):
        return
    runs = sum(len(cell.runs) for cell in cells)
    data: dict[str, Any] = {"runs": runs, "below": below, "needed": needed(0, below, policy.confidence)}
    data |= {"high": bounds(0, runs, policy.confidence).high, "confidence": policy.confidence}
    enough = runs >= data["needed"]
    yield Check(
        "rate",
        name,
        "holds" if enough else "inconclusive",
        "clean" if enough else "too_few",
        data,
        design=design,
    )
