"""Runs candidates under a budget: none twice, and the smallest that fails in the same way is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from chaos.replay import Case
from chaos.run import RunResult
from chaos.shrink.signature import Signature
from scenarios.checking import problems


class OutOfBudget(Exception):
    """No run is left."""


@dataclass(frozen=True)
class Standing:
    """Where shrinking stands, for whoever watches."""

    runs: int
    budget: int
    faults: int
    orders: int
    doing: str


Watcher = Callable[[Standing], None]


@dataclass
class Best:
    """The smallest case so far that fails in the same way, and its run."""

    case: Case
    result: RunResult

    @property
    def faults(self) -> int:
        """Sites that are struck."""
        return len(self.case.plan or ())

    @property
    def orders(self) -> int:
        """Arrivals that come."""
        return len(arrivals(self.case))


def arrivals(case: Case) -> tuple[int, ...]:
    """The numbers of those who come."""
    return tuple(range(case.scenario.workload.orders)) if case.keep is None else case.keep


class Trials:
    """The laboratory: `better(candidate)` runs it and adopts it if the failure is still there."""

    def __init__(
        self, best: Best, signature: Signature, budget: int, watch: Watcher | None = None, runs: int = 1
    ) -> None:
        self.signature = signature
        self.runs = runs
        self.broken = 0
        self._budget = budget
        self._watch = watch
        self._doing = ""
        self._tried: dict[str, bool] = {}
        self._valid_at_first = not any(problems(best.case.scenario))
        self.best = best
        self._adopt(best.case, best.result)

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Name the pass, for whoever watches."""
        self._doing = what
        self._show()
        yield

    def better(self, candidate: Case) -> bool:
        """Whether the candidate fails in the same way; then it is the best from now on. Raises OutOfBudget."""
        key = candidate.key()
        if key in self._tried or (self._valid_at_first and any(problems(candidate.scenario))):
            return False  # what failed before is the best already, or was left behind by a better one
        if self.runs >= self._budget:
            raise OutOfBudget
        self.runs += 1
        result = self._run(candidate)
        same = result is not None and self.signature.verdict(result.verdicts) is not None
        self._tried[key] = same
        if result is not None and same:
            self._adopt(candidate, result)
        self._show()
        return same

    def _run(self, candidate: Case) -> RunResult | None:
        try:
            return candidate.run()
        except Exception:  # noqa: BLE001 - a cut that breaks the harness is no smaller failure; it is counted
            self.broken += 1
            return None

    def _adopt(self, case: Case, result: RunResult) -> None:
        """What struck is the plan from now on: sites that were not reached are gone, and that changes nothing."""
        case = replace(case, plan=dict(result.plan))
        self._tried[case.key()] = True
        self.best = Best(case, result)

    def _show(self) -> None:
        if self._watch is not None:
            best = self.best
            self._watch(Standing(self.runs, self._budget, best.faults, best.orders, self._doing))
