# ruff: noqa: TID251, PLW0108, S311 - the banned calls are the subject, and must be looked up late
"""The tripwire: ambient sources raise inside a simulation, in its thread only, and come back afterwards."""

from __future__ import annotations

import datetime as dt
import os
import pickle
import random
import secrets
import time
import uuid
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.kernel import Kernel
from sim.node import Node
from sim.tripwire import AmbientSourceUsed, Tripwire

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCES: dict[str, Callable[[], object]] = {
    "time.time": lambda: time.time(),
    "time.time_ns": lambda: time.time_ns(),
    "time.monotonic": lambda: time.monotonic(),
    "time.perf_counter": lambda: time.perf_counter(),
    "time.sleep": lambda: time.sleep(0),
    "datetime.datetime.now": lambda: dt.datetime.now(dt.UTC),
    "datetime.datetime.utcnow": lambda: dt.datetime.utcnow(),  # noqa: DTZ003
    "datetime.datetime.today": lambda: dt.datetime.today(),  # noqa: DTZ002
    "datetime.date.today": lambda: dt.date.today(),  # noqa: DTZ011
    "uuid.uuid1": lambda: uuid.uuid1(),
    "uuid.uuid4": lambda: uuid.uuid4(),
    "os.urandom": lambda: os.urandom(4),
    "secrets.token_hex": lambda: secrets.token_hex(4),
    "secrets.randbelow": lambda: secrets.randbelow(4),
    "random.random": lambda: random.random(),
    "random.randint": lambda: random.randint(1, 6),
    "random.shuffle": lambda: random.shuffle([1, 2]),
    "random.Random() without a seed": lambda: random.Random(),
    "random._urandom": lambda: random.SystemRandom().random(),
}


@pytest.mark.parametrize("name", SOURCES)
def test_every_ambient_source_raises_inside_and_works_again_outside(name: str) -> None:
    """The error names the call."""
    with Tripwire(), pytest.raises(AmbientSourceUsed, match=name.replace("(", r"\(").replace(")", r"\)")):
        SOURCES[name]()
    SOURCES[name]()


def test_code_under_test_cannot_catch_it() -> None:
    """It passes `except Exception` in the platform and the nodes' own error policy, and ends the run."""

    async def handler(_: object) -> str:
        try:
            return str(time.time())
        except Exception:  # noqa: BLE001
            return "swallowed"

    def ignore(_task: str, _error: BaseException) -> None:
        pass

    node = Node(kernel := Kernel(), "shop", lambda _: handler, on_error=ignore)
    node.start()
    kernel.call_at(5, node.serve, "request", None)
    with Tripwire(), pytest.raises(AmbientSourceUsed):
        kernel.run_until(10)

    async def task() -> None:
        await handler(None)

    assert node.incarnation is not None
    node.incarnation.spawn(task(), "task")
    with Tripwire(), pytest.raises(AmbientSourceUsed):
        kernel.run_until(20)


def test_other_threads_go_on() -> None:
    """A progress bar reads its clock while the simulation runs."""
    seen: list[object] = []

    def progress() -> None:
        seen.extend((time.monotonic() > 0, dt.datetime.now(dt.UTC).year > 2000, random.Random().random() < 1))

    with Tripwire():
        thread = Thread(target=progress)
        thread.start()
        thread.join()
    assert seen == [True, True, True]


def test_a_second_simulation_in_another_thread_is_refused() -> None:
    """What is replaced belongs to the process."""
    seen: list[str] = []

    def other() -> None:
        try:
            with Tripwire():
                seen.append("entered")
        except RuntimeError as error:
            seen.append(str(error))

    with Tripwire():
        thread = Thread(target=other)
        thread.start()
        thread.join()
        with pytest.raises(AmbientSourceUsed):
            time.time()
    assert seen == ["another thread of this process is running a simulation"]
    time.time()


def test_entering_again_only_counts() -> None:
    """The sources stay off until the outermost leaves, and come back even when it leaves by an error."""
    originals = (time.time, dt.datetime, random.Random, os.urandom)
    with pytest.raises(KeyError), Tripwire() as tripwire:  # noqa: PT012 - the nesting is the subject
        with tripwire, Tripwire():
            pass
        with pytest.raises(AmbientSourceUsed):
            time.time()
        raise KeyError
    assert (time.time, dt.datetime, random.Random, os.urandom) == originals


def test_dates_and_seeded_generators_stay_usable_inside() -> None:
    """Only the present moment and fresh seeds are ambient; values are of the real classes."""
    before, real, real_date = dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.datetime, dt.date
    with Tripwire():
        made = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
        assert isinstance(before, dt.datetime)
        assert isinstance(before, dt.date)
        assert issubclass(real, dt.datetime)
        assert type(made) is real
        assert type(dt.datetime.fromtimestamp(0, dt.UTC)) is real
        assert type(dt.date(2024, 1, 1)) is real_date
        assert random.Random(5).random() == 0.6229016948897019
        assert isinstance(random.Random(5), random.Random)
    assert pickle.loads(pickle.dumps(made)) == before


@settings(max_examples=20)
@given(st.integers(0, 10))
def test_hypothesis_works_around_it(number: int) -> None:
    """Each example enters and leaves; Hypothesis keeps its own clock and generator between them."""
    with Tripwire():
        assert number >= 0
    assert time.time() > 0
