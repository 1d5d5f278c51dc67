"""A hunt: storms drawn from the whole vocabulary against one design, until something breaks or the budget is spent.

It is a campaign like any other, over one scenario (`chaos/pool.yaml`) whose every seed is another storm. So it keeps
failures, survives kill -9 and spreads over workers in the same way; only what it tells is its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.campaign import Order, Watcher, conduct
from chaos.engines import LOCAL
from chaos.finds import Hunted, finds
from chaos.results import Results
from chaos.swarm import Hunter, pool

RUNS = 10_000
"""Storms, when neither their number nor a time is given."""

_RUNS_A_MINUTE = 60_000
"""More than a machine makes: a hunt by time must not end for want of seeds."""


@dataclass(frozen=True)
class Budget:
    """Where a hunt ends. Storms begin at `first`; `all` goes on after the first violation."""

    first: int = 1
    runs: int | None = None
    minutes: float | None = None
    all: bool = False

    def seeds(self) -> range:
        """The seeds that may be run."""
        runs = self.runs or (RUNS if self.minutes is None else max(1, int(_RUNS_A_MINUTE * self.minutes)))
        return range(self.first, self.first + runs)


def hunt(
    design: str,
    budget: Budget,
    out: Path,
    *,
    only: Sequence[str] = (),
    jobs: int = 1,
    engine: str = LOCAL,
    command: str = "",
    watch: Watcher | None = None,
) -> Hunted:
    """Hunt `design` until the budget is spent. With `only`, no other invariants count. Raises as `conduct` does."""
    order = Order(
        [pool()],
        [design],
        budget.seeds(),
        Hunter(tuple(only)),
        out,
        jobs,
        None if budget.all else 1,
        command,
        engine,
        seconds=None if budget.minutes is None else 60 * budget.minutes,
    )
    campaign = conduct(order, watch)
    results = Results(out)
    seeds = {run.seed for run in results.runs()}
    missing = (seed for seed in budget.seeds() if seed not in seeds)
    return Hunted(campaign, finds(results), len(seeds), next(missing, budget.seeds().stop))
