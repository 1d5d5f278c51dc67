"""One seed, end to end: the file to read first.

Safety phase under faults, heal (verified), liveness phase with a deadline, quiet until past 24 h
24 min, final reads as each user would see them, then checkers and oracle. Nothing here knows what
the platform does inside; everything judged is in the history.
"""

from __future__ import annotations

import gc
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

from chaos.checkers.i30_compensation_exact import CompensationExact
from chaos.checkers.judge import Judge
from chaos.checkers.verdict import Verdict
from chaos.history import Header, History
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


@dataclass(frozen=True, slots=True)
class RunResult:
    """What one run came to. `touched` counts, for each fault rule, what it really hit."""

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
) -> RunResult:
    """Put one design through one storm and judge it.

    The same arguments give the same history, byte for byte, in any process. With `plan` nothing is
    drawn, the faults are as given; with `keep` only the arrivals of these numbers come, each as it
    was among all. With `stop_first` the run ends soon after the first violation of an invariant that
    is judged as it goes.
    """
    began = perf_counter()
    with _no_collection(), Tripwire():
        world = SimWorld(scenario, designs.load(design), seed, plan, keep=keep)
        court = Court(world.history)
        try:
            settled = _storm(world, court, stop_first)
        except BaseException:  # an interrupt leaves coroutines that nobody will ever start
            world.kernel.close()
            raise
        verdicts = court.finish()
    history = world.history
    return RunResult(
        header=history.header,
        history=history,
        verdicts=verdicts,
        audit=court.audit,
        met=court.situations.met(),
        touched=world.nemesis.touched(),
        plan=world.nemesis.plan,
        digest=history.digest(),
        orders=len(world.orders),
        settled=settled,
        wall_s=perf_counter() - began,
        keep=None if keep is None else tuple(keep),
    )


def _storm(world: SimWorld, court: Court, stop_first: bool) -> bool:
    """The phases of a run. True when everything settled by itself before the end."""
    kernel = world.kernel
    while kernel.now < world.heal_us:
        kernel.run_until(min(kernel.now + SLICE_US, world.heal_us) if stop_first else world.heal_us)
        if stop_first and court.violated():
            return False
    world.nemesis.heal()
    if wrong := world.faults.unhealed():
        raise HarnessError(f"the world did not heal: {'; '.join(wrong)}")
    settled = kernel.run_until_idle(world.end_us)
    if kernel.now < world.end_us:
        kernel.skip_to(world.end_us)
    reading = kernel.spawn(_final_reads(world), "final reads")
    kernel.run_until_idle(world.end_us + world.reading_us())
    if not reading.done:
        raise HarnessError("the final reads did not come to their end")
    return settled


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
    """Judge and situations, fed with what the history has got since they last looked."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._seen = 0
        self._judge = Judge(history.header)
        self.situations = Situations(history.header)

    def _look(self) -> None:
        news = self._history.events[self._seen :] if self._seen else self._history.events
        self._seen = len(self._history.events)
        self._judge.feed_all(news)
        self.situations.feed_all(news)

    def violated(self) -> bool:
        """Whether an invariant is known to be broken already."""
        self._look()
        return self._judge.first_violation is not None

    def finish(self) -> list[Verdict]:
        """The verdicts over the whole history."""
        self._look()
        return self._judge.finish()

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
