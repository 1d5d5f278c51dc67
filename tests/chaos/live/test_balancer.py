"""The edge as a process: it chooses as the simulated one does, skips the dead, and makes up no answers."""

from __future__ import annotations

import asyncio
import base64
import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from chaos.history import Fault
from chaos.live import serving
from chaos.live.balancer import end_to_end
from chaos.live.ports import Ports
from reference_platform.adapters.seals import NONCE
from tests.chaos.live.stage import HOST, Stage, until
from tests.chaos.worlds import storm

USERS = [f"u{n}" for n in range(8)]


class Node:
    """A node that answers 404 with its name and keeps what it was sent; or breaks off."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.got: list[tuple[str, str, dict[str, str], bytes]] = []
        self.breaks_off = False


@contextmanager
def node(stage: Stage, name: str) -> Iterator[Node]:
    """A node at its port, while the block lasts."""
    here = Node(name)

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            here.got.append((self.command, self.path, dict(self.headers.items()), raw))
            if here.breaks_off:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(404)
            self.send_header("X-Request-Id", "mine")
            self.send_header("Retry-After", "7")
            self.end_headers()
            self.wfile.write(name.encode())

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """A probe that connects and says nothing is no error."""

    with Server((HOST, stage.ports[name]), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield here
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The balancer alone, in front of three ports."""
    folder = tmp_path_factory.mktemp("edge")
    with Stage(folder, database=False, nodes=3, parts=("edge",)) as world:
        yield world


def _chosen(stage: Stage, key: str) -> str:
    return stage.nodes[crc32(key.encode()) % 3]


def test_a_user_sticks_to_one_node_by_name(stage: Stage) -> None:
    """By the name in the token, as in the simulated world: the same user meets the same node in both."""
    with ExitStack() as stack:
        for name in stage.nodes:
            stack.enter_context(node(stage, name))
        for user in USERS * 2:
            assert stage.ask("GET", "/wallet", user=user).raw.decode() == _chosen(stage, user)
    assert len({_chosen(stage, user) for user in USERS}) == 3


def test_a_callback_goes_by_its_nonce(stage: Stage) -> None:
    """Each attempt has another, so retries come round to other nodes."""
    with ExitStack() as stack:
        for name in stage.nodes:
            stack.enter_context(node(stage, name))
        for n in range(8):
            nonce = f"O1/c1.n1.{n}"
            answer = stage.ask("POST", "/callbacks/wechat", raw=b"{}", headers={NONCE: nonce})
            assert answer.raw.decode() == _chosen(stage, nonce)


def test_a_dead_node_is_skipped(stage: Stage) -> None:
    """The next one that is up takes its users; nothing was sent to the dead."""
    with node(stage, "platform-2") as only:
        for user in USERS:
            assert stage.ask("GET", "/wallet", user=user).raw == b"platform-2"
        assert len(only.got) == len(USERS)


def test_nobody_there_is_a_refusal(stage: Stage) -> None:
    """503 `refused`: certainly no effect."""
    answer = stage.ask("POST", "/orders", {}, user="u1")
    assert (answer.status, answer.body) == (503, {"error": "refused"})


def test_a_node_that_breaks_off_is_no_answer(stage: Stage) -> None:
    """The request may have had its effect: it is not sent to another node, and the caller hears nothing."""
    with (
        node(stage, "platform-1") as first,
        node(stage, "platform-2") as second,
        node(stage, "platform-3") as third,
    ):
        for one in (first, second, third):
            one.breaks_off = True
        silence = stage.ask_in_vain("POST", "/orders", {}, to="edge")
        assert silence in ("RemoteDisconnected", "ConnectionResetError")
        assert len(first.got) + len(second.got) + len(third.got) == 1


def test_what_passes_is_not_touched(stage: Stage) -> None:
    """Method, path, query, bytes and headers on the way in; status, body and headers on the way out."""
    raw = b'{"a" :1}\n\xff'
    headers = {"X-Pay-Signature": "abc=", "Content-Type": "application/json", "X-Request-Id": "mine"}
    with node(stage, "platform-3") as only:
        answer = stage.ask("POST", "/callbacks/a%2Fb%20%41?x=%00&y", raw=raw, headers=headers)
        assert (answer.status, answer.raw) == (404, b"platform-3")
        assert (answer.headers["x-request-id"], answer.headers["retry-after"]) == ("mine", "7")
        ((method, path, got, body),) = only.got
        assert (method, path, body) == ("POST", "/callbacks/a%2Fb%20%41?x=%00&y", raw)
        carried = {name.lower(): text for name, text in got.items()}
        assert {name: carried[name.lower()] for name in headers} == headers


def test_a_frozen_node_is_not_noticed_until_the_time_out(stage: Stage) -> None:
    """It still takes connections; after 60 s of run time the caller's connection ends without an answer."""
    with ExitStack() as stack:
        for name in stage.nodes:
            frozen = stack.enter_context(closing(socket.create_server((HOST, stage.ports[name]))))
            frozen.listen(16)
        silences: list[str] = []
        caller = threading.Thread(
            target=lambda: silences.append(stage.ask_in_vain("GET", "/wallet", None, to="edge"))
        )
        caller.start()
        until(lambda: any(look.working for look in stage.clock.looks()), "under way")
        until(lambda: any(0 < look.due_us < 1 << 61 for look in stage.clock.looks()), "timed")
        assert not silences
        stage.clock.leap_to(stage.clock.now_us() + 61_000_000)
        caller.join(60)
        assert silences


DEEP = base64.urlsafe_b64encode(b'{"a":' + b"[" * 4000).rstrip(b"=")
HOSTILE = {
    "a body that is not packed as it says": (b"POST /orders", b"Content-Encoding: gzip", b"not packed", 404),
    "a packing that nobody knows": (b"POST /orders", b"Content-Encoding: br", b"not packed", 404),
    "a server of the caller's choice": (b"GET http://127.0.0.1:1/wallet", b"X-A: 1", b"", 400),
    "a path with the end of a line in it": (b"GET /%0d%0a", b"X-A: 1", b"", 404),
    "a token without a bottom": (b"GET /wallet", b"Authorization: Bearer a." + DEEP + b".c", b"", 404),
    "a nonce that is no text": (b"POST /callbacks/wechat", b"X-Pay-Nonce: \xff\xfe", b"{}", 404),
    "a header that is no text": (b"GET /wallet", b"X-A: \xff\xfe", b"", 404),
    "a chunk without a length": (b"POST /orders", b"Transfer-Encoding: chunked", b"ZZ\r\nabc\r\n", 400),
    "an upgrade": (b"GET /wallet", b"Connection: Upgrade\r\nUpgrade: websocket", b"", 404),
    "a wish to be told to go on": (b"POST /orders", b"Expect: 100-continue", b"{}", 100),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_that_a_caller_sends_is_a_bug_of_the_balancer(stage: Stage, name: str) -> None:
    """A bug ends the process, so one request could take the platform away from everybody."""
    asked, header, body, status = HOSTILE[name]
    length = b"" if b"chunked" in header else b"Content-Length: %d\r\n" % len(body)
    head = asked + b" HTTP/1.1\r\nHost: x\r\n" + length + header + b"\r\n\r\n"
    with node(stage, "platform-1"), socket.create_connection((HOST, stage.ports["edge"]), 60) as line:
        line.sendall(head + body)
        assert line.recv(4096).split()[1] == str(status).encode()
    stage.supervisor.check()


def test_what_is_packed_stays_packed(stage: Stage) -> None:
    """The signature of a callback is over the bytes that were sent."""
    raw = gzip.compress(b"{}")
    with node(stage, "platform-2") as only:
        stage.ask("POST", "/callbacks/wechat", raw=raw, headers={"Content-Encoding": "gzip"})
        assert only.got[0][3] == raw


def test_the_balancer_adds_no_header_of_its_own(stage: Stage) -> None:
    """Else a body of no type would pass for JSON behind it, and be refused without it."""
    with node(stage, "platform-2") as only:
        stage.ask("POST", "/orders", raw=b"{}")
        added = {"accept", "content-type", "user-agent"}
        assert added.isdisjoint(name.lower() for name in only.got[0][2])


def test_headers_about_one_connection_do_not_pass_and_all_others_do() -> None:
    """Twice the same name is two headers; what `Connection` names is about that connection alone."""
    given = [("Connection", "close, X-Mine"), ("x-mine", "1"), ("Expect", "100-continue"), ("TE", "trailers")]
    passing = [("X-A", "1"), ("X-A", "2"), ("Authorization", "Bearer t")]
    passed = end_to_end(CIMultiDictProxy(CIMultiDict([*given, *passing])))
    assert list(passed.items()) == passing


def test_a_head_that_comes_word_by_word_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each such caller holds a connection; that he goes on talking does not give him more time."""
    monkeypatch.setattr(serving, "SILENT_S", 0.1)

    async def dribble(port: int) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"GET / HTTP/1.1\r\nX-A: ")
        while not reader.at_eof():
            writer.write(b"a")
            with suppress(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.01)
        writer.close()

    async def serve(port: int) -> None:
        async with serving.listening(web.Application(), [port], serving.Stop()):
            async with asyncio.timeout(60):
                await dribble(port)

    with Ports() as ports:
        asyncio.run(serve(ports.free()))


def test_a_message_to_a_node_is_struck_by_the_balancer(tmp_path: Path) -> None:
    """By action, who asks and how often: doubled here, and the first answer passed on; the other is not heard."""
    fault = {"fault": "link.duplicate", "between": ["edge", "platform-1"], "probability": 0.5}
    with (
        Stage(tmp_path, scenario=storm(fault), database=False, nodes=1, parts=("edge",)) as stage,
        node(stage, "platform-1") as only,
    ):
        for _ in range(8):
            assert stage.ask("GET", "/orders/O%201", user="u1").raw == b"platform-1"
        struck = [event.site for event in stage.events("edge") if isinstance(event, Fault)]
        until(lambda: len(only.got) == 8 + len(struck), "doubled")
    assert 0 < len(struck) < 8
    sites = [f"0/link.duplicate/edge->platform-1/view_order/u1/{n}" for n in range(1, 9)]
    assert [site for site in sites if site in struck] == struck
    assert {path for _, path, _, _ in only.got} == {"/orders/O%201"}
