"""Messages that come in: dealt with as their fate says, and not at all once the part has ended."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos.live.arrivals import Arrivals, Reply
from chaos.live.clock import SharedClock
from chaos.live.conductor import Conductor
from chaos.live.timers import AsyncTimers, run
from chaos.messages import Fate
from reference_platform.ports import Response
from tests.chaos.live.hosts import HOUR_US


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[SharedClock]:
    clock = SharedClock.create(tmp_path / "clock", 2)
    yield clock
    clock.close()


class Part:
    """What it takes, and when; it answers with how often it has taken."""

    def __init__(self, timers: AsyncTimers) -> None:
        self.timers = timers
        self.arrivals = Arrivals(timers, {})
        self.taken_us: list[int] = []

    def take(self, heard: Reply | None) -> None:
        self.taken_us.append(self.timers.now)
        if heard is not None:
            heard(Response(200, {"taken": len(self.taken_us)}))


def _run(clock: SharedClock, main: Callable[[Part], Coroutine[Any, Any, None]]) -> None:
    """Hours pass in a moment."""

    async def whole(timers: AsyncTimers) -> None:
        await main(Part(timers))

    with Conductor(clock):
        run(clock, clock.slot("mine"), whole)


def test_a_message_that_is_spared_is_taken_at_once(clock: SharedClock) -> None:
    """And answered, as soon as the part answers."""

    async def main(part: Part) -> None:
        assert part.arrivals.arrive(part.take, None).result().status == 200

    _run(clock, main)


def test_of_a_doubled_message_the_first_answer_is_sent(clock: SharedClock) -> None:
    """The second has nobody to hear it, nor has one whose caller gave up."""

    async def main(part: Part) -> None:
        answer = part.arrivals.arrive(part.take, Fate((0, HOUR_US), answered=True))
        assert (await answer).body == {"taken": 1}
        given_up = part.arrivals.arrive(part.take, Fate((HOUR_US,), answered=True))
        given_up.cancel()
        await part.timers.sleep(2 * HOUR_US)
        assert len(part.taken_us) == 3

    _run(clock, main)


@pytest.mark.parametrize(("fate", "taken"), [(Fate((), answered=False), 0), (Fate((0,), answered=False), 1)])
def test_a_lost_message_is_never_answered(clock: SharedClock, fate: Fate, taken: int) -> None:
    """Lost before its effect or after it: the caller waits for ever."""

    async def main(part: Part) -> None:
        answer = part.arrivals.arrive(part.take, fate)
        await part.timers.sleep(HOUR_US)
        assert not answer.done()
        assert len(part.taken_us) == taken
        answer.cancel()

    _run(clock, main)


def test_what_is_held_back_is_taken_late_and_after_the_end_never(clock: SharedClock) -> None:
    """A part that ends has no file any more to write into."""

    async def main(part: Part) -> None:
        answer = part.arrivals.arrive(part.take, Fate((HOUR_US,), answered=True))
        await answer
        assert part.taken_us[0] >= HOUR_US
        part.arrivals.arrive(part.take, Fate((HOUR_US,), answered=True))
        part.arrivals.close()
        await part.timers.sleep(2 * HOUR_US)
        assert len(part.taken_us) == 1

    _run(clock, main)
