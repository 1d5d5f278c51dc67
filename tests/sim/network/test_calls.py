"""Calls: what the caller learns, what really happened, and that a time-out is never taken for a failure."""

from __future__ import annotations

from typing import Any

import pytest

from sim.kernel import HarnessError, sleep
from sim.network import Cut, Down, Duplicate, Effect, Latency, Loss, Refused, Unknown
from sim.network.network import UnknownLinkError
from tests.sim.network.net import LONG, Net

MS = 1_000


def test_a_call_takes_the_way_there_the_handler_and_the_way_back() -> None:
    """One constant delay each way, and nothing is left in the queue."""
    net = Net(latency_us=500)
    assert net.call(40) == ("done", 1_040)
    assert net.call(0) == ("done", 1_040 + 1_000)
    assert net.effects == [(40, 500 + 40), (0, 1_540)]


def test_a_link_without_delay_works() -> None:
    """Everything happens in one microsecond, in order."""
    assert Net(latency_us=0).call(0) == ("done", 0)


def test_a_time_out_is_unknown_although_the_effect_happened() -> None:
    """The handler is not stopped by its caller's impatience, and its late reply is dropped."""
    net = Net(latency_us=500)
    assert net.call(5 * MS, timeout_us=2 * MS) == (Unknown("timeout"), 2 * MS)
    net.kernel.run_until(LONG)
    assert net.effects == [(5 * MS, 5_500)]


def test_a_reply_that_would_arrive_at_the_deadline_is_too_late() -> None:
    """One microsecond earlier it is in time."""
    assert Net(latency_us=500).call(0, timeout_us=1_000)[0] == Unknown("timeout")
    assert Net(latency_us=500).call(0, timeout_us=1_001)[0] == "done"
    assert Net(latency_us=5_000).call(0, timeout_us=1_000) == (Unknown("timeout"), 1_000)


def test_a_node_that_is_down_refuses_for_certain() -> None:
    """No effect, and the caller knows."""
    net = Net(latency_us=500)
    net.server.crash()
    assert net.call(0) == (Refused("refused"), 1_000)
    assert net.effects == []


def test_an_overloaded_node_refuses_for_certain() -> None:
    """And says why."""
    net = Net(latency_us=500)
    net.server.workers = net.server.queue_limit = 0
    assert net.call(0)[0] == Refused("overloaded")


def test_a_node_that_crashes_while_serving_leaves_its_caller_not_knowing() -> None:
    """The connection breaks at once: there is no need to wait for the time-out."""
    net = Net(latency_us=500)
    net.kernel.call_at(3 * MS, net.server.crash)
    assert net.call(5 * MS) == (Unknown("reset"), 3 * MS + 500)
    assert net.effects == []


def test_a_paused_node_answers_when_it_is_resumed() -> None:
    """A caller with patience gets the reply, one without gets unknown."""
    net = Net(latency_us=500)
    net.server.pause()
    net.kernel.call_at(20 * MS, net.server.resume)
    hasty = net.kernel.spawn(net.one(0, 10 * MS, ("hasty",)))
    patient = net.kernel.spawn(net.one(0, LONG, ("patient",)))
    net.kernel.run_until(LONG)
    assert hasty.value == (Unknown("timeout"), 10 * MS)
    assert patient.value == ("done", 20 * MS + 500)
    assert net.effects == [(0, 20 * MS)] * 2


def test_the_caller_may_die_without_its_request_being_undone() -> None:
    """Closing the waiting task leaves no timer behind; the handler goes on."""
    net = Net(latency_us=500)
    task = net.kernel.spawn(net.one(10 * MS, LONG, ("k",)))
    net.kernel.run_until(2 * MS)
    task.drop()
    assert net.kernel.run_until_idle(LONG)
    assert net.effects == [(10 * MS, 10 * MS + 500)]
    net.network.add(Loss())
    task = net.kernel.spawn(net.one(0, LONG, ("lost",)))
    net.kernel.run_until(20 * MS)
    task.drop()
    assert net.kernel.run_until_idle(LONG)
    assert net.kernel.now == 20 * MS


def test_jitter_depends_on_the_key_and_not_on_the_order_of_calls() -> None:
    """The same call in another run, after other calls, takes as long."""
    alone, busy = (Net(latency_us=100, jitter_us=1_000) for _ in range(2))
    for number in range(5):
        busy.call(0, key=("other", number))
    start = busy.kernel.now
    (_, took), (_, end) = alone.call(0, key=("a", 1)), busy.call(0, key=("a", 1))
    assert end - start == took
    assert 200 < took <= 2_200


# ---------------------------------------------------------------- layout


def test_links_are_declared_by_pattern_and_the_first_match_counts() -> None:
    """A platform node started later finds its links."""
    net = Net()
    net.network.connect("platform-*", "bank", 70)
    net.network.connect("platform-9", "bank", 90)
    assert net.network.link("platform-9", "bank").latency_us == 70


def test_a_link_that_was_not_declared_is_named_with_those_that_were() -> None:
    """For calls, faults and partitions alike, so a scenario's slip of the pen is found."""
    net = Net()
    for use in (
        lambda: net.network.link("client", "moon"),
        lambda: net.network.add(Loss(), "client", "moon"),
        lambda: net.network.partition("client", "moon"),
    ):
        with pytest.raises(UnknownLinkError, match=r"client > moon; the links are: client > server"):
            use()


def test_a_node_may_be_attached_after_its_link_was_first_used() -> None:
    """Order of set-up does not matter."""
    net = Net()
    net.network.connect("client", "echo", 100)
    link = net.network.link("client", "echo")
    net.attach("echo", net.echo)
    assert link.node is net.network.nodes["echo"]


def test_calling_a_node_that_nobody_attached_is_an_error_of_the_harness() -> None:
    """Unlike a node that is down."""
    net = Net()
    net.network.connect("client", "ghost")
    net.kernel.spawn(net.to("ghost"))
    with pytest.raises(HarnessError, match="'ghost'"):
        net.kernel.run_until(LONG)


# ---------------------------------------------------------------- partitions


def test_a_partition_swallows_requests_both_ways_and_heals() -> None:
    """Callers learn nothing but that time has passed."""
    net = Net()
    partition = net.network.partition("client", "ser*")
    assert net.call(0, timeout_us=5 * MS) == (Unknown("timeout"), 5 * MS)
    assert (net.effects, partition.touched["messages"]) == ([], 1)
    partition.heal()
    assert net.call(0)[0] == "done"


def test_a_oneway_partition_against_the_reply_loses_only_the_answer() -> None:
    """From server to client nothing passes: the request has its effect, the reply is lost."""
    net = Net()
    partition = net.network.partition("server", "client", oneway=True)
    assert net.call(0, timeout_us=5 * MS)[0] == Unknown("timeout")
    assert (len(net.effects), partition.touched["messages"]) == (1, 1)


def test_a_oneway_partition_against_the_request_lets_nothing_happen() -> None:
    """The caller cannot tell the difference."""
    net = Net()
    net.network.partition("client", "server", oneway=True)
    assert net.call(0, timeout_us=5 * MS)[0] == Unknown("timeout")
    assert net.effects == []


def test_a_partition_swallows_what_is_already_on_its_way() -> None:
    """In both directions, at whatever moment it begins."""
    for at_us, happened in ((200, 0), (700, 1)):
        net = Net(latency_us=500)
        net.kernel.call_at(at_us, net.network.partition, "client", "server")
        outcome, _ = net.call(300, timeout_us=5 * MS)
        assert (outcome, len(net.effects)) == (Unknown("timeout"), happened)


def test_a_proxy_that_goes_down_breaks_calls_under_way() -> None:
    """A request on its way is lost; the caller sees the reset and cannot know that."""
    net = Net(latency_us=500)
    net.kernel.call_at(200, net.network.add, Down())
    assert net.call(0) == (Unknown("reset"), 1_000)
    assert net.effects == []


def test_a_proxy_that_goes_down_breaks_the_reply_too() -> None:
    """The effect has happened; the caller sees the reset when the reply would have set out."""
    net = Net(latency_us=500)
    net.kernel.call_at(700, net.network.add, Down())
    assert net.call(1 * MS) == (Unknown("reset"), 2 * MS)
    assert len(net.effects) == 1


def test_a_refusal_needs_a_way_back_too() -> None:
    """Cut off from the answer, the caller cannot know that nothing happened."""
    net = Net(latency_us=500)
    net.server.crash()
    net.network.partition("server", "client", oneway=True)
    assert net.call(0, timeout_us=5 * MS) == (Unknown("timeout"), 5 * MS)


def test_a_client_that_models_its_calls_itself_asks_for_the_delay() -> None:
    """There and back; None while the link is cut, in either direction; toxics count."""
    net = Net(latency_us=500)
    delay = net.network.link_delay("client", "server")
    assert delay() == 1_000
    toxic = net.network.add(Latency(50))
    assert delay() == 1_050
    toxic.remove()
    for src, dst in (("client", "server"), ("server", "client")):
        partition = net.network.partition(src, dst, oneway=True)
        assert delay() is None
        assert partition.touched["messages"] == 1
        partition.heal()
    assert delay() == 1_000


# ---------------------------------------------------------------- plans


def test_a_plan_hits_exactly_the_calls_it_names() -> None:
    """By link and key, each direction with faults of its own."""
    net = Net(latency_us=500)
    asked: list[tuple[str, tuple[Any, ...]]] = []
    plan = {
        ("pay", 1): Effect(request=(Loss(),)),
        ("pay", 2): Effect(reply=(Loss(),)),
        ("pay", 3): Effect(request=(Latency(70),), reply=(Latency(7),)),
        ("pay", 4): Effect(request=(Down(),)),
        ("pay", 5): Effect(request=(Duplicate(2, gap_us=10),)),
    }

    def decide(link: str, key: tuple[Any, ...]) -> Effect | None:
        asked.append((link, key))
        return plan.get(key)

    net.network.plan_with(decide)
    results = {}
    for number in range(6):
        before, start = len(net.effects), net.kernel.now
        outcome, end = net.call(0, timeout_us=5 * MS, key=("pay", number))
        net.kernel.run_until(net.kernel.now + MS)
        results[number] = (outcome, end - start, len(net.effects) - before)
    assert results == {
        0: ("done", 1_000, 1),
        1: (Unknown("timeout"), 5_000, 0),
        2: (Unknown("timeout"), 5_000, 1),
        3: ("done", 1_077, 1),
        4: (Refused("refused"), 1_000, 0),
        5: ("done", 1_000, 3),
    }
    assert asked == [("client>server", ("pay", number)) for number in range(6)]
    net.network.plan_with(None)
    assert net.network.link("client", "server").plain


def test_a_cut_is_silent_where_a_proxy_down_is_loud() -> None:
    """Both stop everything; only one of them says so."""
    silent, loud = Net(), Net()
    silent.network.add(Cut(), stream="upstream")
    loud.network.add(Down())
    assert silent.call(0, timeout_us=5 * MS)[0] == Unknown("timeout")
    assert loud.call(0, timeout_us=5 * MS)[0] == Refused("refused")


def test_many_calls_at_once_keep_apart() -> None:
    """Each caller gets the reply to its own request."""
    net = Net(latency_us=500)
    seen: list[tuple[int, Any]] = []

    async def one(number: int) -> None:
        await sleep(number)
        seen.append((number, await net.network.call("client", "echo", number, LONG)))

    net.network.connect("client", "echo", 100)
    net.attach("echo", net.echo)
    for number in range(50):
        net.kernel.spawn(one(number))
    net.kernel.run_until(LONG)
    assert sorted(seen) == [(number, number) for number in range(50)]
