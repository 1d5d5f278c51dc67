"""One seed, end to end: the file to read first.

Safety phase under faults, heal (verified), liveness phase with a deadline, quiet until past 24 h
24 min, final reads as each user would see them, then checkers and oracle. Nothing here knows what
the platform does inside; everything judged is in the history.
"""

from __future__ import annotations

import gc
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from time import perf_counter

from chaos.court import Court, RunResult
from chaos.final_reads import final_reads
from chaos.nemesis import Plan
from chaos.sim_world import SimWorld
from reference_platform import designs
from scenarios.model import Scenario
from sim.kernel import HarnessError
from sim.tripwire import Tripwire

__all__ = ["RunResult", "run"]


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
    # Nothing holds the world any more when `_judged` returns: the first collection frees it whole, and
    # no later one has to look at it again.
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
    world.history.end()
    return court.result(
        scenario,
        touched=world.nemesis.touched(),
        plan=world.nemesis.plan,
        orders=len(world.orders),
        settled=settled,
        wall_s=perf_counter() - began,
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
    skus = [product.sku for product in world.scenario.workload.products]
    reads = final_reads(world.orders, skus, world.network.link("users", "edge"), world.history)
    reading = kernel.spawn(reads, "final reads")
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
