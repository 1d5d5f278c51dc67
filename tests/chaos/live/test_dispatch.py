"""A message acted out by its sender's process: lost, doubled or held back, and what the sender learns."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from chaos.live.clock import SharedClock
from chaos.live.conductor import Conductor
from chaos.live.dispatch import Dispatch
from chaos.live.timers import AsyncTimers, run
from chaos.messages import Fate
from tests.chaos.live.hosts import HOUR_US

TIMEOUT_US = HOUR_US
REFUSED = aiohttp.ClientError("refused")


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[SharedClock]:
    clock = SharedClock.create(tmp_path / "clock", 2)
    yield clock
    clock.close()


class Post:
    """Where messages go: each comes to the next of `outcomes`. Hours pass in a moment."""

    def __init__(self, *outcomes: str | Exception) -> None:
        self.arrived_us: list[int] = []
        self.bugs: list[BaseException] = []
        self._outcomes = list(outcomes)

    def told(self, clock: SharedClock, fate: Fate | None) -> str:
        """What the sender learns; `late` when it is not before its time is up. Then five hours pass."""

        async def main(timers: AsyncTimers) -> str:
            dispatch = Dispatch(timers, self.bugs.append)

            async def exchange() -> str:
                self.arrived_us.append(timers.now)
                outcome = self._outcomes.pop(0)
                if isinstance(outcome, Exception):
                    raise outcome
                return outcome

            try:
                answer = await dispatch.send(exchange, TIMEOUT_US, fate)
            except TimeoutError:
                answer = "late" if timers.now >= TIMEOUT_US else "too early"
            except aiohttp.ClientError as error:
                answer = str(error)
            await timers.sleep_until(5 * HOUR_US)
            await dispatch.close()
            return answer

        return str(_run(clock, main))


def _run(clock: SharedClock, main: Callable[[AsyncTimers], Coroutine[Any, Any, Any]]) -> Any:
    with Conductor(clock):
        return run(clock, clock.slot("mine"), main)


def test_a_message_that_is_spared_goes_its_way(clock: SharedClock) -> None:
    """Once, and its outcome is heard."""
    assert Post("yes").told(clock, None) == "yes"


def test_a_failure_of_a_message_that_is_spared_is_heard(clock: SharedClock) -> None:
    """By the very error."""
    assert Post(REFUSED).told(clock, None) == "refused"


def test_a_lost_message_never_arrives_and_the_time_runs_out(clock: SharedClock) -> None:
    """Nothing is under way, so the hour is leapt over."""
    post = Post()
    assert post.told(clock, Fate((), answered=False)) == "late"
    assert post.arrived_us == []


@pytest.mark.parametrize("outcome", ["yes", REFUSED], ids=["answered", "refused"])
def test_a_message_whose_answer_is_lost_has_its_effect(clock: SharedClock, outcome: str | Exception) -> None:
    """Whatever came of it, it is not heard."""
    post = Post(outcome)
    assert post.told(clock, Fate((0,), answered=False)) == "late"
    assert len(post.arrived_us) == 1


def test_of_a_doubled_message_the_first_answer_counts(clock: SharedClock) -> None:
    """Both arrive."""
    post = Post("first", "second")
    assert post.told(clock, Fate((0, 1_000), answered=True)) == "first"
    assert len(post.arrived_us) == 2


def test_a_copy_may_answer_for_the_original_but_not_fail_for_it(clock: SharedClock) -> None:
    """A failure of the original is heard, one of a copy is not."""
    assert Post(REFUSED, "copy").told(clock, Fate((0, HOUR_US // 2), answered=True)) == "refused"


def test_a_copy_that_fails_first_says_nothing(clock: SharedClock) -> None:
    """The original is still to come."""
    assert Post(REFUSED, "original").told(clock, Fate((HOUR_US // 2, 0), answered=True)) == "original"


def test_a_message_held_back_longer_than_its_sender_waits_arrives_all_the_same(clock: SharedClock) -> None:
    """Nobody can call it back."""
    post = Post("too late")
    assert post.told(clock, Fate((3 * HOUR_US,), answered=True)) == "late"
    (arrived_us,) = post.arrived_us
    assert arrived_us >= 3 * HOUR_US


def test_a_bug_is_no_failure_of_a_message(clock: SharedClock) -> None:
    """It is told, so that the process can end of it."""
    post = Post(ZeroDivisionError("mine"))
    assert post.told(clock, Fate((0,), answered=True)) == "late"
    assert [str(bug) for bug in post.bugs] == ["mine"]
