"""The nearest run that passes: the same case without its last fault, or on the strongest design."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chaos.replay import Case
from chaos.run import RunResult
from chaos.shrink.difference import steps_apart
from chaos.shrink.trials import Best
from reference_platform import designs

STRONGEST = designs.LADDER[-1]
_REMOVALS = 2


@dataclass(frozen=True)
class Nearest:
    """A neighbour in which nothing is violated. `site` is the blow it does without; empty for another design."""

    case: Case
    result: RunResult
    site: str


def on_strongest(best: Best) -> RunResult | None:
    """The same case on the strongest design; None if that is its own."""
    if best.case.design == STRONGEST:
        return None
    return replace(best.case, design=STRONGEST).run()


def nearest_passing(best: Best, strongest: RunResult | None) -> Nearest | None:
    """Of the neighbours that pass, the one that differs from the failing run in the fewest steps.

    Those are the case without one of its last faults (two runs at most), and the case on the strongest design.
    """
    case = best.case
    plan = case.plan or {}
    found = []
    for site in list(reversed(plan))[:_REMOVALS]:
        fewer = replace(case, plan={other: effect for other, effect in plan.items() if other != site})
        found.append(Nearest(fewer, fewer.run(), site))
    if strongest is not None:
        found.append(Nearest(replace(case, design=STRONGEST), strongest, ""))
    passing = [one for one in found if not one.result.violated]
    history = best.result.history
    return min(passing, key=lambda one: steps_apart(history, one.result.history), default=None)
