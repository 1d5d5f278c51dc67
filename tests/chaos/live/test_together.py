"""Clock, conductor, timers, journals and processes at once, as a run uses them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.history import Event, Notice, Ok
from chaos.live.clock import SharedClock
from chaos.live.conductor import Conductor
from chaos.live.journal import Journal, merge
from chaos.live.processes import Child, Supervisor
from tests.chaos.live.hosts import HOUR_US, attended, command, until

DAY_US = 24 * HOUR_US
ROOT = Path(__file__).parents[3]


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[SharedClock]:
    clock = SharedClock.create(tmp_path / "clock", 4)
    yield clock
    clock.close()


@pytest.fixture
def supervisor(tmp_path: Path, clock: SharedClock) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "run") as supervisor:
        yield supervisor


def _start(supervisor: Supervisor, name: str, role: str, clock: SharedClock, *arguments: object) -> Child:
    env = {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return supervisor.start(name, command(role, clock.path, name, *arguments), env=env)


def _hourly(supervisor: Supervisor, name: str, clock: SharedClock, offset_us: int) -> tuple[Child, Path]:
    journal = supervisor.directory / f"{name}.jsonl"
    return _start(supervisor, name, "hourly", clock, journal, offset_us, DAY_US), journal


def _late_us(events: list[Event]) -> list[int]:
    return [event.t_us - event.data["due_us"] for event in events if isinstance(event, Notice)]


def test_a_day_of_hourly_timers_passes_in_moments(supervisor: Supervisor, clock: SharedClock) -> None:
    """Two processes, each with a timer an hour, half an hour apart: every one is served, in order, in time."""
    children = [_hourly(supervisor, name, clock, at) for name, at in (("a", HOUR_US), ("b", HOUR_US // 2))]
    until(attended(clock, 2))
    with Conductor(clock) as conductor:
        codes = [child.wait(60) for child, _ in children]
    assert codes == [0, 0]
    merged = merge([journal for _, journal in children])
    assert [event.user for event in merged if isinstance(event, Notice)] == ["b", "a"] * 23 + ["b"]
    assert min(_late_us(merged)) >= 0
    assert max(_late_us(merged)) < HOUR_US // 2
    assert conductor.figures.leaps >= 46
    assert conductor.figures.run_s > 23 * 3600
    assert conductor.figures.real_s < conductor.figures.run_s / 1000


def test_a_call_that_takes_its_time_is_not_leapt_over(supervisor: Supervisor, clock: SharedClock) -> None:
    """300 ms of real waiting for an answer are 300 ms of run time, though a timer an hour away is next."""
    port = supervisor.ports.free()
    journal = supervisor.directory / "asker.jsonl"
    _start(supervisor, "server", "serve_slowly", clock, port, 0.3)
    asker = _start(supervisor, "asker", "ask_once", clock, port, journal)
    _hourly(supervisor, "other", clock, 2 * HOUR_US)
    until(attended(clock, 3))
    with Conductor(clock, old_s=1e9):
        assert asker.wait(60) == 0
    asked, answered = merge([journal])
    assert isinstance(answered, Ok)
    assert HOUR_US <= asked.t_us < 2 * HOUR_US
    assert 290_000 <= answered.t_us - asked.t_us < HOUR_US // 2


def test_a_stopped_process_blocks_nobody_and_serves_its_timers_late(
    supervisor: Supervisor, clock: SharedClock
) -> None:
    """The day goes on without it; when it goes on itself, what it missed comes at once."""
    (stopped, late_lines), (other, _) = (
        _hourly(supervisor, name, clock, at) for name, at in (("stopped", HOUR_US), ("other", HOUR_US // 2))
    )
    until(attended(clock, 2))
    stopped.stop()
    with Conductor(clock):
        assert other.wait(60) == 0
        stopped.go_on()
        assert stopped.wait(60) == 0
    assert max(_late_us(merge([late_lines]))) >= 20 * HOUR_US


def test_a_killed_process_blocks_nobody_and_goes_on_in_its_journal(
    supervisor: Supervisor, clock: SharedClock
) -> None:
    """kill -9 in the middle of the day; its second life takes its slot and its journal over."""
    (killed, lines), (other, _) = (
        _hourly(supervisor, name, clock, at) for name, at in (("killed", HOUR_US), ("other", HOUR_US // 2))
    )
    until(attended(clock, 2))
    conductor = Conductor(clock)
    conductor.limit_us = 4 * HOUR_US
    with conductor:
        until(lambda: clock.now_us() >= 4 * HOUR_US and len(_late_us(merge([lines]))) >= 4)
        killed.kill()
        conductor.limit_us = DAY_US
        assert other.wait(60) == 0
        killed.restart()
        assert killed.wait(60) == 0
    assert killed.lives == 2
    assert len(_late_us(merge([lines]))) == 4 + 23


def test_merged_journals_are_causal(supervisor: Supervisor, clock: SharedClock) -> None:
    """200 messages there and back, with leaps between: every one was sent before it was received."""
    port = supervisor.ports.free()
    journals = {name: supervisor.directory / f"{name}.jsonl" for name in ("ping", "pong")}
    pong = _start(supervisor, "pong", "pong", clock, port, journals["pong"])
    until(attended(clock, 1))
    ping = _start(supervisor, "ping", "ping", clock, port, journals["ping"], 200)
    with Conductor(clock) as conductor:
        assert ping.wait(60) == 0
        assert pong.wait(60) == 0
    expected = [
        (user, topic, str(number))
        for number in range(200)
        for user, topic in (("ping", "sent"), ("pong", "received"), ("pong", "sent"), ("ping", "received"))
    ]
    merged = merge(list(journals.values()))
    assert [(e.user, e.topic, e.order_id) for e in merged if isinstance(e, Notice)] == expected
    assert conductor.figures.leaps >= 199


def test_an_orchestrators_journal_merges_with_the_others(supervisor: Supervisor, clock: SharedClock) -> None:
    """What it did to a process stands between what the process did before and after."""
    own = Journal(supervisor.directory / "orchestrator.jsonl", clock.now_us)
    child, lines = _hourly(supervisor, "child", clock, HOUR_US)
    until(attended(clock, 1))
    conductor = Conductor(clock)
    conductor.limit_us = 3 * HOUR_US + 1
    with conductor:
        until(lambda: len(_late_us(merge([lines]))) == 3)
        own.fault("node.pause", "touch", "0/child", {})
        conductor.limit_us = DAY_US
        assert child.wait(60) == 0
    own.close()
    kinds = [type(event).__name__ for event in merge([own.path, lines])]
    assert kinds[:5] == ["Notice"] * 3 + ["Fault", "Notice"]
