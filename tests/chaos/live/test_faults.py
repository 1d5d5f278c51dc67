"""Window faults on real parts: what is done, what evidence there is, and that it is undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count

import pytest

from chaos.live.faults import Attributes, LiveFaults, Touched
from chaos.live.links import Links
from chaos.opening import Opening
from reference_platform import designs
from scenarios import loading


class FakeToxic:
    def __init__(self, proxies: FakeProxies, entry: tuple[object, ...]) -> None:
        self._proxies = proxies
        self._entry = entry

    def remove(self) -> None:
        self._proxies.there.remove(self._entry)

    def touched(self) -> Touched:
        assert self._entry in self._proxies.there, "evidence is read while the toxic is there"
        return Touched(2, 300)


class FakeProxies:
    def __init__(self) -> None:
        self.there: list[tuple[object, ...]] = []

    def add(self, link: str, kind: str, stream: str, attributes: Attributes) -> FakeToxic:
        entry = (link, kind, stream, attributes)
        self.there.append(entry)
        return FakeToxic(self, entry)

    def down(self, link: str) -> FakeToxic:
        entry = (link, "down")
        self.there.append(entry)
        return FakeToxic(self, entry)

    def faulty(self) -> list[str]:
        return [str(entry[0]) for entry in self.there]


class FakeMachines:
    def __init__(self, names: Sequence[str]) -> None:
        self.dead: set[str] = set()
        self.frozen: set[str] = set()
        self.offsets_us: dict[str, int] = {}
        self.readings = 0
        self._names = names

    def names(self) -> Sequence[str]:
        return self._names

    def kill(self, name: str) -> Mapping[str, int]:
        lived = name not in self.dead
        self.dead.add(name)
        return {"pid": 4711, "connections": 3} if lived else {}

    def revive(self, name: str) -> None:
        self.dead.discard(name)

    def freeze(self, name: str) -> bool:
        if name in self.dead or name in self.frozen:
            return False
        self.frozen.add(name)
        return True

    def thaw(self, name: str) -> None:
        self.frozen.discard(name)

    def skew(self, name: str, offset_us: int) -> None:
        self.offsets_us[name] = offset_us

    def misread(self, name: str) -> int:
        return self.readings

    def unwell(self) -> list[str]:
        return [f"{name} is dead" for name in sorted(self.dead)]


class FakeStore:
    def __init__(self) -> None:
        self.up = True
        self.lag_us = 0

    def drop_sessions(self) -> int:
        return 5

    def crash(self, *, at_once: bool = True) -> Mapping[str, int]:
        self.struck = "killed" if at_once else "stopped"
        went_down, self.up = self.up, False
        return {"pid": 4712, "sessions": 7} if went_down else {}

    def revive(self) -> None:
        self.up = True

    def lag(self, lag_us: int) -> None:
        self.lag_us = lag_us

    def unwell(self) -> list[str]:
        return [] if self.up else ["the database is down"]


class World:
    def __init__(self) -> None:
        opening = Opening(loading.load("callback_late"), designs.load("resilient"), 1)
        workload, nodes = opening.scenario.workload, opening.node_names()
        parts = ["database", "edge", "users", *nodes, *workload.channels(), *workload.suppliers()]
        addresses = dict.fromkeys(parts, "127.0.0.1:1")
        self.proxies, self.machines, self.store = FakeProxies(), FakeMachines(nodes), FakeStore()
        links = Links(opening, addresses, count(2000).__next__)
        self.faults = LiveFaults(links, self.proxies, self.machines, self.store)


def test_a_partition_swallows_both_ways_and_closes_nothing() -> None:
    """As in sim: packets vanish with no word to either side; one way, answers still travel."""
    world = World()
    between = ["platform-1", "wechat"]
    blows = world.faults.inflict("link.partition", {"between": between, "oneway": False}, "", "")
    assert world.proxies.there == [
        ("platform-1->wechat", "timeout", stream, {"timeout": 0}) for stream in ("upstream", "downstream")
    ]
    for blow in blows:
        blow.undo()
    world.faults.inflict("link.partition", {"between": between, "oneway": True}, "", "")
    assert world.proxies.there == [("platform-1->wechat", "timeout", "upstream", {"timeout": 0})]


def test_microseconds_become_milliseconds_and_never_nothing() -> None:
    """A latency of 400 µs is not rounded away."""
    world = World()
    params = {"between": ["users", "edge"], "stream": "up", "latency_us": 400, "jitter_us": 2_500}
    world.faults.inflict("link.latency", params, "", "")
    assert world.proxies.there == [("users->edge", "latency", "upstream", {"latency": 1, "jitter": 3})]


def test_a_toxic_that_counts_real_time_is_known_while_it_is_in_force() -> None:
    """Time must not hasten under it; a partition only swallows, so there it may."""
    world = World()
    cut = {"between": ["users", "edge"], "oneway": False}
    slow = {"between": ["users", "edge"], "stream": "both", "latency_us": 400, "jitter_us": 0}
    world.faults.inflict("link.partition", cut, "", "")
    assert world.faults.timed == 0
    [blow] = world.faults.inflict("link.latency", slow, "", "")
    assert world.faults.timed == 1
    blow.undo()
    assert world.faults.timed == 0


def test_the_evidence_of_a_link_fault_adds_up_what_its_toxics_touched() -> None:
    """It is read just before they are removed, and nothing is left in the proxies."""
    world = World()
    [blow] = world.faults.inflict("link.down", {"between": ["platform-*", "wechat"]}, "", "")
    assert world.faults.unhealed() == ["link platform-1->wechat still has a fault"] + (
        ["link platform-2->wechat still has a fault"] if len(world.machines.names()) > 1 else []
    )
    blow.undo()
    number = len(world.machines.names())
    assert blow.evidence() == {"touched": 2 * number, "connections": 2 * number, "bytes": 300 * number}
    assert world.faults.unhealed() == []


def test_a_crash_of_the_acting_node_hits_it_alone_and_is_undone() -> None:
    """The node whose event set it off is killed, and started again at the end."""
    world = World()
    [blow] = world.faults.inflict("node.crash", {"restart_after_us": 1}, "acting", "platform-1")
    assert world.machines.dead == {"platform-1"}
    assert blow.evidence() == {"touched": 1, "node": "platform-1", "pid": 4711, "connections": 3}
    assert world.faults.unhealed() == ["platform-1 is dead"]
    blow.undo()
    assert world.faults.unhealed() == []


def test_a_second_crash_touches_nothing_and_does_not_start_the_dead() -> None:
    """Who killed it starts it again; nobody else does."""
    world = World()
    [first] = world.faults.inflict("node.crash", {}, "platform-1", "")
    [second] = world.faults.inflict("node.crash", {}, "platform-1", "")
    second.undo()
    assert second.evidence()["touched"] == 0
    assert world.machines.dead == {"platform-1"}
    first.undo()
    assert not world.machines.dead


def test_of_two_wrong_clocks_the_later_holds_until_it_is_undone() -> None:
    """Overlapping skews do not undo each other."""
    world = World()
    [early] = world.faults.inflict("node.clock_skew", {"offset_us": 5}, "platform-1", "")
    [late] = world.faults.inflict("node.clock_skew", {"offset_us": -7}, "platform-1", "")
    early.undo()
    assert world.machines.offsets_us["platform-1"] == -7
    late.undo()
    assert world.machines.offsets_us["platform-1"] == 0


def test_the_evidence_of_a_wrong_clock_is_how_often_it_was_read() -> None:
    """A clock that nobody looked at hurt nobody."""
    world = World()
    [blow] = world.faults.inflict("node.clock_skew", {"offset_us": 5}, "platform-1", "")
    world.machines.readings += 3
    blow.undo()
    world.machines.readings += 2
    assert blow.evidence() == {"touched": 3, "node": "platform-1"}


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_the_database_crashes_and_comes_back(how: str) -> None:
    """Sessions cut off are the evidence."""
    world = World()
    crash = {"restart_after_us": 1, "how": how}
    [blow] = world.faults.inflict("database.crash", crash, "database", "")
    assert world.store.struck == how
    assert world.faults.unhealed() == ["the database is down"]
    [again] = world.faults.inflict("database.crash", crash, "database", "")
    assert again.evidence() == {"touched": 0}
    again.undo()
    assert world.faults.unhealed() == ["the database is down"]
    blow.undo()
    assert blow.evidence() == {"touched": 7, "pid": 4712, "sessions": 7}
    assert world.faults.unhealed() == []
    assert world.faults.inflict("database.drop_connections", {}, "", "")[0].evidence() == {"touched": 5}


def test_a_slow_database_is_slow_for_every_node() -> None:
    """Each statement's answer is held up on its way back."""
    world = World()
    world.faults.inflict("database.latency", {"extra_us": 20_000}, "database", "")
    assert world.proxies.there == [
        (f"{node}->database", "latency", "downstream", {"latency": 20, "jitter": 0})
        for node in world.machines.names()
    ]


def test_a_replica_that_lags_catches_up_afterwards() -> None:
    """The lag is a setting that goes back to nothing."""
    world = World()
    [blow] = world.faults.inflict("database.replica_lag", {"lag_us": 9}, "database", "")
    assert world.store.lag_us == 9
    blow.undo()
    assert world.store.lag_us == 0
