from __future__ import annotations

import socket
import subprocess
import sys

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


def test_a_port_somebody_listens_on_is_passed_over() -> None:
    """Whoever it is."""
    with Ports() as ports:
        first = ports.free()
    with socket.create_server(("127.0.0.1", first)), Ports() as ports:
        assert listens(first)
        assert ports.free() != first
    assert not listens(first)


def test_the_ports_of_a_killed_run_are_free_again() -> None:
    """The kernel gives reservations back, however the process ended."""
    code = (
        "import os, sys; from chaos.live.ports import Ports; ports = Ports(); ports._next = 0;"
        "print(ports.free(), flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    with Ports() as ports:
        ports._next = 0
        assert ports.free() == int(done.stdout)


def test_what_was_given_and_is_listened_on_is_known() -> None:
    """So that nothing of a run goes on listening unnoticed."""
    with Ports() as ports:
        port, _ = ports.free(), ports.free()
        with socket.create_server(("127.0.0.1", port)):
            assert ports.listening() == [port]
        assert ports.listening() == []
