"""Shrinks a failing case: passes from the biggest cuts to the smallest, again until nothing more goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chaos.interrupts import hush
from chaos.replay import Case
from chaos.shrink.blows import drop_blows, merge, simplify, soften, tidy
from chaos.shrink.cast import drop_orders, leap, renumber
from chaos.shrink.setting import plainer, smaller, truncate
from chaos.shrink.signature import Signature
from chaos.shrink.trials import Best, OutOfBudget, Trials, Watcher

BUDGET = 100
_TOLD_AFTERWARDS = 3
"""Runs set aside for the neighbours that pass: see `nearest.py`."""

PASSES: tuple[tuple[str, Callable[[Trials], None]], ...] = (
    ("orders", leap),
    ("faults", drop_blows),
    ("faults", merge),
    ("orders", drop_orders),
    ("rules", tidy),
    ("settings", plainer),
    ("members", renumber),
    ("time", truncate),
    ("kinds of fault", simplify),
    ("amounts", soften),
    ("quantities", smaller),
)
"""What is tried, in this order: what makes every later run cheaper comes first."""


@dataclass(frozen=True)
class Shrunk:
    """What a case came down to. `fixpoint`: nothing more goes; else the budget or patience ended."""

    before: Best
    after: Best
    signature: Signature
    runs: int
    broken: int
    fixpoint: bool
    interrupted: bool


def shrink(case: Case, *, budget: int = BUDGET, invariant: str = "", watch: Watcher | None = None) -> Shrunk:
    """Reduce a case that fails within so many runs. Raises NothingToShrink when it does not fail.

    Always the same for the same case and budget. An interrupt ends it early and keeps the best so far.
    """
    before = Best(case, case.run())
    signature = Signature.of(before.result.verdicts, invariant)
    trials = Trials(before, signature, budget - _TOLD_AFTERWARDS, watch)
    before = trials.best
    fixpoint, interrupted = False, False
    try:
        while not fixpoint:
            fixpoint = not _round(trials)
        tidy(trials)
    except OutOfBudget:
        pass
    except KeyboardInterrupt:
        hush()
        interrupted = True
    return Shrunk(before, trials.best, signature, trials.runs, trials.broken, fixpoint, interrupted)


def _round(trials: Trials) -> bool:
    """Every pass once; whether anything went."""
    at_first = trials.best
    for name, reduce in PASSES:
        with trials.doing(name):
            reduce(trials)
    return trials.best is not at_first
