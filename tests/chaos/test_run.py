"""One seed, end to end: what a run owes its caller whatever it is asked to keep."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from chaos import court
from chaos import run as run_module
from chaos.run import RunResult, run
from chaos.sim_world import SimWorld
from scenarios.loading import load
from sim.kernel import Kernel

STORMS = [("calm_trade", "resilient"), ("callback_doubled", "naive"), ("partition_to_channel", "resilient")]


def told(result: RunResult) -> tuple[object, ...]:
    """All that a run is judged by."""
    return result.digest, result.verdicts, result.met, result.touched, result.settled, result.audit


@pytest.mark.parametrize(("storm", "design"), STORMS)
def test_a_run_that_drops_its_history_comes_to_the_same(
    storm: str, design: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same digest, verdicts, situations and audit, however often events are judged and dropped."""
    scenario = load(storm)
    kept = run(scenario, design, 3)
    for slice_us in (200_000, court.SLICE_US):
        monkeypatch.setattr(court, "SLICE_US", slice_us)
        dropped = run(scenario, design, 3, keep_history=False)
        assert told(dropped) == told(kept)
        assert dropped.history.events == []
        assert dropped.history.count == kept.history.count == len(kept.history.events) > 0
        assert dropped.history.header == kept.history.header


def test_a_history_let_go_in_parts_has_the_digest_of_the_whole() -> None:
    """Also in the middle, and when nothing was added since."""
    whole = run(load("calm_trade"), "naive", 1).history
    events, digest = list(whole.events), whole.digest()
    whole.events[:] = events[:10]
    partly = whole.digest()
    whole.let_go()
    whole.let_go()
    assert whole.digest() == partly != digest
    whole.events.extend(events[10:])
    assert (whole.digest(), whole.count) == (digest, len(events))


def test_a_run_can_stop_at_the_first_violation() -> None:
    """It ends early, with the violation found, and asks for nothing that comes after the storm."""
    scenario = load("callback_doubled")
    whole = run(scenario, "naive", 3)
    stopped = run(scenario, "naive", 3, stop_first=True)
    assert whole.violated
    assert stopped.violated
    assert stopped.history.count < whole.history.count
    assert stopped.history.events == whole.history.events[: stopped.history.count]


@pytest.mark.parametrize("storm", ["calm_trade", "database_failover"])
def test_a_result_does_not_keep_the_world_alive(storm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Worlds are large and thousands of results may be kept; with rules that wait for events as without."""
    kernels: list[weakref.ref[Kernel]] = []

    class Noted(SimWorld):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            kernels.append(weakref.ref(self.kernel))

    monkeypatch.setattr(run_module, "SimWorld", Noted)
    result = run(load(storm), "resilient", 1)
    gc.collect()
    assert result.history.events
    assert [kernel() for kernel in kernels] == [None]
