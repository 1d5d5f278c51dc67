from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import psutil
import pytest

from chaos.live import guardian
from chaos.live.clock import SharedClock
from chaos.live.ports import Ports, listens
from chaos.live.processes import Child, LeftBehind, ProcessDied, Supervisor, undisturbed
from tests.chaos.live.hosts import spawn, until

SLEEP = ["sleep", "600"]


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "run") as supervisor:
        yield supervisor


def _state(pid: int) -> str:
    try:
        return str(psutil.Process(pid).status())
    except psutil.NoSuchProcess:
        return "gone"


def _ended(pid: int) -> bool:
    return _state(pid) in guardian.ENDED


def test_what_a_process_says_is_in_its_log(supervisor: Supervisor) -> None:
    """Output and errors both, over all its lives."""
    child = supervisor.start("talker", ["sh", "-c", "echo out; echo err >&2"])
    assert child.wait(60) == 0
    child.restart()
    assert child.wait(60) == 0
    assert child.lives == 2
    assert (supervisor.directory / "logs" / "talker.log").read_text().split() == ["out", "err"] * 2


def test_kill_reaches_a_stopped_process_and_everything_it_started(supervisor: Supervisor) -> None:
    """A server's workers may have left its process group."""
    child = supervisor.start("tree", ["sh", "-c", "setsid sleep 600 & exec sleep 600"])
    until(lambda: len(child._tree()) == 2)
    tree = child._tree()
    child.stop()
    assert [process.status() for process in tree] == ["stopped", "stopped"]
    child.kill()
    assert [_ended(process.pid) for process in tree] == [True, True]
    assert child.returncode == -signal.SIGKILL
    supervisor.check()  # it was our doing


def test_a_stopped_process_goes_on(supervisor: Supervisor) -> None:
    """SIGSTOP and SIGCONT, each verified."""
    child = supervisor.start("sleeper", SLEEP)
    child.stop()
    assert _state(child.pid) == "stopped"
    child.go_on()
    until(lambda: _state(child.pid) == "sleeping")


def test_terminate_is_patient_and_then_is_not(supervisor: Supervisor) -> None:
    """A process that ends in order gives its own exit code; one that will not is killed."""
    polite = supervisor.start(
        "polite", ["sh", "-c", "trap 'exit 3' TERM; echo set; while :; do sleep 0.01; done"]
    )
    stubborn = supervisor.start(
        "stubborn", ["sh", "-c", "trap '' TERM; echo set; while :; do sleep 0.01; done"]
    )
    until(lambda: "set" in polite.tail() and "set" in stubborn.tail())
    assert polite.terminate(60) == 3
    assert stubborn.terminate(0.1) == -signal.SIGKILL


def test_a_process_that_died_unasked_is_reported_with_its_last_words(supervisor: Supervisor) -> None:
    """Whoever waits for it, or starts another, hears of it."""
    child = supervisor.start("dying", ["sh", "-c", "echo no such database; exit 7"])
    until(lambda: child.returncode is not None)
    with pytest.raises(ProcessDied, match="dying ended with exit code 7:\nno such database"):
        supervisor.check()
    with pytest.raises(ProcessDied, match="dying ended with exit code 7"):
        supervisor.start("next", SLEEP)
    with pytest.raises(ProcessDied, match="no such database"):
        supervisor.wait_ready(child, lambda: False)
    child.kill()


def test_a_process_that_is_started_again_while_it_is_looked_at_has_not_died(tmp_path: Path) -> None:
    """Its last life was ended by us; the thread that looks may find that out when the next one has begun."""

    class Life:
        pid = 0

        def __init__(self, code: int | None) -> None:
            self.code = code
            self.meanwhile: Callable[[], None] = lambda: None

        def poll(self) -> int | None:
            meanwhile, self.meanwhile = self.meanwhile, lambda: None
            meanwhile()
            return self.code

        def wait(self, _: float) -> int | None:
            return self.code

    lives = [Life(-9), Life(None), Life(7)]
    rest = iter(lives)
    child = Child("node", tmp_path / "log", lambda: cast("subprocess.Popen[bytes]", next(rest)))
    child.kill()
    lives[0].meanwhile = child.restart
    child.check()
    lives[1].code = -9
    child.restart()
    with pytest.raises(ProcessDied, match="node ended with exit code 7"):
        child.check()


def test_a_signal_that_ended_a_process_is_named(supervisor: Supervisor) -> None:
    """SIGKILL from the kernel for want of memory looks like this."""
    child = supervisor.start("dying", SLEEP)
    os.kill(child.pid, signal.SIGKILL)
    until(lambda: child.returncode is not None)
    with pytest.raises(ProcessDied, match="dying ended with SIGKILL"):
        child.check()


def test_waiting_for_readiness_is_bounded(supervisor: Supervisor) -> None:
    """A probe that never succeeds ends the wait, with what the process said."""
    child = supervisor.start("idler", ["sh", "-c", "echo still loading; exec sleep 600"])
    with pytest.raises(ProcessDied, match=r"idler was not ready within 0.3 s:\nstill loading"):
        supervisor.wait_ready(child, lambda: False, within_s=0.3)


def test_time_is_held_while_a_process_becomes_ready(tmp_path: Path) -> None:
    """Both ways of waiting; a start takes real time, which run time must not run ahead of."""
    clock = SharedClock.create(tmp_path / "clock", 1)
    slot = clock.slot("orchestrator")
    held: list[int] = []

    def probe() -> bool:
        held.append(clock.looks()[0].holding)
        return len(held) % 2 == 0

    with Supervisor(tmp_path / "run", slot) as supervisor:
        child = supervisor.start("sleeper", SLEEP)
        supervisor.wait_ready(child, probe)
    assert held == [1, 1]
    assert clock.looks()[0].holding == 0
    slot.close()
    clock.close()


def test_two_processes_of_one_name_are_refused(supervisor: Supervisor) -> None:
    """Their logs and slots would be one."""
    supervisor.start("node", SLEEP)
    with pytest.raises(ValueError, match="process named 'node' already"):
        supervisor.start("node", SLEEP)


def test_a_program_that_is_not_there_is_no_child(supervisor: Supervisor) -> None:
    """The error is the caller's, and the run goes on."""
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        supervisor.start("node", ["no-such-program"])
    assert supervisor.children == {}
    supervisor.check()


def test_closing_leaves_nothing_not_even_what_hid(tmp_path: Path) -> None:
    """Another session, another parent, no mark in its environment: it worked in the run's directory."""
    with Supervisor(tmp_path / "run") as supervisor:
        data = supervisor.private_directory("data")
        hidden = f'{sys.executable} -c \'import os; print(os.getpid(), flush=True); os.execvpe("sleep", ["sleep", "600"], {{}})\''
        child = supervisor.start("hiding", ["sh", "-c", f"setsid {hidden} &"], cwd=data)
        assert child.wait(60) == 0
        until(lambda: child.tail().strip().isdigit())
        pid = int(child.tail())
        assert not _ended(pid)
    assert _ended(pid)
    assert not data.exists()
    assert supervisor._guardian.returncode == 0
    supervisor.close()


def test_what_cannot_be_cleared_away_is_named(tmp_path: Path) -> None:
    """Here a stranger listens on a port of ours; the rest is cleared all the same."""
    supervisor = Supervisor(tmp_path / "run")
    child = supervisor.start("sleeper", SLEEP)
    stranger_port = supervisor.ports.free()
    stranger = subprocess.Popen(
        [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(stranger_port)],
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: listens(stranger_port))
        with pytest.raises(LeftBehind, match=f"port {stranger_port} is still listened on"):
            supervisor.close()
        assert _ended(child.pid)
    finally:
        stranger.kill()
        stranger.wait()


def test_a_run_whose_guardian_was_killed_does_not_go_on(tmp_path: Path) -> None:
    """Nobody would clear up after it."""
    supervisor = Supervisor(tmp_path / "run")
    supervisor._guardian.kill()
    until(lambda: supervisor._guardian.poll() is not None)
    with pytest.raises(ProcessDied, match="guardian of the run ended with SIGKILL"):
        supervisor.start("node", SLEEP)
    supervisor.close()


def test_a_bystander_in_a_terminal_is_spared(tmp_path: Path) -> None:
    """Somebody may look into the run's directory while it goes on."""
    data = tmp_path / "data"
    data.mkdir()
    outer, inner = os.openpty()
    code = (
        "import fcntl, termios, time; fcntl.ioctl(0, termios.TIOCSCTTY, 1);"
        "print('set', flush=True); time.sleep(600)"
    )
    bystander = subprocess.Popen(
        [sys.executable, "-c", code], stdin=inner, stdout=subprocess.PIPE, cwd=data, start_new_session=True
    )
    idler = subprocess.Popen(SLEEP, cwd=data, start_new_session=True)
    try:
        assert bystander.stdout is not None
        assert bystander.stdout.readline() == b"set\n"
        assert guardian.end("no-token", [data], 0, 10) == []
        assert idler.wait(60) == -signal.SIGKILL
        assert bystander.poll() is None
    finally:
        for process in (bystander, idler):
            process.kill()
            process.wait()
        bystander.stdout.close()  # type: ignore[union-attr]
        os.close(outer)
        os.close(inner)


def test_older_processes_are_no_members(tmp_path: Path) -> None:
    """Whatever they inherited, they are not of this run."""
    idler = subprocess.Popen(SLEEP, cwd=tmp_path, start_new_session=True)
    try:
        assert [one.pid for one in guardian.members("no-token", [tmp_path], 0)] == [idler.pid]
        assert guardian.members("no-token", [tmp_path], guardian.born(idler.pid) + 1) == []
    finally:
        idler.kill()
        idler.wait()


def test_ctrl_c_waits_for_what_must_happen_whole() -> None:
    """And is raised at its end; nothing was lost."""
    done: list[int] = []

    def whole() -> None:
        with undisturbed():
            signal.raise_signal(signal.SIGINT)
            done.append(1)

    with pytest.raises(KeyboardInterrupt):
        whole()
    assert done == [1]


def _begun(directory: Path) -> list[int]:
    pids = directory / "pids"
    until(lambda: pids.exists() and pids.read_text() != "")
    return [int(pid) for pid in pids.read_text().split()]


def _everything_of(directory: Path, orchestrator: int) -> list[psutil.Process]:
    """Every living process that names the directory, works in it, or writes into it."""
    found = []
    for process in psutil.process_iter():
        try:
            mark = process.environ().get(guardian.MARK, "")
            if mark.startswith(f"{directory.name}-{orchestrator}-") or str(directory) in " ".join(
                [process.cwd(), *process.cmdline()]
            ):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return [process for process in found if not _ended(process.pid)]


def test_an_orchestrator_killed_with_kill_9_leaves_nothing(tmp_path: Path) -> None:
    """No process, stopped ones included, no listening socket, no private directory; what it wrote stays."""
    directory = tmp_path / "killed-run"
    with Ports() as ports:
        port = ports.free()
        orchestrator = spawn("orchestrate", directory, port)
        pids = _begun(directory)
        until(lambda: listens(port))
        assert (directory / "data" / "file").exists()
        orchestrator.kill()
        orchestrator.wait()
        until(lambda: all(map(_ended, pids)) and not _everything_of(directory, orchestrator.pid))
        until(lambda: not (directory / "data").exists())
        assert not listens(port)
    assert (directory / "logs" / "server.log").exists()


def test_a_postgresql_whose_orchestrator_was_killed_is_gone_with_its_shared_memory(tmp_path: Path) -> None:
    """Another user's process that writes over its environment, and a segment that outlives kill -9."""
    directory = tmp_path / "killed-run"
    with Ports() as ports:
        port = ports.free()
        orchestrator = spawn("orchestrate_postgres", directory, port)
        pids = _begun(directory)
        folder = Path((directory / "folder").read_text())
        segment = (folder / "data" / "postmaster.pid").read_text().splitlines()[6].split()[-1]
        assert segment in _segments()
        orchestrator.kill()
        orchestrator.wait()
        until(lambda: all(map(_ended, pids)))
        until(lambda: not folder.exists())
        assert segment not in _segments()
        assert not listens(port)


def _segments() -> list[str]:
    """Ids of all System V segments of shared memory."""
    return [line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()]


def test_ctrl_c_at_any_moment_leaves_nothing(tmp_path: Path) -> None:
    """Ten random moments, from the first import to long after the start."""
    moments = random.Random(4)
    for attempt in range(10):
        directory = tmp_path / f"interrupted-{attempt}"
        with Ports() as ports:
            port = ports.free()
            orchestrator = spawn("orchestrate_interrupted", directory, port)
            try:
                until((directory / "logs").exists)
                time.sleep(moments.uniform(0, 0.15))
                orchestrator.send_signal(signal.SIGINT)
                assert orchestrator.wait(60) == 130
            finally:
                orchestrator.kill()
                orchestrator.wait()
            assert _everything_of(directory, orchestrator.pid) == []
            assert not listens(port)
        assert not (directory / "data").exists()
        assert (directory / "results").read_text() == "readable"
