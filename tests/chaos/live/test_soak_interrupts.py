"""The soak of interrupts can fail: what lives on is found, whoever it belongs to and whatever it holds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from chaos.live.guardian import MARK
from tests.chaos.live.soak_interrupts import Belongings, _report

LISTEN = "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); print('up', flush=True); sys.stdin.read()"


def test_a_process_that_lives_on_is_found_with_its_port() -> None:
    """And it is missed no more once it has ended."""
    with subprocess.Popen(
        [sys.executable, "-c", LISTEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        belongings = Belongings("-no token at all-")
        belongings.look(psutil.Process(process.pid))
        assert len(belongings.ports) == 1
        left = belongings.left()
        assert [one.partition(" ")[0] for one in left] == ["process", "port"]
        process.kill()
        process.wait()
        assert belongings.left() == []


def test_a_process_that_was_never_seen_is_found_by_its_mark() -> None:
    """It was born after the last look, and carries the run's token in its environment."""
    token = f"-{os.getpid()}-"
    with subprocess.Popen(
        [sys.executable, "-c", LISTEN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, MARK: f"dingfeng-live-x{token}1"},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        assert any(f"pid={process.pid}" in one for one in Belongings(token).left())
        process.kill()


def test_results_that_cannot_be_read_are_told_from_none(tmp_path: Path) -> None:
    """No directory, an empty one, and one that is damaged."""
    assert _report(tmp_path / "none") == "no directory"
    assert _report(tmp_path) == "said: nothing"
