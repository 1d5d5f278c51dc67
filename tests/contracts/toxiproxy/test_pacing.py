"""latency, bandwidth and slicer, as measured at the ends of a connection. Nothing may ever be early."""

from __future__ import annotations

import threading
import time
from itertools import accumulate

import pytest

from tests.contracts.toxiproxy.lines import Line, toxic
from tests.contracts.toxiproxy.servers import Server
from tests.undisturbed import undisturbed


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_latency_delays_one_direction_alone(server: Server, stream: str) -> None:
    """A byte takes the latency one way and no time the other way."""
    with Line.through(server, [toxic("latency", stream, latency=600_000)]) as line:
        client, upstream = line.pair()
        slow, fast = ((client, upstream), (upstream, client))[:: 1 if stream == "upstream" else -1]
        fast[0].send(b"b")
        assert fast[1].take(1) == b"b"
        line.change(f"latency_{stream}", {"attributes": {"latency": 400}})
        began_s = time.monotonic()
        slow[0].send(b"a")
        assert slow[1].take(1) == b"a"
        assert time.monotonic() - began_s >= 0.4


def test_latency_counts_from_each_chunks_arrival(server: Server) -> None:
    """A hundred chunks 5 ms apart are there soon after a second: in turn, a second each, they would take a hundred."""
    with Line.through(server, [toxic("latency", latency=1_000)]) as line:
        client, upstream = line.pair()
        sent_s = []
        for number in range(100):
            sent_s.append(time.monotonic())
            upstream.send(bytes([number]))
            time.sleep(0.005)
        assert client.take(1) == b"\0"
        assert time.monotonic() - sent_s[0] >= 1
        assert client.take(99) == bytes(range(1, 100))
        assert 1 <= time.monotonic() - sent_s[-1] < 60


def test_jitter_never_changes_the_order(server: Server) -> None:
    """With jitter as large as the latency, sixty chunks arrive in the order in which they were sent."""
    with Line.through(server, [toxic("latency", latency=20, jitter=20)]) as line:
        client, upstream = line.pair()
        for number in range(60):
            upstream.send(bytes([number]))
            time.sleep(0.002)
        assert client.take(60) == bytes(range(60))


def test_latencies_in_a_chain_add_up(server: Server) -> None:
    """Two toxics of one type under two names are both in force."""
    both = [{**toxic("latency", latency=150), "name": name} for name in ("first", "second")]
    with Line.through(server, both) as line:
        client, upstream = line.pair()
        began = time.monotonic()
        upstream.send(b"a")
        client.take(1)
        assert time.monotonic() - began >= 0.3


def test_latency_holds_data_before_the_close_and_then_lets_the_close_pass(server: Server) -> None:
    """The close comes after the last byte, not before it and not a latency later."""
    with Line.through(server, [toxic("latency", latency=1_000)]) as line:

        def measured_s() -> float:
            client, upstream = line.pair()
            began_s = time.monotonic()
            upstream.send(b"last")
            upstream.close()
            seen = client.rest()
            assert (seen.data, seen.end) == (b"last", "fin")
            return seen.at_s - began_s

        took_s = undisturbed(measured_s, lambda s: s < 1.9)
        assert 0.99 <= took_s < 2


def test_bandwidth_is_a_rate_in_thousands_of_bytes_a_second(server: Server) -> None:
    """300 KB at 500 KB/s take 0.6 s, and every byte arrives in order."""
    data = bytes(i % 251 for i in range(300_000))
    with Line.through(server, [toxic("bandwidth", rate=500)]) as line:

        def measured_s() -> float:
            client, upstream = line.pair()

            def send() -> None:
                upstream.send(data)
                upstream.close()

            sender = threading.Thread(target=send)
            began_s = time.monotonic()
            sender.start()
            seen = client.rest()
            sender.join()
            assert (seen.data, seen.end) == (data, "fin")
            assert seen.at_s - began_s >= 0.58
            return seen.at_s - began_s

        assert undisturbed(measured_s, lambda s: s < 1.1) < 1.2


def test_bandwidth_cuts_what_takes_long_into_pieces_of_a_tenth_of_a_second(server: Server) -> None:
    """25 KB at 100 KB/s: 10 KB after 0.1 s, 10 KB after 0.2 s, 5 KB after 0.25 s."""
    with Line.through(server, [toxic("bandwidth", rate=100)]) as line:
        client, upstream = line.pair()
        began_s = time.monotonic()
        upstream.send(bytes(25_000))
        arrived, when = 0, []
        for data, at_s in client.arrivals(25_000):
            arrived += len(data)
            when.append((arrived, at_s - began_s))
        for limit, earliest_s in ((0, 0.095), (10_000, 0.195), (20_000, 0.245)):
            assert min(after_s for total, after_s in when if total > limit) >= earliest_s


def test_bandwidth_of_zero_lets_nothing_pass_until_it_is_changed(server: Server) -> None:
    """What was held then arrives whole."""
    with Line.through(server, [toxic("bandwidth", rate=0)]) as line:
        client, upstream = line.pair()
        upstream.send(b"held")
        assert client.rest(0.3)[:2] == (b"", "open")
        line.change("bandwidth_downstream", {"attributes": {"rate": 1000}})
        assert client.take(4) == b"held"


def test_slicer_cuts_into_halves_of_halves_with_a_pause_after_each(server: Server) -> None:
    """1,000 bytes at an average of 100 are sixteen pieces of 62 and 63; 5 ms each is 75 ms to the last."""
    with Line.through(server, [toxic("slicer", average_size=100, size_variation=0, delay=5_000)]) as line:
        cuts = {sum(([62, 63] * 8)[:n]) for n in range(17)}

        def arrived() -> int:
            client, upstream = line.pair()
            began_s = time.monotonic()
            upstream.send(bytes(1_000))
            pieces = client.arrivals(1_000)
            assert pieces[-1][1] - began_s >= 0.07
            # Where this process is late, pieces have piled up; none is ever cut elsewhere.
            assert set(accumulate(len(data) for data, _ in pieces)) <= cuts
            return len(pieces)

        assert undisturbed(arrived, lambda number: number >= 4) >= 4


def test_slicer_varies_its_cuts_within_bounds_and_loses_nothing(server: Server) -> None:
    """Average 200 ± 50: pieces between half of (200 + 50) - 50 and 200 + 50, unless some have piled up."""
    data = bytes(i % 251 for i in range(2_000))
    with Line.through(server, [toxic("slicer", average_size=200, size_variation=50, delay=40_000)]) as line:

        def arrived() -> list[int]:
            client, upstream = line.pair()
            upstream.send(data)
            pieces = client.arrivals(len(data))
            assert b"".join(piece for piece, _ in pieces) == data
            sizes = [len(piece) for piece, _ in pieces]
            assert min(sizes) >= 75
            return sizes

        sizes = undisturbed(arrived, lambda sizes: max(sizes) <= 250)
        assert max(sizes) <= 250
        assert len(set(sizes)) > 3
