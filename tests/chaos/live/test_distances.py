"""Parts of the live world are as far apart as in the simulated one, and a commit can be struck before it is news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, cast

from chaos.history import History, State
from chaos.live.distances import HESITATION_MS, Hesitation, distance_us, stretch
from chaos.live.faults import Touched
from chaos.live.link_faults import LinkFaults
from chaos.live.links import Links
from chaos.nemesis import Blow, Nemesis
from chaos.opening import Opening
from reference_platform import designs
from reference_platform.ports import SECOND
from scenarios import loading
from scenarios.speeds import Speeds
from sim.kernel import Kernel
from sim.randomness import Streams


class FakeToxic:
    def __init__(self, there: list[tuple[Any, ...]], entry: tuple[Any, ...]) -> None:
        self._there, self._entry = there, entry
        there.append(entry)

    def remove(self) -> None:
        self._there.remove(self._entry)

    def touched(self) -> Touched:
        return Touched(0, 0)


class FakeProxies:
    def __init__(self) -> None:
        self.there: list[tuple[Any, ...]] = []

    def stretch(self, link: str, stream: str, latency_ms: int) -> FakeToxic:
        return FakeToxic(self.there, (link, stream, latency_ms))


class Gentle:
    def inflict(self, fault: str, params: Mapping[str, Any], site: str, acting: str) -> Sequence[Blow]:
        return []


class World:
    def __init__(self, storm: str) -> None:
        self.opening = Opening(loading.load(storm), designs.load("resilient"), 1)
        workload = self.opening.scenario.workload
        self.parties = (*workload.channels(), *workload.suppliers())
        names = ["database", "edge", "users", *self.opening.node_names(), *self.parties]
        self.links = Links(self.opening, dict.fromkeys(names, "127.0.0.1:1"), count(2000).__next__)
        self.proxies = FakeProxies()
        self.kernel = Kernel()
        self.nemesis = Nemesis(
            self.opening.scenario.faults,
            kernel=self.kernel,
            streams=Streams(1),
            history=History(self.opening.header()),
            heal_us=self.opening.heal_us,
        )

    def hesitation(self) -> Hesitation:
        return Hesitation(self.nemesis, self.links, cast("LinkFaults", self.proxies), self.kernel)


def test_each_link_is_as_long_as_in_the_simulated_world() -> None:
    """People, counterparties and phones are far away, database and nodes are not."""
    world, speeds = World("callback_late"), Speeds()
    far = {link.name: distance_us(link, speeds, world.parties) for link in world.links}
    assert far["users->edge"] == speeds.users
    assert far["wechat->edge"] == far["platform-1->alpha"] == speeds.counterparty
    assert far["platform-1->users"] == speeds.notice
    assert far["edge->platform-1"] == far["platform-1->database"] == far["users->wechat"] == 0


def test_a_distance_is_gone_both_ways() -> None:
    """A request takes it there, its answer back."""
    world = World("callback_late")
    stretch(world.links, cast("LinkFaults", world.proxies), Speeds(), world.parties)
    assert ("users->edge", "upstream", 15) in world.proxies.there
    assert ("users->edge", "downstream", 15) in world.proxies.there
    assert not [entry for entry in world.proxies.there if entry[0].endswith("->database")]


def test_the_database_hesitates_until_the_rules_that_wait_for_commits_have_struck() -> None:
    """Not longer, and not shorter: the last one's blow must land before its node hears of the commit."""
    world = World("many_clicks")
    hesitation = world.hesitation()
    assert world.proxies.there == [
        (f"{node}->database", "downstream", HESITATION_MS) for node in world.opening.node_names()
    ]
    created = State(0, 1, "platform-1", "ORD", "orders", "insert", "o", {"status": "created"})
    world.nemesis.schedule(Gentle())
    for _ in range(9):
        assert world.proxies.there
        world.nemesis.see("state.orders.created", created)
        hesitation.look()
    due_us = max(armed.start_us for armed in world.nemesis.watched["state.orders.created"])
    world.kernel.run_until(due_us + SECOND - 1)
    assert world.proxies.there
    world.kernel.run_until(due_us + SECOND)
    assert world.proxies.there == []


def test_without_such_a_rule_the_database_is_as_fast_as_it_is() -> None:
    """Nobody pays for what nobody waits for."""
    world = World("callback_late")
    world.hesitation().look()
    assert world.proxies.there == []
