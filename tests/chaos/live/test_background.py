"""What takes real seconds goes on beside the run, holds the clock meanwhile, and its errors are not lost."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from chaos.live.background import Background
from chaos.live.clock import SharedClock


def test_the_clock_is_held_while_something_goes_on(tmp_path: Path) -> None:
    """A process that takes two seconds to start takes two seconds of the run."""
    clock = SharedClock.create(tmp_path / "clock", 1)
    go = threading.Event()
    with Background(clock, "background") as background:
        assert clock.looks()[0].idle
        background.do(go.wait, 60)
        background.do(go.wait, 60)
        assert not clock.looks()[0].idle
        assert background.busy
        go.set()
        background.finish(60)
        assert clock.looks()[0].idle
    clock.close()


def test_what_went_wrong_is_raised(tmp_path: Path) -> None:
    """A node that could not be brought back breaks the run."""

    def fails() -> None:
        raise OSError("no such program")

    clock = SharedClock.create(tmp_path / "clock", 1)
    background = Background(clock, "background")
    background.do(fails)
    with pytest.raises(RuntimeError, match="no such program"), background:
        background.finish(60)
    clock.close()


def test_at_the_end_what_was_not_begun_is_left_out(tmp_path: Path) -> None:
    """Nobody waits for restarts of a run that is over."""
    done: list[int] = []
    clock = SharedClock.create(tmp_path / "clock", 1)
    began, go = threading.Event(), threading.Event()

    def first() -> None:
        began.set()
        go.wait(60)
        done.append(1)

    with Background(clock, "background") as background:
        background.do(first)
        background.do(done.append, 2)
        began.wait(60)
        background._over = True
        go.set()
    assert done == [1]
    clock.close()
