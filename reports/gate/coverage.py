"""Whether the storms really blew: what ran to its end, what was touched, met and came due."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reports.gate.check import Check, Outcome
from reports.gate.checking import Known
from reports.gate.evidence import Cell, Evidence
from reports.gate.policy import ALL, LIBRARY, PRESENT, Policy


def check(policy: Policy, evidence: Evidence, known: Known) -> Iterator[Check]:
    """Runs of each scenario on each design, then situations and rules over all of them."""
    for design in policy.designs:
        cells = {cell.scenario: cell for cell in evidence.of(design)}
        wanted = _wanted(policy, known, cells)
        if not wanted:
            yield Check("runs", design, "inconclusive", "design_not_run", design=design)
        for scenario in dict.fromkeys([*wanted, *cells]):
            if scenario in cells:
                yield from _ran(cells[scenario])
                yield from _blew(cells[scenario])
            else:
                yield Check("runs", scenario, "inconclusive", "not_run", scenario=scenario, design=design)
        for name in policy.sometimes:
            met = sum(cell.met[name] for cell in cells.values())
            runs = sum(len(cell.runs) for cell in cells.values())
            yield _seen(name, "met", met, runs, design)
        for rule in known.rules if policy.due == ALL else policy.due:
            due = sum(cell.due[rule] for cell in cells.values())
            runs = sum(len(cell.runs) for cell in cells.values())
            yield _seen(rule, "due", due, runs, design)


def _wanted(policy: Policy, known: Known, present: dict[str, Cell]) -> list[str]:
    if policy.scenarios == LIBRARY:
        return list(known.library)
    return list(present) if policy.scenarios == PRESENT else list(policy.scenarios)


def _seen(name: str, how: str, count: int, runs: int, design: str, scenario: str = "") -> Check:
    words = how if count else f"never_{how}"
    data = {"count": count, "runs": runs}
    return Check("situations", name, "holds" if count else "inconclusive", words, data, scenario, design)


def _ran(cell: Cell) -> Iterator[Check]:
    """One check for each thing that is wrong with the runs themselves, or one that says that nothing is."""
    sound = True
    for seed, error in sorted(cell.broken.items())[:1]:
        last = error.strip().splitlines()[-1] if error.strip() else ""
        data = {"count": len(cell.broken), "seed": seed, "error": last}
        yield _of(cell, "broken", "broken", data, seed)
        sound = False
    for name, seed in sorted(cell.crashed.items()):
        yield _of(cell, "broken", "checker_crashed", {"checker": name, "seed": seed}, seed)
        sound = False
    for seed in sorted(cell.conflicts)[:1]:
        yield _of(cell, "broken", "differs", {"count": len(cell.conflicts), "seed": seed}, seed)
        sound = False
    if cell.missing:
        yield _of(cell, "inconclusive", "missing", {"count": len(cell.missing), "runs": len(cell.runs)})
        sound = False
    if sound:
        words = "ran_again" if cell.recovered else "ran"
        yield _of(cell, "holds", words, {"runs": len(cell.runs), "again": len(cell.recovered)})


def _of(cell: Cell, outcome: Outcome, words: str, data: dict[str, Any], seed: int | None = None) -> Check:
    replay = () if seed is None else (cell.token(seed),)
    return Check("runs", cell.scenario, outcome, words, data, cell.scenario, cell.design, replay)


def _blew(cell: Cell) -> Iterator[Check]:
    """Faults that touched nothing, and situations that the scenario is about and that never came."""
    if not cell.runs:
        return
    runs = len(cell.runs)
    for rule, count in cell.touched.items():
        yield _seen(rule, "touched", count, runs, cell.design, cell.scenario)
    for name in cell.own:
        yield _seen(name, "met", cell.met[name], runs, cell.design, cell.scenario)
