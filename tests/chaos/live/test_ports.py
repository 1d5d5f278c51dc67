from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from chaos.live.ports import Ports, listens


def test_ports_are_free_distinct_and_below_those_of_outgoing_connections() -> None:
    """No connection of this machine can take one between here and the server's start."""
    with Ports() as ports:
        found = [ports.free() for _ in range(20)]
    assert len(set(found)) == 20
    assert all(20_000 <= port < 32_768 for port in found)


def test_two_runs_at_once_get_different_ports() -> None:
    """The one that comes second passes over what the first was given, though nobody listens there yet."""
    with Ports() as one, Ports() as other:
        assert not {one.free() for _ in range(20)} & {other.free() for _ in range(20)}


def test_a_port_somebody_listens_on_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever it is."""
    with socket.create_server(("127.0.0.1", 0)) as listener, Ports() as ports:
        port = listener.getsockname()[1]
        for bound in ("_FIRST", "_LAST"):
            monkeypatch.setattr(f"chaos.live.ports.{bound}", port)
        assert listens(port)
        with pytest.raises(OSError, match=f"every port from {port} to {port} is taken"):
            ports.free()


def test_the_ports_of_a_killed_run_are_free_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel gives reservations back, however the process ended."""
    port = 10_000 + os.getpid() % 10_000  # out of the range, so that nobody else is given it in between
    code = (
        "import os, chaos.live.ports as there; there._FIRST = there._LAST = "
        f"{port}; print(there.Ports().free(), flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert int(done.stdout) == port
    for bound in ("_FIRST", "_LAST"):
        monkeypatch.setattr(f"chaos.live.ports.{bound}", port)
    with Ports() as ports:
        assert ports.free() == port


def test_what_was_given_and_is_listened_on_is_known() -> None:
    """So that nothing of a run goes on listening unnoticed."""
    with Ports() as ports:
        port, _ = ports.free(), ports.free()
        with socket.create_server(("127.0.0.1", port)):
            assert ports.listening() == [port]
        assert ports.listening() == []
