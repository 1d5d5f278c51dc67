"""Which Toxiproxy a run uses, how it is started, and what is said when it cannot be reached."""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path

import pytest

from chaos.live.toxic_evidence import Glimpses, connected
from chaos.live.toxics import Server, Toxiproxy, ToxiproxyError


def test_a_given_server_goes_before_an_installed_one_and_that_before_our_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order of choice; ours is always there."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Server.choose(None) == Server("embedded", sys.executable)
    program = tmp_path / "toxiproxy-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert Server.choose(None) == Server("installed", str(program))
    assert Server.choose("http://10.0.0.1:8474") == Server("given", "http://10.0.0.1:8474")


def test_each_server_is_started_with_what_it_understands() -> None:
    """Ours takes the seed; the installed one has no seed that works, and counts bytes; a given one runs already."""
    ours = Server("embedded", "python").command("127.0.0.1", 8475, 7)
    assert ours == [
        *("python", "-m", "chaos.toxiproxy"),
        *("--host", "127.0.0.1", "--port", "8475", "--seed", "7"),
    ]
    installed = Server("installed", "/bin/toxiproxy-server").command("127.0.0.1", 8475, 7)
    assert installed == ["/bin/toxiproxy-server", "-host", "127.0.0.1", "-port", "8475", "-proxy-metrics"]
    with pytest.raises(ValueError, match="runs already"):
        Server("given", "http://10.0.0.1:8474").command("127.0.0.1", 8475, 7)


@pytest.mark.parametrize(
    "url", ["localhost:8474", "https://localhost:8474", "http://", "http://localhost:many"]
)
def test_an_address_that_is_none_is_refused_with_an_example(url: str) -> None:
    """Before anything is asked."""
    with pytest.raises(ToxiproxyError, match="is not the address of a Toxiproxy"):
        Toxiproxy(url)


def test_a_server_that_says_nothing_is_an_error_after_the_time_out() -> None:
    """`toxiproxy-python` by itself would wait for ever."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        server = Toxiproxy(f"http://127.0.0.1:{mute.getsockname()[1]}", timeout_s=0.2)
        with pytest.raises(ToxiproxyError, match=r"GET /version: .*timed out"):
            server.version()


def test_a_server_that_is_not_there_is_told_in_plain_words() -> None:
    """Not by a nest of the classes through which the connection failed."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(ToxiproxyError) as caught:
            Toxiproxy(url).version()
    assert str(caught.value) == f"Toxiproxy at {url}: GET /version: nobody answers there"


def test_a_server_error_is_an_error() -> None:
    """`toxiproxy-python` takes a 500 for success."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def fail() -> None:
            plug, _ = listener.accept()
            with plug:
                plug.recv(1 << 16)
                plug.sendall(b"HTTP/1.1 500 Broken\r\nContent-Length: 4\r\n\r\nbang")

        answering = threading.Thread(target=fail)
        answering.start()
        with pytest.raises(ToxiproxyError, match="POST /reset: 500 bang"):
            Toxiproxy(f"http://127.0.0.1:{listener.getsockname()[1]}").reset()
        answering.join()


def test_the_kernels_table_shows_who_is_connected_to_a_port() -> None:
    """By the peers' ports; those who have left are not counted."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert connected(port) == frozenset()
        with socket.create_connection(("127.0.0.1", port)) as client, listener.accept()[0]:
            assert connected(port) == {client.getsockname()[1]}


def test_without_books_bytes_come_from_the_metrics_of_the_link_and_its_stream() -> None:
    """Other links and the other direction do not count; no metrics are no bytes."""
    told = "\n".join(
        f'toxiproxy_proxy_{verb}_bytes_total{{direction="{stream}",listener="l",proxy="{proxy}",upstream="u"}} {count}'
        for verb, stream, proxy, count in (
            ("received", "upstream", "users->edge", "1e+03"),
            ("received", "downstream", "users->edge", "20"),
            ("received", "upstream", "other", "300"),
            ("sent", "upstream", "users->edge", "4000"),
        )
    )
    begun = Glimpses(lambda _: None).before("127.0.0.1:1", "users->edge", "upstream")
    assert Glimpses(lambda _: told).of_toxic("users->edge", "upstream", "t", begun) == (0, 1000)
    assert Glimpses(lambda _: None).of_toxic("users->edge", "upstream", "t", begun) == (0, 0)
