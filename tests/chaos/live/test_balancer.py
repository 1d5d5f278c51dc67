"""The edge as a process: it chooses as the simulated one does, skips the dead, and makes up no answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from zlib import crc32

import pytest

from reference_platform.adapters.seals import NONCE
from tests.chaos.live.stage import HOST, Stage, until

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
