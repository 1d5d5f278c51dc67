"""Candidate against baseline, by paired seeds: the same users in the same storm, so only the code differs.

Two voices must agree before anything is called worse: significance (could it be chance?) and effect (does it
matter?). Rates are compared by McNemar's test in its exact form, times and money by Wilcoxon's signed ranks;
with some hundred comparisons at once, false alarms are held down over all of them (Benjamini and Hochberg).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scipy.stats import binomtest, false_discovery_control, wilcoxon

from reports.gate.check import Check
from reports.gate.checking import Known
from reports.gate.evidence import Cell, Evidence, Seen
from reports.gate.policy import ALL, Baseline, Policy

Pairs = list[tuple[int, Seen, Seen]]
"""Seed, candidate, baseline."""


@dataclass(frozen=True)
class _Compared:
    """One comparison before the alarms of all are weighed together. `effect`: by how much the candidate is worse."""

    cell: Cell
    name: str
    words: str
    p: float
    effect: float
    least: float
    seed: int
    """The run that got worse the most."""
    data: dict[str, Any]


def check(policy: Policy, candidate: Evidence, baseline: Evidence | None, known: Known) -> Iterator[Check]:
    """Every comparison that the seeds in common allow; what cannot be compared is said."""
    if baseline is None:
        if policy.baseline.required:
            yield Check("baseline", "baseline", "inconclusive", "no_baseline")
        return
    compared: list[_Compared] = []
    for design, demand in policy.designs.items():
        names = known.claims if demand.holds == ALL else demand.holds
        for cell in candidate.of(design):
            other = baseline.cells.get((cell.scenario, design))
            pairs = [] if other is None else _pairs(cell, other)
            data: dict[str, Any] = {"pairs": len(pairs), "needed": policy.baseline.pairs}
            same = baseline.scenarios.get(cell.scenario) == candidate.scenarios[cell.scenario]
            if other is not None and not same:
                yield _unfit(cell, "scenario_changed", data)
            elif len(pairs) < policy.baseline.pairs:
                yield _unfit(cell, "few_pairs", data)
            else:
                compared += _rates(cell, pairs, names, policy.baseline)
                compared += _measures(cell, pairs, policy.baseline)
    yield from _weighed(compared, policy.baseline.significance)


def _pairs(cell: Cell, other: Cell) -> Pairs:
    return [(seed, seen, other.runs[seed]) for seed, seen in sorted(cell.runs.items()) if seed in other.runs]


def _unfit(cell: Cell, words: str, data: dict[str, Any]) -> Check:
    return Check("baseline", cell.scenario, "inconclusive", words, data, cell.scenario, cell.design)


def _rates(cell: Cell, pairs: Pairs, names: Any, demand: Baseline) -> Iterator[_Compared]:
    """Claims that came out differently for some seed; the others have nothing to compare."""
    for name in names:
        worse = [seed for seed, new, old in pairs if name in new.violated and name not in old.violated]
        better = sum(name in old.violated and name not in new.violated for _, new, old in pairs)
        if not worse and not better:
            continue
        p = float(binomtest(len(worse), len(worse) + better, alternative="greater").pvalue)
        effect = (len(worse) - better) / len(pairs)
        data = {"worse": len(worse), "better": better, "pairs": len(pairs)}
        seed = worse[0] if worse else pairs[0][0]
        yield _Compared(cell, name, "rate", p, effect, demand.violation_rate, seed, data)


def _measures(cell: Cell, pairs: Pairs, demand: Baseline) -> Iterator[_Compared]:
    for name in ("click_to_card", "time_to_settle", "money_at_risk", "compensation"):
        both = [(seed, getattr(new.took, name), getattr(old.took, name)) for seed, new, old in pairs]
        seeds = {seed: (new, old) for seed, new, old in both if new is not None and old is not None}
        if len(seeds) < demand.pairs:
            continue
        values = list(seeds.values())
        most = max(seeds, key=lambda seed: seeds[seed][0] - seeds[seed][1])
        new_mean = sum(new for new, _ in values) / len(values)
        old_mean = sum(old for _, old in values) / len(values)
        # From nothing to something is more than any share.
        effect = (new_mean - old_mean) / old_mean if old_mean > 0 else float(new_mean > old_mean) * 1e9
        words, unit = ("times", "us") if name in ("click_to_card", "time_to_settle") else ("fen", "fen")
        data = {f"new_{unit}": round(new_mean), f"old_{unit}": round(old_mean), "pairs": len(values)}
        yield _Compared(cell, name, words, _signed_ranks(values), effect, getattr(demand, name), most, data)


def _signed_ranks(values: list[tuple[int, int]]) -> float:
    """The chance of as much worse by luck. Equal pairs say nothing of a direction and are left out."""
    changes = [new - old for new, old in values if new != old]
    if not changes:
        return 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # scipy's note that a few pairs make a coarse p-value
        return float(wilcoxon(changes, alternative="greater").pvalue)


def _weighed(compared: list[_Compared], significance: float) -> Iterator[Check]:
    if not compared:
        return
    adjusted = false_discovery_control([one.p for one in compared], method="bh")
    for one, p in zip(compared, adjusted, strict=True):
        significant, matters = float(p) < significance, one.effect > 0 and one.effect >= one.least
        worse = significant and matters
        data = {**one.data, "p": float(p), "effect": min(one.effect, 1e9), "least": one.least}
        words = f"{one.words}_worse" if worse else f"{one.words}_no_worse"
        outcome: Any = "violated" if worse else "holds"
        replay = (one.cell.token(one.seed),) if worse else ()
        yield Check("baseline", one.name, outcome, words, data, one.cell.scenario, one.cell.design, replay)
