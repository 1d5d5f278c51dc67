"""Killed nodes: dead until their time has come, and then back at once, whatever was done to them meanwhile."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from chaos.live.background import Background
from chaos.live.clock import SharedClock
from chaos.live.gate import Gate
from chaos.live.machine_clock import MachineClock
from chaos.live.machines import Machine, RealMachines
from chaos.live.processes import Supervisor
from tests.chaos.live.stage import until

NODE = """
import sys, time
from pathlib import Path
from chaos.live.gate import Gate
Gate(Path(sys.argv[1])).pass_through()
Path(sys.argv[2]).write_text(sys.argv[3])
time.sleep(600)
"""


class Stage:
    """One node that says that it lives by writing a file."""

    def __init__(
        self, directory: Path, supervisor: Supervisor, background: Background, clock: SharedClock
    ) -> None:
        self.says = directory / "alive"
        self.background = background
        gate = Gate(directory / "gate")
        words = [sys.executable, "-c", NODE, str(directory / "gate"), str(self.says), "yes"]
        self.child = supervisor.start("platform-1", words)
        supervisor.wait_ready(self.child, self.says.exists)
        self.hardware = MachineClock(directory / "hardware", clock.now_us)
        machine = Machine(self.child, self.hardware, gate, self.says.exists)
        self.machines = RealMachines({"platform-1": machine}, supervisor, background)

    def kill(self) -> int:
        cut = self.machines.kill("platform-1")
        self.says.unlink(missing_ok=True)
        return len(cut)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    clock = SharedClock.create(tmp_path / "clock", 4)
    with Supervisor(tmp_path) as supervisor, Background(clock, "background") as background:
        made = Stage(tmp_path, supervisor, background, clock)
        yield made
        made.hardware.close()
    clock.close()


def test_a_killed_node_does_nothing_until_it_is_revived(stage: Stage) -> None:
    """Its successor is loaded and waits; to everybody it is dead."""
    first = stage.child.pid
    assert stage.kill()
    stage.background.finish(60)
    assert stage.child.pid != first
    assert stage.child.returncode is None
    time.sleep(0.1)
    assert not stage.says.exists()
    assert stage.machines.unwell() == ["platform-1 is dead"]
    assert stage.kill() == 0
    assert not stage.machines.freeze("platform-1")
    stage.machines.revive("platform-1")
    stage.background.finish(60)
    assert stage.says.exists()
    assert stage.machines.unwell() == []


def test_a_node_killed_while_it_comes_back_stays_dead(stage: Stage) -> None:
    """Who killed it last brings it back; an earlier one's help comes too late and does nothing."""
    for _ in range(3):
        assert stage.kill()
        stage.machines.revive("platform-1")
        until(lambda: stage.child.returncode is None, "a successor")
    assert stage.kill()
    stage.background.finish(60)
    time.sleep(0.1)
    assert not stage.says.exists()
    assert stage.machines.unwell() == ["platform-1 is dead"]
    stage.machines.revive("platform-1")
    stage.background.finish(60)
    assert stage.machines.unwell() == []


def test_a_frozen_node_stands_still_until_it_is_thawed(stage: Stage) -> None:
    """And the operating system is asked, not our books."""
    assert stage.machines.freeze("platform-1")
    assert psutil.Process(stage.child.pid).status() == psutil.STATUS_STOPPED
    assert stage.machines.unwell() == ["platform-1 is frozen"]
    stage.machines.thaw("platform-1")
    assert stage.machines.unwell() == []
    stage.machines.skew("platform-1", 5)
    assert stage.machines.unwell() == ["the clock of platform-1 is wrong"]
