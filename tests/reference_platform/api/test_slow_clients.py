"""Clients that are slow on purpose hold a connection for a bounded time, and nobody else up.

Limits here are fractions of a second; nothing is asserted to be faster than anything. Clients that are not
meant to be slow have a minute, or try again when a busy machine made them so.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress

import pytest

from reference_platform.api.guard import Limits
from tests.chaos.live.stage import until
from tests.reference_platform.api.served import Served, served
from tests.undisturbed import undisturbed

LIMITS = Limits(head_s=0.4, body_s=0.4, idle_s=1.0)
PATIENT = Limits(head_s=60, body_s=60, idle_s=60)
HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
HEAD = b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"


@pytest.fixture
def here() -> Iterator[Served]:
    """Has no patience."""
    with served(LIMITS) as running:
        yield running


@pytest.fixture
def patient() -> Iterator[Served]:
    """Has a minute for everybody."""
    with served(PATIENT) as running:
        yield running


def _connect(here: Served) -> socket.socket:
    return socket.create_connection(("127.0.0.1", here.port), timeout=60)


def _rest(connection: socket.socket) -> bytes:
    """Everything until the server hangs up; fails after a minute."""
    answer = b""
    with suppress(ConnectionResetError):
        while more := connection.recv(65_536):
            answer += more
    return answer


def _dribble(connection: socket.socket, what: bytes, here: Served) -> None:
    """A byte now and then, until the server has had enough."""
    known = len(here.lines)
    connection.settimeout(0.05)
    for byte in what * 100:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.send(bytes([byte]))
        if len(here.lines) > known:
            break
        with suppress(TimeoutError):
            if connection.recv(1, socket.MSG_PEEK):
                break
    connection.settimeout(60)


def test_a_head_that_never_ends_is_cut_off(here: Served) -> None:
    """However faithfully it sends a byte now and then: the clock runs from the first."""
    with closing(_connect(here)) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nX: ")
        _dribble(connection, b"a", here)
        assert _rest(connection).startswith(b"HTTP/1.1 408 ")
    assert here.lines[-1]["why"] == "the head took too long"


def test_a_body_that_never_ends_is_cut_off(here: Served) -> None:
    """The same for what was announced and does not come."""
    with closing(_connect(here)) as connection:
        connection.sendall(HEAD)
        _dribble(connection, b"1", here)
        assert _rest(connection).startswith(b"HTTP/1.1 408 ")
    assert "the body took too long" in {line.get("why") for line in here.lines}


def test_a_connection_that_says_nothing_is_closed(here: Served) -> None:
    """At once after connecting, or between two requests."""
    with closing(_connect(here)) as connection:
        assert _rest(connection) == b""

    def answered() -> bool:
        with closing(_connect(here)) as connection, suppress(BrokenPipeError):
            connection.sendall(HEALTH)
            return _rest(connection).startswith(b"HTTP/1.1 200 ")
        return False

    assert undisturbed(answered, bool)


def test_others_are_served_meanwhile(patient: Served) -> None:
    """A hundred half requests, and a whole one is answered."""
    with ExitStack() as stack:
        for _ in range(100):
            half = stack.enter_context(closing(_connect(patient)))
            half.sendall(HEAD[:40])
        with closing(_connect(patient)) as connection:
            connection.sendall(HEALTH.replace(b"Host: x", b"Host: x\r\nConnection: close"))
            assert _rest(connection).endswith(b'{"node":"n","status":"up"}')


def test_a_request_in_two_halves_is_served(patient: Served) -> None:
    """Slow is not wrong, as long as it is in time; the deadline is that of each request, not of the connection."""
    with closing(_connect(patient)) as connection:
        for _ in range(3):
            connection.sendall(HEALTH[:25])
            connection.sendall(HEALTH[25:])
            answer = b""
            while not answer.endswith(b'"up"}'):
                answer += connection.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 200 ")


def test_waiting_for_an_answer_is_not_slowness(here: Served) -> None:
    """A platform that takes its time does not make its client slow, even past every deadline of clients."""
    bearer = here.bearer["Authorization"]
    request = f"GET /products/slow HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer}\r\n\r\n"
    assert here.echo is not None
    with ExitStack() as stack:

        def asked() -> socket.socket | None:
            connection = stack.enter_context(closing(_connect(here)))
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(request.encode())
                connection.settimeout(2 * LIMITS.idle_s)
                try:
                    connection.recv(1)
                except TimeoutError:
                    return connection
            return None

        connection = undisturbed(asked, lambda connection: connection is not None)
        assert connection is not None
        assert here.echo.at_once > 0
        here.go_on()
        connection.settimeout(60)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_hangs_up_in_the_middle_is_no_bug(patient: Served) -> None:
    """On every route with a body: its fault, and one line of the log."""
    for path in (b"/orders", b"/callbacks/wechat", b"/callbacks/suppliers/alpha"):
        known = len(patient.lines)
        with closing(_connect(patient)) as connection:
            connection.sendall(HEAD.replace(b"/orders", path) + b"1")
        until(lambda known=known: len(patient.lines) > known, "logged")  # type: ignore[misc]
        (line,) = patient.lines[known:]
        assert (line["event"], line["status"]) in (("refused", 400), ("refused", 401)), line


def test_what_is_left_of_slow_clients_is_nothing(here: Served) -> None:
    """When they are gone, so are their deadlines: the log falls silent."""
    with closing(_connect(here)) as connection:
        connection.sendall(HEAD)
    until(lambda: bool(here.lines), "it is noticed that it has gone")
    known = len(here.lines)
    with closing(_connect(here)) as connection:  # idles for longer than the deadline of the one before
        _rest(connection)
    assert all(
        line["event"] == "refused" and "took too long" not in line.get("why", "")
        for line in here.lines[known:]
    )
