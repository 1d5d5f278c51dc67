"""slow_close, timeout, reset_peer, limit_data and down: how and when a connection ends, and who is told what."""

from __future__ import annotations

import time

import pytest

from tests.contracts.toxiproxy.lines import Line, toxic
from tests.contracts.toxiproxy.servers import Server


def test_without_toxics_bytes_and_closes_pass_in_both_directions(server: Server) -> None:
    """A megabyte each way unharmed; then a close at one end is a close at the other."""
    data = bytes(i % 251 for i in range(1_000_000))
    with Line.through(server) as line:
        client, upstream = line.pair()
        for sender, receiver in ((client, upstream), (upstream, client)):
            for start in range(0, len(data), 50_000):
                sender.send(data[start : start + 50_000])
                assert receiver.take(50_000) == data[start : start + 50_000]
        client.close()
        assert upstream.rest()[:2] == (b"", "fin")


def test_a_half_closed_client_is_closed_whole(server: Server) -> None:
    """There are no half-open connections behind Toxiproxy: the upstream's late answer is lost."""
    with Line.through(server) as line:
        client, upstream = line.pair()
        client.plug.shutdown(1)
        assert upstream.rest()[:2] == (b"", "fin")
        assert client.rest()[:2] == (b"", "fin")


def test_slow_close_delays_the_close_and_no_byte(server: Server) -> None:
    """The last byte comes without the close; that comes 400 ms after its cause."""
    with Line.through(server, [toxic("slow_close", delay=600_000)]) as line:
        client, upstream = line.pair()
        upstream.send(b"a")
        upstream.close()
        assert client.take(1) == b"a"
        assert client.rest(0.2)[:2] == (b"", "open")
        line.change("slow_close_downstream", {"attributes": {"delay": 400}})
        client, upstream = line.pair()
        began_s = time.monotonic()
        upstream.close()
        seen = client.rest()
        assert seen.end == "fin"
        assert seen.at_s - began_s >= 0.4


def test_timeout_drops_everything_and_closes_after_silence(server: Server) -> None:
    """Nothing arrives; 300 ms after the last byte both ends see a close."""
    with Line.through(server, [toxic("timeout", timeout=300)]) as line:
        client, upstream = line.pair()
        began_s = time.monotonic()
        upstream.send(b"lost")
        seen = client.rest()
        assert (seen.data, seen.end) == (b"", "fin")
        assert seen.at_s - began_s >= 0.3
        assert upstream.rest().end == "fin"


def test_timeout_of_zero_never_closes_and_its_removal_does(server: Server) -> None:
    """Bytes are missing by then; going on would give the client a stream with a hole."""
    with Line.through(server, [toxic("timeout", timeout=0)]) as line:
        client, upstream = line.pair()
        upstream.send(b"lost")
        assert client.rest(0.3)[:2] == (b"", "open")
        line.remove("timeout_downstream")
        assert client.rest()[:2] == (b"", "fin")
        assert upstream.rest().end == "fin"


def test_timeout_on_one_stream_cuts_one_way(server: Server) -> None:
    """A partition in one direction: the other still passes."""
    with Line.through(server, [toxic("timeout", "upstream", timeout=0)]) as line:
        client, upstream = line.pair()
        client.send(b"lost")
        upstream.send(b"seen")
        assert client.take(4) == b"seen"
        assert upstream.rest(0.2)[:2] == (b"", "open")


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_reset_peer_resets_both_ends_after_the_first_data(server: Server, stream: str) -> None:
    """RST instead of FIN, the time-out after the first byte of that stream, which is lost."""
    with Line.through(server, [toxic("reset_peer", stream, timeout=250)]) as line:
        client, upstream = line.pair()
        began_s = time.monotonic()
        (client if stream == "upstream" else upstream).send(b"lost")
        seen = client.rest()
        assert (seen.data, seen.end) == (b"", "rst")
        assert seen.at_s - began_s >= 0.25
        assert upstream.rest()[:2] == (b"", "rst")


def test_reset_peer_lets_no_client_close_in_peace(server: Server) -> None:
    """The client closes first; its upstream sees a reset all the same."""
    with Line.through(server, [toxic("reset_peer", timeout=0)]) as line:
        client, upstream = line.pair()
        client.close()
        assert upstream.rest().end == "rst"


def test_limit_data_closes_after_exactly_so_many_bytes(server: Server) -> None:
    """4 bytes pass whole, 6 of the next 20, then the close."""
    with Line.through(server, [toxic("limit_data", bytes=10)]) as line:
        client, upstream = line.pair()
        upstream.send(b"abcd")
        assert client.take(4) == b"abcd"
        upstream.send(b"efghijklmnopqrstuvwx")
        assert client.rest()[:2] == (b"efghij", "fin")


def test_limit_data_counts_each_connection_for_itself(server: Server) -> None:
    """A second connection has its own bytes left; one that uses them up exactly is closed too."""
    with Line.through(server, [toxic("limit_data", bytes=3)]) as line:
        for data in (b"abcdef", b"abcdef", b"abc"):
            client, upstream = line.pair()
            upstream.send(data)
            assert client.rest()[:2] == (b"abc", "fin")


def test_limit_data_of_zero_closes_at_the_first_byte(server: Server) -> None:
    """Nothing passes."""
    with Line.through(server, [toxic("limit_data", bytes=0)]) as line:
        client, upstream = line.pair()
        upstream.send(b"a")
        assert client.rest()[:2] == (b"", "fin")


def test_a_disabled_proxy_cuts_and_refuses_and_keeps_its_toxics(server: Server) -> None:
    """Both ends see a close, new clients are refused; enabled again it listens at the same address."""
    with Line.through(server, [toxic("latency", latency=1)]) as line:
        client, upstream = line.pair()
        line.enable(enabled=False)
        assert client.rest().end == "fin"
        assert upstream.rest().end == "fin"
        with pytest.raises(ConnectionRefusedError):
            line.client()
        line.enable(enabled=True)
        client, upstream = line.pair()
        upstream.send(b"again")
        assert client.take(5) == b"again"
        assert [one["name"] for one in server.done("GET", "/proxies/line/toxics")] == ["latency_downstream"]


def test_a_client_is_closed_when_its_upstream_cannot_be_reached(server: Server) -> None:
    """Accepted, then closed: what a caller sees of a dead machine behind a proxy."""
    with Line.through(server) as line:
        server.done("POST", "/proxies/line", {"upstream": "127.0.0.1:1"})
        line.listen = server.done("GET", "/proxies/line")["listen"]
        assert line.client().rest()[:2] == (b"", "fin")
