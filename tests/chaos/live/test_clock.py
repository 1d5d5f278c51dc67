from __future__ import annotations

import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.live.clock import FOREVER_US, SharedClock
from chaos.live.slots import Slot
from tests.chaos.live.hosts import HOUR_US, spawn, until


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[SharedClock]:
    clock = SharedClock.create(tmp_path / "clock", 3)
    yield clock
    clock.close()


@pytest.fixture
def slot(clock: SharedClock) -> Iterator[Slot]:
    slot = clock.slot("mine")
    yield slot
    slot.close()


def _rung(slot: Slot) -> bool:
    return bool(select.select([slot.bell_fd], [], [], 0)[0])


def test_the_clock_stands_at_zero_until_it_is_begun(clock: SharedClock) -> None:
    """Processes boot at the start of a run, however long it takes."""
    assert not clock.begun()
    assert [clock.now_us() for _ in range(3)] == [0, 0, 0]
    clock.begin()
    assert clock.begun()
    first_us = clock.now_us()
    until(lambda: clock.now_us() > first_us)
    assert first_us < HOUR_US


def test_everybody_who_opens_the_file_sees_a_leap(clock: SharedClock) -> None:
    """One file, one time."""
    other = SharedClock.open(clock.path)
    clock.begin()
    clock.leap_to(5 * HOUR_US)
    assert 5 * HOUR_US <= other.now_us() < 6 * HOUR_US
    other.close()


def test_a_leap_into_the_past_changes_nothing(clock: SharedClock) -> None:
    """Time never goes back, whoever asks for it."""
    clock.begin()
    clock.leap_to(HOUR_US)
    clock.leap_to(HOUR_US // 2)
    assert clock.now_us() >= HOUR_US


def test_time_never_goes_back_for_a_reader_while_the_clock_leaps(clock: SharedClock) -> None:
    """A reader in another process, reading as fast as it can, against a writer that leaps as fast as it can."""
    clock.begin()
    reader = spawn("read_time", clock.path, 0.4)
    while reader.poll() is None:
        clock.leap_to(clock.now_us() + 1_000_000)
    assert reader.returncode == 0
    assert clock.now_us() > HOUR_US


def test_pace_says_how_long_run_time_takes(clock: SharedClock) -> None:
    """At pace 20, ten seconds take half a second."""
    assert clock.pace() == 1.0
    assert clock.real_s(10_000_000) == 10.0
    clock.say_pace(20.0)
    assert clock.pace() == 20.0
    assert clock.real_s(10_000_000) == 0.5


def test_a_slot_says_what_its_process_does(clock: SharedClock, slot: Slot) -> None:
    """Every word arrives where the conductor reads it."""
    slot.due(7 * HOUR_US, 5 * HOUR_US)
    slot.idle(True)
    with slot.working(), slot.working(), slot.holding():
        look = clock.looks()[0]
        assert (look.idle, look.working, look.holding) == (1, 2, 1)
        assert (look.due_us, look.due_daemon_us) == (7 * HOUR_US, 5 * HOUR_US)
    after = clock.looks()[0]
    assert (after.working, after.holding) == (0, 0)
    assert after.ops > look.ops
    assert clock.name(0) == "mine"


def test_a_slot_given_up_is_not_looked_at(clock: SharedClock) -> None:
    """A process that ended in order keeps nobody waiting."""
    slot = clock.slot("mine")
    assert clock.looks()[0].pid > 0
    slot.close()
    slot.close()
    assert clock.looks()[0].pid == 0


def test_a_leap_rings_those_who_have_something_due_by_then(clock: SharedClock, slot: Slot) -> None:
    """The others need not be woken."""
    later = clock.slot("later")
    slot.due(HOUR_US)
    later.due(3 * HOUR_US)
    clock.begin()  # this rings everybody
    slot.answer_bell()
    later.answer_bell()
    clock.leap_to(2 * HOUR_US)
    assert _rung(slot)
    assert not _rung(later)
    slot.answer_bell()
    assert not _rung(slot)
    later.close()


def test_the_slot_of_a_dead_process_is_taken_over_clean(clock: SharedClock) -> None:
    """A restarted process goes on under its name; what the killed one had under way is forgotten."""
    holder = spawn("stay_busy", clock.path, "node")
    until(lambda: clock.looks()[0].pid == holder.pid)
    with pytest.raises(ValueError, match=f"'node' belongs to the living process {holder.pid}"):
        clock.slot("node")
    holder.kill()
    holder.wait()
    slot = clock.slot("node")
    look = clock.looks()[0]
    assert (look.working, look.idle, look.due_us) == (0, 0, FOREVER_US)
    assert clock.looks()[1].pid == 0
    slot.close()


def test_more_processes_than_slots_are_refused(clock: SharedClock) -> None:
    """The error says how many there is room for."""
    slots = [clock.slot(name) for name in "abc"]
    with pytest.raises(ValueError, match="room for 3 processes, and 'd' is one too many"):
        clock.slot("d")
    for slot in slots:
        slot.close()


@pytest.mark.parametrize("name", ["", "n" * 129])
def test_a_name_that_does_not_fit_is_refused(clock: SharedClock, name: str) -> None:
    """It would be cut, and two processes might share a slot."""
    with pytest.raises(ValueError, match="1 to 128 bytes"):
        clock.slot(name)


def test_a_file_that_is_no_clock_is_refused(tmp_path: Path) -> None:
    """The error names the file."""
    (tmp_path / "other").write_bytes(b"x" * 4096)
    with pytest.raises(ValueError, match="other: not a clock"):
        SharedClock.open(tmp_path / "other")


def test_a_call_that_ends_after_the_clock_has_gone_does_no_harm(tmp_path: Path) -> None:
    """An interrupted run is cleared away with calls under way; their coroutines are closed when Python ends."""
    clock = SharedClock.create(tmp_path / "clock", 1)
    slot = clock.slot("orchestrator")
    with slot.working():
        slot.close()
        clock.close()
