"""A storm on real parts comes to the same verdicts as in the simulated world, and leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import psutil
import pytest

from chaos.court import RunResult
from chaos.history import Book, Fault, Invoke, Notice, Ok, Read, State
from chaos.live.options import CannotRun, Options
from chaos.live.processes import ProcessDied
from chaos.live.run import Phases, plan_of, run, touched
from chaos.live.world import LiveWorld
from chaos.run import run as simulated
from chaos.tally import Cell
from chaos.worker import RunStopped, run_one
from scenarios import loading
from scenarios.model import Scenario

ROOT = Path(__file__).parents[3]


def storm() -> Scenario:
    """Late callbacks; and when all is quiet, so that no race decides anything, the node freezes and dies."""
    data = loading.load("callback_late").model_dump(mode="json", by_alias=True)
    data["workload"]["orders"] = 5
    data["faults"] += [
        {"fault": "node.pause", "node": "platform-1", "from": "33min", "duration": "1s"},
        {"fault": "node.crash", "node": "platform-1", "from": "35min", "restart_after": "20s"},
    ]
    data["expect"], data["sometimes"], data["swarm"] = {}, [], False
    return Scenario.model_validate(data)


def test_a_storm_on_real_parts_agrees_with_the_simulated_one() -> None:
    """Same scenario, same seed: the same invariants broken, the same faults touched; every kind of event is there."""
    before = psutil.Process().children(recursive=True)
    scenario = storm()
    live = run(scenario, "naive", 1, Options(budget_s=240))
    sim = simulated(scenario, "naive", 1)
    assert live.violated == sim.violated != []
    assert live.orders == sim.orders == 5
    assert live.settled
    assert live.touched.keys() == sim.touched.keys()
    assert live.touched["0/channel.callback_delay/wechat"] == sim.touched["0/channel.callback_delay/wechat"]
    assert live.touched["1/node.pause/platform-1"] == live.touched["2/node.crash/platform-1"] == 1
    (killed,) = [event for event in live.history.events if isinstance(event, Fault) and "pid" in event.data]
    assert killed.data["node"] == "platform-1"
    assert killed.data["connections"] > 0
    assert live.plan == sim.plan
    kinds = {type(event) for event in live.history.events}
    assert kinds >= {Invoke, Ok, State, Book, Notice, Fault, Read}
    times = [event.t_us for event in live.history.events]
    assert times == sorted(times)
    created = [event for event in live.history.events if isinstance(event, State) and event.table == "orders"]
    assert {event.node for event in created} <= {"platform-1", "platform-2"}
    assert set(psutil.Process().children(recursive=True)) <= set(before)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_a_run_that_is_ended_leaves_readable_results_and_no_process(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    """Ctrl-C gives exit 130. However it ends: a results directory, no process, no directory of the run's own."""
    out = tmp_path / "out"
    command = [sys.executable, "dingfeng.py", "live", "callback_late", "-d", "naive", "--out", str(out)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            _until(lambda: process.poll() is not None or _told(process.pid) is not None)
            children = psutil.Process(process.pid).children(recursive=True)
            settings = _told(process.pid)
            process.send_signal(number)
            said, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == code, said
    assert (out / "campaign.json").is_file()
    assert psutil.wait_procs(children, timeout=60)[1] == []
    assert settings is not None
    _until(lambda: not settings.parent.exists())


def _told(pid: int) -> Path | None:
    """The settings of a node of the platform that this process has started, None as long as there is none."""
    for child in psutil.Process(pid).children(recursive=True):
        try:
            words = child.cmdline()
        except psutil.Error:
            continue
        if "chaos.live.platform_host" in words:
            return Path(words[-1])
    return None


def _until(true: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def test_a_run_whose_budget_is_spent_is_ended_and_proves_nothing() -> None:
    """It is inconclusive, no failure, and says how far it came."""
    world = SimpleNamespace(
        options=Options(budget_s=-1.0),
        opening=SimpleNamespace(end_us=93_840_000_000),
        kernel=SimpleNamespace(now=60_000_000),
        check=lambda: None,
    )
    with pytest.raises(RunStopped, match="ended after -1 real s, at 60 of 93,840 s of the run"):
        Phases(cast("LiveWorld", world))._beat()

    def spent(scenario: Scenario, design: str, seed: int) -> RunResult:
        raise RunStopped(f"{scenario.name} {design} {seed}: took too long")

    result, line = run_one(spent, storm(), "naive", 1)
    assert (result, line.outcome, line.verdicts) == (None, "unknown", {})
    cell = Cell(storm(), "naive")
    cell.add(line)
    assert cell.outcome() == ("inconclusive", ["seed 1: callback_late naive 1: took too long"])


def test_a_part_that_died_unasked_breaks_the_run() -> None:
    """Now and then the orchestrator looks; what it finds ends the run as the harness's trouble."""

    def died() -> None:
        raise ProcessDied("platform-1 ended with exit code 70")

    world = SimpleNamespace(options=Options(), check=died)
    with pytest.raises(ProcessDied):
        Phases(cast("LiveWorld", world))._beat()


# ---------------------------------------------------------------- what the history says of the storm


def test_what_was_touched_is_added_up_by_rule() -> None:
    """Site faults count their touches, window faults what their end tells; a rule that did nothing counts 0."""
    scenario = loading.load("partition_to_channel")
    where = "platform-*->wechat"
    events = [
        Fault(1, "link.partition", "start", f"0/link.partition/{where}/window", {"where": where}),
        Fault(2, "link.partition", "end", f"0/link.partition/{where}/window", {"touched": 3}),
        Fault(2, "link.partition", "end", f"0/link.partition/{where}/window", {"touched": 4}),
    ]
    assert touched(scenario, list(events)) == {
        "0/link.partition/platform-*->wechat": 7,
        "1/link.partition/wechat->edge": 0,
    }


def test_the_plan_of_a_live_run_replays_in_the_simulated_world() -> None:
    """It is the same plain data: sites and effects."""
    scenario = loading.load("callback_late").model_copy(update={"swarm": False})
    sim = simulated(scenario, "naive", 1)
    assert plan_of(sim.history.events) == sim.plan


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (Options(toxiproxy="http://127.0.0.1:9"), "Toxiproxy at http://127.0.0.1:9"),
        (Options(database_url="nonsense="), "--database-url"),
        (Options(database_url="postgresql:///x"), "--database-url: name one host"),
        (Options(database_url="postgresql://127.0.0.1:9/x"), "--database-url: cannot be used"),
    ],
)
def test_what_cannot_be_had_is_said_before_anything_is_started(options: Options, complaint: str) -> None:
    """A wrong address is the user's input, not a broken harness."""
    with pytest.raises(CannotRun, match=complaint):
        options.check()
