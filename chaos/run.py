"""One seed, end to end: the file to read first.

Safety phase under faults, heal (verified), liveness phase with a deadline, quiet until past 24 h
24 min, final reads as each user would see them, then checkers and oracle. Nothing here knows what
the platform does inside; everything judged is in the history.
"""

from __future__ import annotations

import gc
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from chaos.checkers.i30_compensation_exact import CompensationExact
from chaos.checkers.judge import Judge
from chaos.checkers.verdict import Verdict
from chaos.history import Header, History
from chaos.measures import Measures, measure
from chaos.nemesis import Plan
from chaos.oracle.audit import Audit
from chaos.sim_world import SimWorld
from chaos.situations import Situations
from reference_platform import designs
from reference_platform.ports import Request, Response
from scenarios.model import Scenario
from sim.kernel import HarnessError
from sim.tripwire import Tripwire

READ_TIMEOUT_US = 10_000_000
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

    @property
    def violated(self) -> list[str]:
        """Invariants that were broken."""
        return [verdict.invariant for verdict in self.verdicts if verdict.outcome == "violated"]


def run(
    scenario: Scenario,
    design: str,
    seed: int,
    *,
    plan: Plan | None = None,
    keep: Sequence[int] | None = None,
    stop_first: bool = False,
    keep_history: bool = True,
) -> RunResult:
    """Put one design through one storm and judge it.

    The same arguments give the same history, byte for byte, in any process. With `plan` nothing is
    drawn, the faults are as given; with `keep` only the arrivals of these numbers come, each as it
    was among all. With `stop_first` the run ends soon after the first violation of an invariant that
    is judged as it goes. Without `keep_history` events are judged and dropped as the run goes on: for
    bulk, where only the verdicts and the digest, which are the same, are wanted.
    """
    # The world is gone when `_judged` returns, so collection begins again with next to nothing to look at.
    with _no_collection(), Tripwire():
        return _judged(scenario, design, seed, plan, keep, stop_first=stop_first, keep_history=keep_history)


def _judged(
    scenario: Scenario,
    design: str,
    seed: int,
    plan: Plan | None,
    keep: Sequence[int] | None,
    *,
    stop_first: bool,
    keep_history: bool,
) -> RunResult:
    began = perf_counter()
    world = SimWorld(scenario, designs.load(design), seed, plan, keep=keep)
    court = Court(world.history, stop_first=stop_first, keep_history=keep_history)
    try:
        settled = _storm(world, court)
    except BaseException:  # an interrupt leaves coroutines that nobody will ever start
        world.kernel.close()
        raise
    history = world.history
    return RunResult(
        scenario=scenario,
        header=history.header,
        history=history,
        verdicts=court.finish(),
        audit=court.audit,
        met=court.situations.met(),
        touched=world.nemesis.touched(),
        plan=world.nemesis.plan,
        digest=history.digest(),
        orders=len(world.orders),
        settled=settled,
        wall_s=perf_counter() - began,
        measures=court.measures(),
        keep=None if keep is None else tuple(keep),
    )


def _storm(world: SimWorld, court: Court) -> bool:
    """The phases of a run. True when everything settled by itself before the end."""
    kernel = world.kernel
    while kernel.now < world.heal_us:
        kernel.run_until(min(kernel.now + court.slice_us, world.heal_us))
        if court.has_seen_enough():
            return False
    world.nemesis.heal()
    if wrong := world.faults.unhealed():
        raise HarnessError(f"the world did not heal: {'; '.join(wrong)}")
    settled = _settle(world, court, world.end_us)
    if kernel.now < world.end_us:
        kernel.skip_to(world.end_us)
    reading = kernel.spawn(_final_reads(world), "final reads")
    _settle(world, court, world.end_us + world.reading_us())
    if not reading.done:
        raise HarnessError("the final reads did not come to their end")
    return settled


def _settle(world: SimWorld, court: Court, limit_us: int) -> bool:
    """Let the world run until nothing is pending, or to the limit. True when nothing is pending."""
    kernel = world.kernel
    while not kernel.run_until_idle(min(kernel.now + court.slice_us, limit_us)):
        if kernel.now >= limit_us:
            return False
        court.look()
    return True


async def _final_reads(world: SimWorld) -> None:
    """Every order, wallet, membership and product, as its user would read it now."""
    for order_id, user in world.orders.items():
        await _read(world, "order", order_id, user, "view_order", {"order_id": order_id})
    for user in sorted(set(world.orders.values())):
        await _read(world, "wallet", user, user, "view_wallet", {})
        await _read(world, "membership", user, user, "view_membership", {})
    for product in world.scenario.workload.products:
        await _read(world, "product", product.sku, "reader", "view_product", {"sku": product.sku})


async def _read(
    world: SimWorld, subject: str, key: str, user: str, action: str, args: dict[str, str]
) -> None:
    outcome = await world.network.call(
        "users", "edge", Request(action, user, args), READ_TIMEOUT_US, ("read", key)
    )
    answered = isinstance(outcome, Response) and outcome.status < 300
    world.history.read(subject, key, outcome.body if answered else {"error": str(outcome)})


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


@contextmanager
def _no_collection() -> Generator[None]:
    """A run makes few cycles and lives shortly: looking for garbage in it costs more than it gives."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
