"""The limit of a single run, and what becomes of a limit that the caller had set by the same timer."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from chaos import worker
from chaos.run import run
from chaos.worker import run_one
from scenarios.model import Scenario
from tests.chaos.worlds import storm


class TheirTimeIsUp(BaseException):
    """What the caller's own limit raises."""


@contextmanager
def their_limit(seconds: float) -> Iterator[None]:
    """A limit as pytest-timeout sets one."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise TheirTimeIsUp

    previous = signal.signal(signal.SIGALRM, end)
    earlier = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *earlier)
        signal.signal(signal.SIGALRM, previous)


def endless(_scenario: Scenario, _design: str, _seed: int) -> Any:
    while True:
        sum(range(1000))


def test_a_run_leaves_the_callers_limit_in_force_with_the_time_that_is_left() -> None:
    """A limit of 1000 s is still there after the run, a little shorter, and with its own handler."""
    with their_limit(1000):
        handler = signal.getsignal(signal.SIGALRM)
        _, told = run_one(run, storm(orders=2), "resilient", 1)
        assert told.outcome == "holds"
        left_s, _ = signal.getitimer(signal.ITIMER_REAL)
        assert 0 < left_s < 1000
        assert signal.getsignal(signal.SIGALRM) is handler


def test_a_hung_run_costs_the_caller_only_the_time_that_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run's own limit of 0.2 s ends it; of the caller's 1000 s the rest goes on."""
    monkeypatch.setattr(worker, "RUN_LIMIT_S", 0.2)
    monkeypatch.setattr(worker, "ORDER_LIMIT_S", 0.0)
    with their_limit(1000):
        _, told = run_one(endless, storm(), "resilient", 1)
        assert "RunHung" in told.error
        left_s, _ = signal.getitimer(signal.ITIMER_REAL)
        assert 0 < left_s <= 999.8


def test_the_callers_limit_ends_a_run_if_it_ends_sooner() -> None:
    """Whoever allows 0.2 s must not wait for a run's own minute."""
    with their_limit(0.2), pytest.raises(TheirTimeIsUp):
        run_one(endless, storm(), "resilient", 1)


def test_without_a_limit_of_the_callers_none_is_left_behind() -> None:
    """A campaign's parent goes on without an alarm."""
    with their_limit(0):
        run_one(run, storm(orders=2), "resilient", 1)
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
