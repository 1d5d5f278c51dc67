"""What the application makes of a platform's answers, whatever the platform is."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from threading import Thread

from reference_platform.api.guard import Limits
from tests.chaos.live.stage import until
from tests.reference_platform.api.served import Served, served


def _get(here: Served, path: str) -> tuple[int, bytes, HTTPResponse]:
    with closing(HTTPConnection("127.0.0.1", here.port, timeout=60)) as connection:
        connection.request("GET", path, headers=here.bearer)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer


def _logged(here: Served, lines: int) -> bool:
    return len(here.lines) >= lines


def test_a_bug_is_a_500_without_a_word_and_a_traceback_in_the_log() -> None:
    """The caller learns nothing of the house; whoever reads the log learns where to look."""
    with served(Limits()) as here:
        status, raw, _ = _get(here, "/products/bug")
        assert (status, raw) == (500, b'{"error": "internal"}')
        (bug,) = (line for line in here.lines if line["event"] == "bug")
        assert bug["where"] == "GET view_product"
        assert "KeyError: 'secret-of-the-house'" in bug["trace"]
        assert [type(met) for met in here.bugs] == [KeyError], "whoever runs the process hears of it"
        assert _get(here, "/products/game")[0] == 200
        assert len(here.bugs) == 1


def test_a_body_that_turns_out_to_be_no_http_is_no_bug() -> None:
    """It comes with a good head, so somebody is at work on it already: answered once, by 400, and the node lives on."""
    heads = (b"Content-Type: text/plain", b"Content-Type: application/json", b"Expect: 100-continue")
    with served(Limits()) as here:
        for number, head in enumerate(heads, start=1):
            asked = b"POST /orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + head
            with closing(socket.create_connection(("127.0.0.1", here.port), timeout=60)) as connection:
                connection.sendall(asked + b"\r\n\r\nno length\r\n")
                assert connection.recv(65_536).startswith(b"HTTP/1.1 400 ")
            logged = partial(_logged, here, 2 * number)
            until(logged, "both the bytes and the request are in the log")
        assert _get(here, "/wallet")[0] == 200
        assert here.bugs == []
        assert {line["event"] for line in here.lines} == {"refused", "served"}


def test_only_so_many_requests_are_worked_on_at_once() -> None:
    """The others wait in line: a database pool is not stormed by whoever comes first."""
    with served(Limits(), workers=2) as here:
        assert here.echo is not None
        askers = [Thread(target=_get, args=(here, "/products/slow")) for _ in range(6)]
        for asker in askers:
            asker.start()
        echo = here.echo
        until(lambda: echo.at_once == 2, "two are at work")
        here.go_on()
        for asker in askers:
            asker.join(60)
        assert echo.at_once_max == 2
        assert [line["status"] for line in here.lines] == [200] * 6


def test_every_answer_bears_the_number_that_the_log_has() -> None:
    """One's own if it is of a plain shape, else one that is made."""
    with served(Limits()) as here:
        numbers = [_get(here, "/wallet")[2].headers["X-Request-Id"] for _ in range(3)]
        assert len(set(numbers)) == 3
        assert [line["request_id"] for line in here.lines] == numbers


def test_the_platform_is_asked_by_action_user_and_body() -> None:
    """A route is no more than that."""
    with served(Limits()) as here:
        said = json.loads(_get(here, "/orders/order-1")[1])
        assert said == {"action": "view_order", "user": "ann", "body": {"order_id": "order-1"}}
