"""A person's own phone acts out what becomes of a request; the person learns no more than in the simulated world."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.live.struck import Outcome, send
from chaos.messages import Fate
from reference_platform.ports import Response
from sim.kernel import Kernel, sleep
from sim.network import Refused, Unknown

TIMEOUT_US = 10_000
GOOD = Response(200)


class Way:
    """Where requests go: each takes `takes_us` and comes to the next of `outcomes`."""

    def __init__(self, *outcomes: Outcome, takes_us: int = 10) -> None:
        self.kernel = Kernel()
        self.arrived: list[int] = []
        self._outcomes = list(outcomes)
        self._takes_us = takes_us

    async def exchange(self) -> Outcome:
        self.arrived.append(self.kernel.now)
        outcome = self._outcomes.pop(0)
        await sleep(self._takes_us)
        return outcome

    def told(self, fate: Fate | None) -> tuple[Outcome, int]:
        """What the sender learns, and when."""
        heard: list[tuple[Any, int]] = []

        async def ask() -> None:
            heard.append((await send(self.kernel, self.exchange, TIMEOUT_US, fate), self.kernel.now))

        self.kernel.spawn(ask(), "person")
        self.kernel.run_until(10 * TIMEOUT_US)
        (one,) = heard
        return one


def test_a_request_that_is_spared_goes_its_way() -> None:
    """Once, at once, to its outcome."""
    way = Way(GOOD)
    assert way.told(None) == (GOOD, 10)
    assert way.arrived == [0]


def test_a_lost_request_never_arrives_and_its_time_runs_out() -> None:
    """Nobody tells that it is lost."""
    way = Way()
    assert way.told(Fate((), answered=False)) == (Unknown("timeout"), TIMEOUT_US)
    assert way.arrived == []


@pytest.mark.parametrize("outcome", [GOOD, Refused("nobody")])
def test_a_request_whose_answer_is_lost_has_its_effect(outcome: Outcome) -> None:
    """Whatever came of it, not even a refusal is heard."""
    way = Way(outcome)
    assert way.told(Fate((0,), answered=False)) == (Unknown("timeout"), TIMEOUT_US)
    assert way.arrived == [0]


def test_of_a_doubled_request_the_first_answer_counts() -> None:
    """Both arrive, and a person hears once."""
    way = Way(GOOD, Response(409))
    assert way.told(Fate((0, 5), answered=True)) == (GOOD, 10)
    assert way.arrived == [0, 5]


def test_a_copy_may_answer_for_the_original_but_not_fail_for_it() -> None:
    """As in the simulated world: a failure of the original is heard, one of a copy is not."""
    failing = Way(Refused("nobody"), GOOD)
    assert failing.told(Fate((0, 5), answered=True)) == (Refused("nobody"), 10)
    overtaken = Way(Refused("nobody"), GOOD)
    assert overtaken.told(Fate((50, 0), answered=True)) == (GOOD, 60)


def test_a_request_held_back_longer_than_anybody_waits_arrives_all_the_same() -> None:
    """It is under way, and nobody can call it back."""
    way = Way(GOOD)
    assert way.told(Fate((TIMEOUT_US + 7,), answered=True)) == (Unknown("timeout"), TIMEOUT_US)
    assert way.arrived == [TIMEOUT_US + 7]
