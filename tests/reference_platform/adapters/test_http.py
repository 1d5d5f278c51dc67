"""Counterparties over HTTP: each way in which a call can end is one of the port's outcomes, and no other."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chaos.live.ports import Ports
from reference_platform.adapters.http import HttpChannel, HttpNotifier, HttpSupplier, Line, client
from reference_platform.adapters.seals import MacCheck
from reference_platform.adapters.wall import WallWaits
from reference_platform.ports import (
    BillLine,
    ChargeState,
    OutcomeUnknown,
    PortError,
    Rejected,
    SupplierReply,
    Unreachable,
)
from sim.counterparties.adapters import CALL_TIMEOUT_US, SUBMIT_TIMEOUT_US


class Scripted:
    """Answers every call alike."""

    def __init__(self) -> None:
        self.status, self.raw = 200, b"{}"
        self.breaks_off = False
        self.silent = threading.Event()
        self.silent.set()
        self.got: list[tuple[str, bytes]] = []
        self.port = 0


@contextmanager
def party() -> Iterator[Scripted]:
    """A counterparty, while the block lasts."""
    script = Scripted()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            script.got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            script.silent.wait(60)
            if script.breaks_off:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(script.status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(script.raw)))
            self.end_headers()
            self.wfile.write(script.raw)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = False

        def handle_error(self, *_: Any) -> None:
            """Its caller has gone."""

    with Server(("127.0.0.1", 0), Answer) as server:
        script.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield script
        finally:
            script.silent.set()
            server.shutdown()
            thread.join()


class Patient(WallWaits):
    """Time-outs come twenty times later: nothing here is slow but the machine."""

    async def within(self, us: int, awaitable: Any, *, daemon: bool = False) -> Any:
        return await super().within(us * 20, awaitable)


class Hasty(WallWaits):
    """Time-outs come ten times sooner; remembers them."""

    def __init__(self) -> None:
        self.asked_us: list[int] = []

    async def within(self, us: int, awaitable: Any, *, daemon: bool = False) -> Any:
        self.asked_us.append(us)
        return await super().within(us // 10, awaitable)


def _ask(port: int, call: Callable[[Line], Coroutine[Any, Any, Any]], waits: WallWaits | None = None) -> Any:
    async def main() -> Any:
        async with client() as session:
            return await call(Line("them", f"http://127.0.0.1:{port}", session, waits or Patient()))

    return asyncio.run(main())


def _channel(line: Line) -> HttpChannel:
    return HttpChannel("wechat", "app", line, MacCheck(b"key"))


def _query(line: Line) -> Coroutine[Any, Any, ChargeState]:
    return _channel(line).query("O1/c1")


def _end(port: int) -> PortError:
    with pytest.raises(PortError) as caught:
        _ask(port, _query)
    return caught.value


def test_no_connection_is_unreachable() -> None:
    """Nobody listens: certainly no effect."""
    with Ports() as ports:
        assert type(_end(ports.free())) is Unreachable


def test_a_503_is_unreachable_and_a_code_is_a_rejection() -> None:
    """Both are answers that say: no effect."""
    with party() as script:
        script.status, script.raw = 503, b'{"code":"DOWN"}'
        assert type(_end(script.port)) is Unreachable
        script.status, script.raw = 400, b'{"code":"ORDERPAID"}'
        error = _end(script.port)
        assert isinstance(error, Rejected)
        assert error.code == "ORDERPAID"


@pytest.mark.parametrize(
    ("status", "raw"),
    [
        (200, b""),
        (200, b"{}"),
        (200, b'{"status":1}'),
        (200, b'{"status":"SUCCESS"'),
        (200, b"<html>"),
        (200, b'{"status":"\xff"}'),
        (200, b'{"x":' + b"[" * 3000),
        (400, b'{"code":"\xff"}'),
        (204, b""),
        (302, b""),
        (400, b"{}"),
        (400, b"oops"),
        (404, b'{"code":"X"}'),
        (500, b'{"code":"X"}'),
        (502, b""),
        (504, b""),
    ],
)
def test_whatever_is_no_answer_is_unknown(status: int, raw: bytes) -> None:
    """A proxy's page, half an answer, a redirection: it may have had its effect all the same. Asked once."""
    with party() as script:
        script.status, script.raw = status, raw
        assert type(_end(script.port)) is OutcomeUnknown
        assert len(script.got) == 1


def test_a_connection_that_breaks_is_unknown() -> None:
    """The request was taken; what came of it nobody says. It is not sent again."""
    with party() as script:
        script.breaks_off = True
        assert type(_end(script.port)) is OutcomeUnknown
        assert len(script.got) == 1


def test_silence_is_unknown_after_the_calls_own_time_out() -> None:
    """5 s, for a submit 10 s, of the host's time: as in the simulated world."""
    with party() as script:
        script.silent.clear()
        waits = Hasty()

        async def both(line: Line) -> None:
            with pytest.raises(OutcomeUnknown):
                await _query(line)
            with pytest.raises(OutcomeUnknown):
                await HttpSupplier("alpha", line, MacCheck(b"key")).submit("O1/s1", "phone", "138", 1)

        _ask(script.port, both, waits)
        assert waits.asked_us == [CALL_TIMEOUT_US, SUBMIT_TIMEOUT_US]


def test_calls_and_answers_have_the_ports_types() -> None:
    """Each call goes to its path with its fields, and its answer is what the port promises."""
    with party() as script:

        def said(raw: bytes, call: Callable[[Line], Coroutine[Any, Any, Any]]) -> Any:
            script.raw = raw
            return _ask(script.port, call)

        assert said(b'{"code_url":"pay://1"}', lambda line: _channel(line).create("c", 100, 7)) == "pay://1"
        assert script.got[-1] == ("/create", b'{"charge_no":"c","amount_fen":100,"expires_us":7}')
        assert said(b'{"status":"NOTPAY"}', _query) == ChargeState("NOTPAY")
        paid = b'{"status":"SUCCESS","paid_fen":5,"transaction_id":"T","paid_us":9}'
        assert said(paid, _query) == ChargeState("SUCCESS", 5, "T", 9)
        assert said(b'{"status":"CLOSED"}', lambda line: _channel(line).close("c")) is None
        assert said(b"{}", lambda line: _channel(line).refund("r", "c", 5)) is None
        assert said(b'{"status":"PROCESSING"}', lambda line: _channel(line).query_refund("r")) == "PROCESSING"
        lines = said(b'{"lines":[[9,"capture","c","T",5]]}', lambda line: _channel(line).bill(0, 10))
        assert lines == [BillLine("capture", "c", "T", 5, 9)]
        reply = b'{"status":"success","delivered":1,"cost_fen":80}'
        asked = said(reply, lambda line: HttpSupplier("alpha", line, MacCheck(b"key")).query("a"))
        assert asked == SupplierReply("success", 1, 80)


def test_a_lost_notice_is_nobodys_error() -> None:
    """Best effort: sent, and whatever comes of it."""
    with party() as script:
        for script.status in (200, 400, 503, 500):
            _ask(script.port, lambda line: HttpNotifier(line).notify("u1", "paid", "O1", {"fen": (1, 2)}))
        assert script.got[0] == (
            "/notices",
            b'{"user":"u1","topic":"paid","order_id":"O1","data":{"fen":[1,2]}}',
        )
    _ask(script.port, lambda line: HttpNotifier(line).notify("u1", "paid", "O1", {}))
