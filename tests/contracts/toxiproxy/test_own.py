"""What only our server does: a seed that works, proxies born with their toxics, books, and no crash on odd attributes."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from chaos.toxiproxy.connection import Connection
from chaos.toxiproxy.draws import Draws
from chaos.toxiproxy.listening import Listener
from chaos.toxiproxy.proxy import Proxy
from chaos.toxiproxy.slicing import pieces
from sim.randomness import Streams
from tests.contracts.toxiproxy.lines import PATIENCE_S, End, Line, toxic, until
from tests.contracts.toxiproxy.servers import ROOT, SEED, Server, running
from tests.undisturbed import undisturbed


def hits(server: Server, connections: int = 40) -> str:
    """Which connections a toxicity of one half hits, by number."""
    found = ""
    with Line.through(server, [toxic("limit_data", toxicity=0.5, bytes=0)], "seeded") as line:
        for _ in range(connections):
            client, upstream = line.pair()
            upstream.send(b"a")
            upstream.close()
            found += "x" if client.rest().data == b"" else "."
    return found


def cut_at(server: Server, seed: int) -> bool:
    """Whether a slicer with variation cuts the first chunk where the seed says, as far as can be seen.

    Pieces that have piled up here are seen as one.
    """
    body = toxic("slicer", average_size=200, size_variation=80, delay=30_000)
    draws = Draws(Streams(seed), ("seeded", 1, "downstream", "slicer_downstream"))
    wanted = set(accumulate(pieces(1_500, 200, 80, draws.around)))

    def seen() -> set[int]:
        with Line.through(server, [body], "seeded") as line:
            client, upstream = line.pair()
            upstream.send(bytes(1_500))
            return set(accumulate(len(data) for data, _ in client.arrivals(1_500)))

    found = undisturbed(seen, lambda found: len(found) > 3)
    assert len(found) > 3
    return found <= wanted


def test_the_same_seed_does_the_same_to_the_same_connections() -> None:
    """Toxicity by the connection's number, cuts by the chunk's; another seed does something else."""
    seen = []
    for seed in ("5", "5", "6"):
        with running("embedded", "--seed", seed) as server:
            seen.append((hits(server), cut_at(server, 5)))
    assert seen[0] == seen[1]
    assert seen[0][0] != seen[2][0]
    assert [as_five for _, as_five in seen] == [True, True, False]


def test_toxicity_is_rolled_once_and_held_against_what_it_is_changed_to(embedded: Server) -> None:
    """A connection that 0.5 hits is hit by 0.6 too: what is raised never spares, what is lowered never adds."""
    with Line.through(embedded, [toxic("timeout", toxicity=0.5, timeout=0)]) as line:
        pairs = [line.pair() for _ in range(30)]
        streams = Streams(SEED)

        def hit(toxicity: float) -> list[bool]:
            sites = [("line", n, "downstream", "timeout_downstream") for n in range(1, 31)]
            return [Draws(streams, site).hit(toxicity) for site in sites]

        def silenced(expected: list[bool]) -> list[bool]:
            for _, upstream in pairs:
                upstream.send(b"a")
            spared = [client for (client, _), is_hit in zip(pairs, expected, strict=True) if not is_hit]
            assert [client.take(1) for client in spared] == [b"a"] * len(spared)
            return [client.rest(0.02).data == b"" for client, _ in pairs if client not in spared]

        half, more = hit(0.5), hit(0.8)
        assert all(silenced(half))
        line.change("timeout_downstream", {"toxicity": 0.8})
        assert all(silenced(more))
        assert 0 < sum(half) < sum(more) <= 30
        assert all(later for before, later in zip(half, more, strict=True) if before)


def test_a_proxy_is_born_with_its_toxics(embedded: Server) -> None:
    """`toxics` in POST /proxies and in /populate; one that cannot be made leaves no proxy behind."""
    body = {"name": "born", "upstream": "127.0.0.1:1", "listen": "127.0.0.1:0", "toxics": [toxic("latency")]}
    made = embedded.done("POST", "/proxies", body)
    assert [one["name"] for one in made["toxics"]] == ["latency_downstream"]
    told = embedded.done("POST", "/populate", [{**body, "name": "grown"}])
    assert [one["name"] for one in told["proxies"][0]["toxics"]] == ["latency_downstream"]
    for wrong in ([{"type": "fog"}], [toxic("latency"), toxic("latency")]):
        assert embedded.ask("POST", "/proxies", {**body, "name": "ill", "toxics": wrong}).status in {400, 409}
    assert set(embedded.done("GET", "/proxies")) == {"born", "grown"}


def test_the_books_tell_connections_and_bytes_of_each_toxic(embedded: Server) -> None:
    """A toxic that touched nothing shows zeros; a removed one keeps its line; a cut connection is counted."""
    with Line.through(embedded, [toxic("latency", latency=1), toxic("latency", "upstream")]) as line:
        client, upstream = line.pair()
        line.pair()
        upstream.send(b"abcd")
        client.take(4)
        line.remove("latency_downstream")
        told = embedded.done("GET", "/proxies/line/touched")
        assert told == {
            "connections": 2,
            "open": 2,
            "unreached": 0,
            "dropped": 0,
            "bytes": {"upstream": 0, "downstream": 4},
            "toxics": {
                "latency_downstream": {"connections": 1, "bytes": 4},
                "latency_upstream": {"connections": 0, "bytes": 0},
            },
        }
        line.enable(enabled=False)
        told = embedded.done("GET", "/touched")["line"]
        assert (told["open"], told["dropped"]) == (0, 2)
        metrics = embedded.done("GET", "/metrics").splitlines()
        wanted = 'toxiproxy_proxy_sent_bytes_total{direction="downstream"'
        assert [text.rsplit(" ", 1)[1] for text in metrics if text.startswith(wanted)] == ["4"]


@pytest.mark.parametrize("path", ["/proxies", "/populate"])
@pytest.mark.parametrize("body", [b'{"name": "\xff"}', b'{"x":' + b"[" * 3000])
def test_bytes_that_are_no_document_are_refused_and_no_fault_of_the_server(
    embedded: Server, path: str, body: bytes
) -> None:
    """Bad UTF-8 and endless nesting are errors of their own kinds in Python; a client hears 400 all the same."""
    answer = embedded.ask("POST", path, body)
    assert answer.status == 400
    assert answer.body["error"].startswith("bad request body: ")


@pytest.mark.parametrize(
    "attributes",
    [
        {"average_size": 0},
        {"average_size": 3, "size_variation": 50},
        {"average_size": -5, "size_variation": -2},
    ],
)
def test_a_slicer_with_odd_attributes_still_passes_every_byte(
    embedded: Server, attributes: dict[str, int]
) -> None:
    """The upstream server ends itself on the first of these."""
    with Line.through(embedded, [{"type": "slicer", "attributes": attributes}]) as line:
        client, upstream = line.pair()
        upstream.send(bytes(range(200)))
        assert client.take(200) == bytes(range(200))


def test_reset_peer_resets_connections_that_were_open_before_it_came(embedded: Server) -> None:
    """The upstream server closes those with FIN; a fault of a live run means what its name says."""
    with Line.through(embedded) as line:
        client, upstream = line.pair()
        line.add(toxic("reset_peer", timeout=0))
        upstream.send(b"a")
        assert client.rest()[:2] == (b"", "rst")
        assert upstream.rest().end == "rst"


def test_a_reader_who_does_not_read_makes_the_sender_wait(embedded: Server) -> None:
    """Memory is bounded: what nobody takes stays with its sender, toxics or not."""
    for toxics in ([], [toxic("latency", latency=60_000)], [toxic("bandwidth", rate=1)]):
        with Line.through(embedded, toxics) as line:
            _client, upstream = line.pair()
            upstream.plug.settimeout(0.5)
            with pytest.raises(TimeoutError):
                upstream.send(bytes(64_000_000))
            received = embedded.done("GET", "/proxies/line/touched")["bytes"]["downstream"]
            assert received < 16_000_000


def test_hundreds_of_connections_at_once_are_served_and_cut(embedded: Server) -> None:
    """Each has its own bytes; disabling closes every one before it answers."""
    with Line.through(embedded, [toxic("latency", latency=50)]) as line:
        pairs = [line.pair() for _ in range(400)]
        for number, (_, upstream) in enumerate(pairs):
            upstream.send(number.to_bytes(2, "big"))
        assert [int.from_bytes(client.take(2), "big") for client, _ in pairs] == list(range(400))
        line.enable(enabled=False)
        assert embedded.done("GET", "/proxies/line/touched")["open"] == 0
        assert {client.rest().end for client, _ in pairs} == {"fin"}


def test_no_connection_slips_through_while_a_proxy_is_being_closed(embedded: Server) -> None:
    """Clients that come in the very moment: after the answer nothing is open, and every client is told.

    At the latest when it says something: a client whose handshake was under way when the address was closed
    hears nothing of it from the machine until then.
    """
    with Line.through(embedded) as line:
        clients: list[End] = []
        toggling = threading.Event()

        def knock() -> None:
            while not toggling.is_set() and len(clients) < 300:
                with suppress(ConnectionError):
                    clients.append(line.client())

        knocking = threading.Thread(target=knock)
        knocking.start()
        for _ in range(8):
            line.enable(enabled=False)
            assert embedded.done("GET", "/proxies/line/touched")["open"] == 0
            line.enable(enabled=True)
        line.enable(enabled=False)
        toggling.set()
        knocking.join()
        assert embedded.done("GET", "/proxies/line/touched")["open"] == 0
        assert clients
        until_s = time.monotonic() + PATIENCE_S  # for all of them
        for client in clients:
            with suppress(OSError):
                client.send(b"?")
            assert client.rest(max(until_s - time.monotonic(), 0.1)).end in {"fin", "rst"}


def test_a_client_accepted_in_the_turn_in_which_its_proxy_was_stopped_is_cut() -> None:
    """The loop has accepted it already and tells the proxy only afterwards."""

    async def story() -> dict[str, Any]:
        proxy = Proxy("late", "127.0.0.1:0", "127.0.0.1:1", Streams(0))
        await proxy.start()
        await proxy.stop()
        loop = asyncio.get_running_loop()
        near, far = socket.socketpair()
        with far:
            far.setblocking(False)
            await loop.create_connection(lambda: Connection(proxy, loop).client, sock=near)
            assert await asyncio.wait_for(loop.sock_recv(far, 1), PATIENCE_S) == b""
        return proxy.touched()

    told = asyncio.run(story())
    assert (told["connections"], told["open"]) == (0, 0)


class Short(socket.socket):
    """A listening socket on a system that has no file left for its first client."""

    tries = 0

    def accept(self) -> tuple[socket.socket, Any]:
        self.tries += 1
        if self.tries == 1:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return super().accept()


def test_a_client_that_no_file_is_left_for_is_served_when_there_is_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The listener takes a breath and says why; the client waits in the system's queue."""
    monkeypatch.setattr("chaos.toxiproxy.listening.BREATH_S", 0.01)

    class Greeter(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            transport.write(b"served")
            transport.close()

    async def story() -> bytes:
        plug = Short(socket.AF_INET, socket.SOCK_STREAM)
        plug.setblocking(False)
        plug.bind(("127.0.0.1", 0))
        plug.listen()
        listener = Listener(plug, Greeter)
        reader, writer = await asyncio.open_connection(*plug.getsockname())
        told = await asyncio.wait_for(reader.read(), PATIENCE_S)
        writer.close()
        await listener.close()
        return told

    assert asyncio.run(story()) == b"served"
    assert caplog.messages == ["cannot accept: Too many open files"]


@pytest.fixture
def front_door(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """`dingfeng toxiproxy` with a configuration of one proxy, and its first line."""
    config = tmp_path / "proxies.json"
    config.write_text(
        json.dumps([{"name": "a", "upstream": "127.0.0.1:1", "listen": "127.0.0.1:0"}]), "utf-8"
    )
    command = [sys.executable, str(ROOT / "dingfeng.py"), "toxiproxy", "--port", "0", "--seed", "3", "--json"]
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen([*command, "--config", str(config)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        )
        stack.callback(process.kill)
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_the_front_door_runs_it_alone_until_a_signal(
    front_door: tuple[subprocess.Popen[str], Any], number: int, code: int
) -> None:
    """It says where it listens and with which seed; afterwards no socket listens, whatever was open."""
    process, told = front_door
    assert told["seed"] == 3
    port = int(told["url"].rsplit(":", 1)[1])
    server = Server("embedded", port)
    proxy = int(server.done("GET", "/proxies")["a"]["listen"].rsplit(":", 1)[1])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        upstream = f"127.0.0.1:{listener.getsockname()[1]}"
        server.done("POST", "/proxies", {"name": "b", "upstream": upstream, "listen": "127.0.0.1:0"})
        address = server.done("GET", "/proxies/b")["listen"].split(":")
        with socket.create_connection((address[0], int(address[1]))) as client, listener.accept()[0]:
            until(lambda: server.done("GET", "/touched")["b"]["open"] == 1)
            os.kill(process.pid, number)
            assert process.wait(PATIENCE_S) == code
            client.settimeout(PATIENCE_S)
            assert client.recv(1) == b""
    for left in (port, proxy, int(address[1])):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", left))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ('[{"name": "a"}]', "missing required field: upstream at proxy 1"),
        (None, "No such file"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_one_message_and_exit_2(
    tmp_path: Path, config: str | None, message: str
) -> None:
    """It names the file and what is wrong in it."""
    file = tmp_path / "proxies.json"
    if config is not None:
        file.write_text(config, "utf-8")
    command = [sys.executable, str(ROOT / "dingfeng.py"), "toxiproxy", "--port", "0", "--config", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert str(file) in done.stderr
    assert done.stderr.count("\n") == 1
