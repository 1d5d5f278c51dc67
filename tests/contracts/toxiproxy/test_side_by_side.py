"""The same storm through both servers at once, measured and compared: bytes, how each end closes, and when.

Each story goes turn by turn, and means what it says only if the servers have done their part before the next turn.
Where a busy machine keeps one of them from that, the same is told more slowly, the times of the toxics included.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from tests.contracts.toxiproxy.lines import End, Line, Seen, toxic
from tests.contracts.toxiproxy.servers import Server

Story = Callable[[End, End, float], None]
_TURN_S = 0.08
APART_S = 0.5  # by which two servers on a busy machine may differ in time
SLOWER = (1, 1, 3, 9, 27)
TIMES = ("latency", "delay", "timeout")


def answer(client: End, upstream: End, turn_s: float) -> None:
    """The upstream speaks, the client answers, the upstream closes; each in its turn, so that nothing races."""
    upstream.send(bytes(i % 251 for i in range(30_000)))
    time.sleep(turn_s)
    with suppress(ConnectionError):  # a toxic may have ended it by now
        client.send(b"thanks")
    time.sleep(turn_s)
    _hang_up(upstream)


def leave(client: End, upstream: End, turn_s: float) -> None:
    """The client asks, and closes before there is an answer."""
    del upstream
    client.send(b"ask")
    time.sleep(turn_s)
    _hang_up(client)


def _hang_up(end: End) -> None:
    with suppress(OSError):  # there may be nothing left to close
        end.plug.shutdown(socket.SHUT_WR)


CASES: dict[str, list[dict[str, Any]]] = {
    "nothing": [],
    "noop": [toxic("noop")],
    "latency": [toxic("latency", latency=200)],
    "latency both ways": [toxic("latency", "upstream", latency=100), toxic("latency", latency=200)],
    "bandwidth": [toxic("bandwidth", rate=100)],
    "slow_close": [toxic("slow_close", delay=200)],
    "slow_close upstream": [toxic("slow_close", "upstream", delay=200)],
    "timeout": [toxic("timeout", timeout=200)],
    "timeout upstream": [toxic("timeout", "upstream", timeout=200)],
    "reset_peer": [toxic("reset_peer", timeout=200)],
    "reset_peer upstream": [toxic("reset_peer", "upstream", timeout=200)],
    "slicer": [toxic("slicer", average_size=5_000, delay=10_000)],
    "limit_data": [toxic("limit_data", bytes=10_000)],
    "limit_data upstream": [toxic("limit_data", "upstream", bytes=2)],
    "limit behind latency": [toxic("latency", latency=200), toxic("limit_data", bytes=10_000)],
    "limit before a slow close": [toxic("limit_data", bytes=10_000), toxic("slow_close", delay=200)],
}


def slowed(toxics: list[dict[str, Any]], factor: int) -> list[dict[str, Any]]:
    """The same toxics in a story that takes so many times longer."""
    return [
        each
        | {
            "attributes": {
                name: value * factor if name in TIMES else value // factor if name == "rate" else value
                for name, value in each["attributes"].items()
            }
        }
        for each in toxics
    ]


def measured(server: Server, toxics: list[dict[str, Any]], story: Story, factor: int) -> tuple[Seen, Seen]:
    """What client and upstream saw until both had ended, with seconds since the story began."""
    with Line.through(server, slowed(toxics, factor)) as line:
        client, upstream = line.pair()
        began_s = time.monotonic()
        story(client, upstream, _TURN_S * factor)
        at_client = client.rest()
        at_upstream = upstream.rest()
        return at_client._replace(at_s=time.monotonic() - began_s), at_upstream


@pytest.mark.parametrize("story", [answer, leave], ids=lambda story: str(story.__name__))
@pytest.mark.parametrize("case", CASES)
def test_both_servers_do_the_same(embedded: Server, upstream: Server, case: str, story: Story) -> None:
    """Equal bytes and equal kinds of close at both ends; the time until both have ended differs little."""
    for factor in SLOWER:
        with ThreadPoolExecutor() as both:
            ours, theirs = both.map(
                lambda server, factor=factor: measured(server, CASES[case], story, factor),
                (embedded, upstream),
            )
        same = [(mine.data, mine.end) == (its.data, its.end) for mine, its in zip(ours, theirs, strict=True)]
        if all(same) and abs(ours[0].at_s - theirs[0].at_s) < APART_S * factor:
            return
    for mine, its in zip(ours, theirs, strict=True):
        assert (mine.data, mine.end) == (its.data, its.end)
    assert abs(ours[0].at_s - theirs[0].at_s) < APART_S * SLOWER[-1]
