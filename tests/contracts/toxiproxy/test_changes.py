"""Toxics that come, change and go while connections are open. No byte in flight is lost."""

from __future__ import annotations

import threading
import time

from tests.contracts.toxiproxy.lines import Line, toxic
from tests.contracts.toxiproxy.servers import Server


def test_a_toxic_comes_into_force_on_an_open_connection(server: Server) -> None:
    """The next byte is delayed."""
    with Line.through(server) as line:
        client, upstream = line.pair()
        upstream.send(b"a")
        client.take(1)
        line.add(toxic("latency", latency=300))
        began = time.monotonic()
        upstream.send(b"b")
        client.take(1)
        assert time.monotonic() - began >= 0.3


def test_new_attributes_are_in_force_on_an_open_connection(server: Server) -> None:
    """They are merged: what was not named stays."""
    with Line.through(server, [toxic("latency", latency=600_000, jitter=1)]) as line:
        client, upstream = line.pair()
        told = line.change("latency_downstream", {"attributes": {"latency": 100}})
        assert told["attributes"] == {"latency": 100, "jitter": 1}
        began = time.monotonic()
        upstream.send(b"a")
        client.take(1)
        assert time.monotonic() - began >= 0.09


def test_what_a_removed_toxic_held_goes_on_at_once(server: Server) -> None:
    """Three chunks held for a minute arrive whole and in order when the toxic goes."""
    with Line.through(server, [toxic("latency", latency=60_000)]) as line:
        client, upstream = line.pair()
        for data in (b"one", b"two", b"three"):
            upstream.send(data)
            time.sleep(0.02)
        assert client.rest(0.1)[:2] == (b"", "open")
        line.remove("latency_downstream")
        assert client.take(11) == b"onetwothree"


def test_a_stream_keeps_every_byte_while_toxics_come_and_go(server: Server) -> None:
    """Two megabytes through a connection on which toxics are added, changed and removed without pause."""
    data = bytes(i % 251 for i in range(2_000_000))
    with Line.through(server) as line:
        client, upstream = line.pair()

        def send() -> None:
            for start in range(0, len(data), 20_000):
                upstream.send(data[start : start + 20_000])
                time.sleep(0.002)
            upstream.close()

        sender = threading.Thread(target=send)
        seen = []
        reader = threading.Thread(target=lambda: seen.append(client.rest()))
        sender.start()
        reader.start()
        while sender.is_alive():
            line.add({**toxic("latency", latency=20, jitter=10), "name": "late"})
            line.add({**toxic("slicer", average_size=10_000, size_variation=3_000), "name": "cut"})
            line.change("late", {"attributes": {"latency": 2}})
            line.add({**toxic("bandwidth", rate=20_000), "name": "thin"})
            line.remove("late")
            line.remove("thin")
            line.remove("cut")
        sender.join()
        reader.join()
        assert (seen[0].data == data, seen[0].end) == (True, "fin")


def test_toxicity_is_the_share_of_connections_that_are_hit(server: Server) -> None:
    """Of 60 connections at one half, some are cut at the first byte and some are not."""
    with Line.through(server, [toxic("limit_data", toxicity=0.5, bytes=0)]) as line:
        hit = 0
        for _ in range(60):
            client, upstream = line.pair()
            upstream.send(b"a")
            upstream.close()
            hit += client.rest().data == b""
        assert 10 <= hit <= 50  # outside: less than one in ten million


def test_a_toxicity_of_zero_hits_nothing(server: Server) -> None:
    """It is there, shown, and without effect."""
    with Line.through(server, [toxic("limit_data", toxicity=0.0, bytes=0)]) as line:
        client, upstream = line.pair()
        upstream.send(b"a")
        assert client.take(1) == b"a"
        assert server.done("GET", "/proxies/line/toxics")[0]["toxicity"] == 0


def test_reset_enables_every_proxy_and_removes_every_toxic(server: Server) -> None:
    """Open connections live on, without toxics."""
    with Line.through(server, [toxic("latency", latency=60_000)]) as line:
        client, upstream = line.pair()
        upstream.send(b"held")
        server.done("POST", "/reset")
        assert client.take(4) == b"held"
        line.enable(enabled=False)
        server.done("POST", "/reset")
        shown = server.done("GET", "/proxies/line")
        assert (shown["enabled"], shown["toxics"]) == (True, [])
