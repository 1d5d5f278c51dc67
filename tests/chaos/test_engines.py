"""Engines: a pool of processes and a Dask cluster give what one process gives; an engine that is not there is told."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from chaos.campaign import Order, conduct
from chaos.engines import EngineError, engine
from chaos.live.ports import Ports
from chaos.resume import taken_up
from chaos.run import run
from chaos.tally import Exit
from scenarios import loading
from tests.chaos.paced import contents, order

ROOT = Path(__file__).parent.parent.parent
needs_dask = pytest.mark.skipif(
    find_spec("distributed") is None, reason="the extra `cluster` is not installed"
)


def storms(out: Path, engine_name: str = "local", jobs: int = 1, **more: Any) -> Order:
    """Two storms on two designs."""
    scenarios = [loading.load(name) for name in ("callback_late", "callback_doubled")]
    return Order(scenarios, ["naive", "resilient"], range(1, 9), run, out, jobs, engine=engine_name, **more)


@pytest.fixture(scope="module")
def ports() -> Iterator[Ports]:
    with Ports() as new:
        yield new


def dask(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *words],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="module")
def scheduler(ports: Ports) -> Iterator[str]:
    """A real scheduler on loopback, without workers."""
    port = ports.free()
    process = dask("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    try:
        wait_for(port, process)
        yield f"127.0.0.1:{port}"
    finally:
        stop(process)


@pytest.fixture(scope="module")
def cluster(scheduler: str) -> Iterator[str]:
    """The scheduler with two workers, as docs/campaigns.md starts them."""
    process = dask("worker", f"tcp://{scheduler}", "--nworkers", "2", "--nthreads", "1", "--no-dashboard")
    yield f"dask://{scheduler}"
    stop(process)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"nobody listens on port {port}")


def wait_for_workers(port: int) -> None:
    from distributed import Client

    connect: Any = Client  # it has no types
    with connect(f"tcp://127.0.0.1:{port}", timeout=60, set_as_default=False) as client:
        client.wait_for_workers(1, timeout=60)


@needs_dask
def test_a_scheduler_without_workers_is_told_with_the_command_that_starts_one(
    tmp_path: Path, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting for ever would look like running."""
    from distributed import Client

    monkeypatch.setattr("chaos.cluster.TIMEOUT_S", 60)
    seconds = []

    def nobody(client: Any, number: int, timeout: float) -> None:
        seconds.append(timeout)
        real(client, number, timeout=0.2)

    real = Client.wait_for_workers
    monkeypatch.setattr(Client, "wait_for_workers", nobody)
    with pytest.raises(EngineError, match=r"has no workers; start one with: dask worker tcp://127.0.0.1"):
        conduct(storms(tmp_path / "r", f"dask://{scheduler}"))
    assert seconds == [60]
    assert not (tmp_path / "r").exists()


@needs_dask
def test_a_cluster_gives_what_one_process_gives(
    tmp_path: Path, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same lines, the same kept runs, the same verdicts, byte for byte but for wall times."""
    monkeypatch.setattr("chaos.cluster.TIMEOUT_S", 60)  # the workers may still be starting
    conduct(storms(tmp_path / "here"))
    ended = conduct(storms(tmp_path / "there", cluster))
    assert ended.finished
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


@needs_dask
def test_workers_that_run_other_code_are_refused(
    tmp_path: Path, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their runs would be others than ours under the same seeds."""
    monkeypatch.setattr("chaos.cluster.TIMEOUT_S", 60)
    monkeypatch.setattr("chaos.cluster.differing", lambda theirs: [f"code {theirs['code']}, here 0"])
    with pytest.raises(EngineError, match=r"worker tcp://\S+ is not like us: code [0-9a-f]{12}, here 0"):
        conduct(storms(tmp_path / "r", cluster))
    assert not (tmp_path / "r").exists()


@needs_dask
def test_a_cluster_that_goes_away_leaves_what_can_be_taken_up(
    tmp_path: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 4, and the lines that came are kept."""
    # The first is for coming to the scheduler; so long, too, the client looks for one that went away.
    monkeypatch.setattr("chaos.cluster.TIMEOUT_S", 30)
    monkeypatch.setattr("chaos.cluster.differing", lambda _theirs: [])
    port = ports.free()
    scheduler = dask("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    worker = dask("worker", f"tcp://127.0.0.1:{port}", "--nthreads", "1", "--no-dashboard")
    alive = [scheduler, worker]

    def watch(_progress: object) -> None:
        while alive:
            stop(alive.pop())

    try:
        wait_for(port, scheduler)
        wait_for_workers(port)
        storm = [loading.load("callback_late")]
        name = f"dask://127.0.0.1:{port}"
        ended = conduct(Order(storm, ["resilient"], range(1, 2001), run, tmp_path / "r", engine=name), watch)
    finally:
        watch(None)
    assert ended.exit_code == Exit.BROKEN
    assert ended.error.startswith("the engine broke: ")
    again = taken_up(tmp_path / "r", run, 1, "local")
    assert again.resume is not None
    assert 0 < len(list(again.resume.runs())) == ended.cells[0].runs < 2000


@needs_dask
def test_an_unreachable_scheduler_is_told_and_nothing_is_written(tmp_path: Path, ports: Ports) -> None:
    """Exit 2 and one message; nobody waits for ever."""
    engine_name = f"dask://127.0.0.1:{ports.free()}"
    words = ["run", "calm_trade", "--engine", engine_name, "--out", str(tmp_path / "r")]
    done = subprocess.run(
        [sys.executable, str(ROOT / "dingfeng.py"), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "no Dask scheduler answers there" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "r").exists()


def test_a_missing_extra_and_an_unknown_engine_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install, or what there is."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    for name, message in [
        ("dask://127.0.0.1:1", r"pip install 'dingfeng\[cluster\]'"),
        ("ray://x", r"no engine 'ray://x'; there are 'local' and dask://HOST:PORT"),
    ]:
        with pytest.raises(EngineError, match=message), engine(name, 1):
            pass


def test_a_worker_that_dies_ends_the_campaign_and_keeps_what_was_written(tmp_path: Path) -> None:
    """Exit 4, never silence."""
    lethal = replace(order(tmp_path / "r", tmp_path / "log", 2), runner=die_at_nine)
    ended = conduct(lethal)
    assert ended.exit_code == Exit.BROKEN
    assert "terminated abruptly" in ended.error
    assert ended.cells[0].runs < 40


def die_at_nine(_scenario: object, _design: str, seed: int) -> Any:
    """As a worker for which the system has no memory left."""
    if seed >= 9:
        os.kill(os.getpid(), signal.SIGKILL)
    raise ValueError(seed)
