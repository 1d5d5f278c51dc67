"""Toxiproxy's toxics, one by one: delay, what is lost, and what the caller sees. Messages are 1000 bytes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from sim.network import (
    TOXICS,
    Bandwidth,
    Duplicate,
    Fault,
    Latency,
    LimitData,
    Loss,
    Noop,
    Reorder,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
    Unknown,
)
from tests.sim.network.net import Net

if TYPE_CHECKING:
    from sim.network.toxics import Stream

ROUND_TRIP = 1_000
PATIENCE = 50_000


def under(fault: Fault, stream: Stream = "downstream") -> tuple[Net, object, int]:
    """One call with a toxic in force: the net, the outcome and how long it took."""
    net = Net(size_of=lambda _: 1_000)
    toxic = net.network.add(fault, "client", "server", stream=stream)
    outcome, took = net.call(0, timeout_us=PATIENCE)
    assert toxic.touched == {"messages": 1, "bytes": 1_000}
    return net, outcome, took


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
@pytest.mark.parametrize(
    ("fault", "delay_us"),
    [
        (Latency(300), 300),
        (Bandwidth(100), 10_000),  # 1000 bytes at 100 KB/s
        (Slicer(100, delay_us=20), 9 * 20),  # ten pieces, nine pauses
        (Slicer(2_000, delay_us=20), 0),
        (LimitData(1_000), 0),
        (SlowClose(700), 0),
        (Noop(), 0),
    ],
)
def test_toxics_that_delay(fault: Fault, delay_us: int, stream: Stream) -> None:
    """The call succeeds, so much later, whichever direction is slow."""
    net, outcome, took = under(fault, stream)
    assert (outcome, took, len(net.effects)) == ("done", ROUND_TRIP + delay_us, 1)


@pytest.mark.parametrize(("stream", "happened"), [("upstream", 0), ("downstream", 1)])
@pytest.mark.parametrize(
    ("fault", "outcome", "took"),
    [
        (Timeout(2_000), Unknown("closed"), 2_000),
        (Timeout(0), Unknown("timeout"), PATIENCE),
        (ResetPeer(0), Unknown("reset"), 0),
        (ResetPeer(3_000), Unknown("reset"), 3_000),
        (LimitData(999), Unknown("closed"), 0),
        (Bandwidth(0), Unknown("timeout"), PATIENCE),
        (Loss(), Unknown("timeout"), PATIENCE),
    ],
)
def test_toxics_that_lose(fault: Fault, outcome: Unknown, took: int, stream: Stream, happened: int) -> None:
    """Upstream nothing happened, downstream everything did; the caller is told the same."""
    net, seen, end = under(fault, stream)
    way = 0 if outcome.reason == "timeout" else 500 * (1 + happened)
    assert (seen, end, len(net.effects)) == (outcome, took + way, happened)


def test_latency_has_jitter_around_its_mean() -> None:
    """Uniform, both ways, never negative."""
    net = Net(latency_us=0)
    toxic = net.network.add(Latency(1_000, jitter_us=400))
    took = []
    for number in range(300):
        start = net.kernel.now
        took.append(net.call(0, key=("call", number))[1] - start)
    assert 600 <= min(took) < 640
    assert 1_360 < max(took) <= 1_400
    assert abs(sum(took) / len(took) - 1_000) < 40
    toxic.remove()
    slow = Net()
    slow.network.add(Latency(10, jitter_us=1_000))
    starts = [0]
    starts.extend(slow.call(0, key=("n", number))[1] for number in range(50))
    assert min(b - a for a, b in pairwise(starts)) == ROUND_TRIP


def test_a_request_slower_than_the_callers_patience_is_unknown_in_time() -> None:
    """It still arrives and has its effect. A reply to nobody is not evidence."""
    net = Net()
    net.network.add(Latency(9_000), stream="upstream")
    back = net.network.add(Latency(1))
    assert net.call(0, timeout_us=5_000) == (Unknown("timeout"), 5_000)
    assert (len(net.effects), back.touched["messages"]) == (1, 0)


def test_toxicity_hits_its_share_of_calls_and_the_same_ones_in_every_run() -> None:
    """Whether a call is hit depends on the seed, the toxic's name and the call's key alone."""
    hit: list[list[bool]] = []
    for _ in range(2):
        net = Net(latency_us=0)
        toxic = net.network.add(Latency(100), toxicity=0.3, name="slow bank")
        hits = []
        for number in range(400):
            start = net.kernel.now
            hits.append(net.call(0, key=("call", number))[1] > start)
        assert toxic.touched["messages"] == sum(hits)
        hit.append(hits)
    assert hit[0] == hit[1]
    assert 80 < sum(hit[0]) < 160


def test_removing_a_timeout_closes_the_calls_that_hang_on_it() -> None:
    """As Toxiproxy does; a message lost otherwise stays lost."""
    for fault, outcome in (
        (Timeout(0), (Unknown("closed"), 5_500)),
        (Loss(), (Unknown("timeout"), PATIENCE)),
    ):
        net = Net()
        toxic = net.network.add(fault)
        net.kernel.call_at(5_000, toxic.remove)
        assert net.call(0, timeout_us=PATIENCE) == outcome


def test_slow_close_keeps_the_worker_at_the_destination_busy() -> None:
    """The reply is in time; the next caller waits."""
    net = Net()
    net.server.workers = 1
    net.network.add(SlowClose(5_000))
    assert net.call(0)[1] == ROUND_TRIP
    assert net.call(0)[1] >= 5_000 + ROUND_TRIP - 500


def test_a_duplicated_request_takes_effect_again_and_is_answered_once() -> None:
    """The first reply counts; only requests can be duplicated."""
    net, outcome, took = under(Duplicate(copies=2, gap_us=300), "upstream")
    assert (outcome, took) == ("done", ROUND_TRIP)
    net.kernel.run_until(PATIENCE)
    assert [at for _, at in net.effects] == [500, 800, 1_100]
    with pytest.raises(ValueError, match="upstream"):
        net.network.add(Duplicate(), stream="downstream")


def test_reordered_messages_overtake_one_another() -> None:
    """Of requests sent a microsecond apart, some arrive in another order, the same in every run."""
    orders = []
    for _ in range(2):
        net = Net(latency_us=10)
        net.network.add(Reorder(1_000), stream="upstream")
        arrived: list[int] = []

        async def note(request: int, arrived: list[int] = arrived) -> None:
            arrived.append(request)

        net.attach("notes", note)
        net.network.connect("client", "notes", 10)
        net.network.add(Reorder(1_000), "client", "notes", stream="upstream")
        for number in range(20):
            call = net.network.link("client", "notes").call(number, PATIENCE, ("n", number))
            net.kernel.spawn(wait(call))
        net.kernel.run_until(PATIENCE)
        orders.append(arrived)
    assert sorted(orders[0]) == list(range(20)) != orders[0]
    assert orders[0] == orders[1]


async def wait(call: object) -> None:
    await call  # type: ignore[misc]


def test_toxics_act_one_after_another() -> None:
    """Delays add up; what the first loses, the second never touches."""
    net = Net()
    first, second = net.network.add(Latency(100)), net.network.add(Latency(20))
    assert net.call(0)[1] == ROUND_TRIP + 120
    first.remove()
    net.network.add(Loss(), name="after")
    net.call(0, timeout_us=PATIENCE)
    assert second.touched["messages"] == 2
    lost = Net()
    lost.network.add(Loss())
    never = lost.network.add(Latency(20))
    lost.call(0, timeout_us=PATIENCE)
    assert never.touched["messages"] == 0


def test_a_toxic_by_pattern_applies_to_links_first_used_later() -> None:
    """Autoscaled nodes do not escape the weather."""
    net = Net()
    toxic = net.network.add(Latency(100), "cli*", "*")
    assert net.call(0)[1] == ROUND_TRIP + 100
    toxic.remove()
    assert net.network.link("client", "server").plain


def test_every_toxic_of_toxiproxy_has_its_name_here() -> None:
    """The scenario vocabulary and the live world use these names."""
    assert sorted(TOXICS) == sorted(
        [
            "latency",
            "bandwidth",
            "slow_close",
            "timeout",
            "reset_peer",
            "slicer",
            "limit_data",
            "down",
            "noop",
        ]
    )
