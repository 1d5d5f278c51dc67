"""The court: a history goes in, and the result of the run comes out.

It does not know which world the history is from, so both are judged by the same people.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from chaos.checkers.i30_compensation_exact import CompensationExact
from chaos.checkers.judge import Judge
from chaos.checkers.verdict import Verdict
from chaos.history import Header, History
from chaos.measures import Measures, measure
from chaos.nemesis import Plan
from chaos.oracle.audit import Audit
from chaos.results import SIM
from chaos.situations import Situations
from scenarios.model import Scenario
from sim.kernel import HarnessError

SLICE_US = 30_000_000
"""How much virtual time passes between looks at what has happened."""
FOREVER_US = 1 << 62


@dataclass(frozen=True, slots=True)
class RunResult:
    """What one run came to. `touched` counts, for each fault rule, what it really hit."""

    scenario: Scenario
    header: Header
    history: History
    verdicts: list[Verdict]
    audit: Audit
    met: list[str]
    touched: dict[str, int]
    plan: Plan
    digest: str
    orders: int
    settled: bool
    wall_s: float
    measures: Measures = field(default_factory=Measures)
    keep: tuple[int, ...] | None = None
    world: str = SIM

    @property
    def violated(self) -> list[str]:
        """Invariants that were broken."""
        return [verdict.invariant for verdict in self.verdicts if verdict.outcome == "violated"]


class Court:
    """Judge and situations, fed with what the history has got since they last looked.

    They look once, at the end, unless something hangs on it earlier: whether to stop, or memory.
    """

    def __init__(self, history: History, *, stop_first: bool = False, keep_history: bool = True) -> None:
        self._history = history
        self._stop_first = stop_first
        self._keep_history = keep_history
        self.slice_us = SLICE_US if stop_first or not keep_history else FOREVER_US
        self._seen = 0
        self._judge = Judge(history.header)
        self.situations = Situations(history.header)

    def look(self) -> None:
        """Take in what is new."""
        news = self._history.events[self._seen :] if self._seen else self._history.events
        self._seen = len(self._history.events)
        self._judge.feed_all(news)
        self.situations.feed_all(news)
        if not self._keep_history:
            self._history.let_go()
            self._seen = 0

    def has_seen_enough(self) -> bool:
        """Whether the run may stop: it was asked to at the first violation, and there is one."""
        if self.slice_us < FOREVER_US:
            self.look()
        return self._stop_first and self._judge.first_violation is not None

    def finish(self) -> list[Verdict]:
        """The verdicts over the whole history."""
        self.look()
        return self._judge.finish()

    def result(
        self,
        scenario: Scenario,
        *,
        touched: dict[str, int],
        plan: Plan,
        orders: int,
        settled: bool,
        wall_s: float,
        keep: tuple[int, ...] | None = None,
        world: str = SIM,
    ) -> RunResult:
        """Judge what is left, and sum up."""
        history = self._history
        return RunResult(
            scenario=scenario,
            header=history.header,
            history=history,
            verdicts=self.finish(),
            audit=self.audit,
            met=self.situations.met(),
            touched=touched,
            plan=plan,
            digest=history.digest(),
            orders=orders,
            settled=settled,
            wall_s=wall_s,
            measures=self.measures(),
            keep=keep,
            world=world,
        )

    def measures(self) -> Measures:
        """What the run took, in time and money."""
        return measure(self._judge.books)

    @property
    def audit(self) -> Audit:
        """The oracle's account of compensations, once finished."""
        for checker in self._judge.checkers:
            if isinstance(checker, CompensationExact) and checker.audit is not None:
                return checker.audit
        raise HarnessError("the oracle gave no account")
