"""What becomes of single messages is decided once, for both worlds."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.history import Fault, Header, History
from chaos.messages import MESSAGE_FAULTS, Fate, Messages
from chaos.nemesis import Nemesis, Plan
from reference_platform.ports import Request, Response
from scenarios.faults import FAULTS
from scenarios.faults.link import LinkMessageRule
from sim.kernel import Kernel
from sim.network import Network, Unknown
from sim.node import Caller
from sim.randomness import Streams
from tests.chaos.worlds import MINUTE, SECOND, storm

KEYS = [("callback", f"o{n}", n) for n in range(40)]
TIMEOUT_US = 5 * SECOND


class World:
    """A link `wechat>edge` whose far end answers at once and notes when what arrived."""

    def __init__(self, *faults: dict[str, Any], plan: Plan | None = None) -> None:
        scenario = storm(*({"between": ["wechat", "edge"], **fault} for fault in faults))
        self.kernel = Kernel()
        self.streams = Streams(7)
        self.history = History(Header(1, "", "small", "naive", 7, 1, 2, 3), lambda: self.kernel.now)
        nemesis = Nemesis(
            scenario.faults,
            kernel=self.kernel,
            streams=self.streams,
            history=self.history,
            heal_us=20 * MINUTE,
            plan=plan,
        )
        self.messages = Messages(nemesis, self.streams)
        self.name = "edge"
        self.arrived: dict[str, list[int]] = {}

    def serve(self, request: Request, caller: Caller) -> None:
        self.arrived.setdefault(request.user, []).append(self.kernel.now)
        caller.replied(Response(200))

    def simulated(self) -> dict[str, Fate | None]:
        """What the simulated network really does to a message of each key, told as fates."""
        network = Network(self.kernel, self.streams)
        network.connect("wechat", "edge", 0)
        network.attach(self)
        network.plan_with(self.messages.effect)
        outcomes: dict[str, Any] = {}

        async def call(key: tuple[Any, ...]) -> None:
            request = Request("callback", key[1], {})
            outcomes[key[1]] = await network.call("wechat", "edge", request, TIMEOUT_US, key)

        for key in KEYS:
            self.kernel.spawn(call(key), key[1])
        self.kernel.run_until(MINUTE)
        fates: dict[str, Fate | None] = {}
        for name, outcome in outcomes.items():
            arrived = tuple(self.arrived.get(name, ()))
            plain = arrived == (0,) and isinstance(outcome, Response)
            fates[name] = None if plain else Fate(arrived, answered=not isinstance(outcome, Unknown))
        return fates


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "link.loss_before"},
        {"fault": "link.loss_after"},
        {"fault": "link.duplicate"},
        {"fault": "link.reorder", "delay": "4s"},
    ],
    ids=lambda fault: str(fault["fault"]),
)
def test_a_fate_is_what_the_simulated_network_does(fault: dict[str, Any]) -> None:
    """For each message of a link: struck or not, lost or not, late by the same µs, doubled at the same distance."""
    rule = {**fault, "probability": 0.5}
    fates = World(rule).simulated()
    world = World(rule)
    assert {key[1]: world.messages.strike("wechat", "edge", key) for key in KEYS} == fates
    struck = [fate for fate in fates.values() if fate is not None]
    assert 5 < len(struck) < 35
    told = [event for event in world.history.events if isinstance(event, Fault)]
    assert len(told) == len(struck)
    assert {event.data["where"] for event in told} == {"wechat->edge"}


def test_every_fault_of_single_messages_can_be_decided() -> None:
    """Else a rule would be left out in silence."""
    assert set(MESSAGE_FAULTS) == {name for name, rule in FAULTS.items() if issubclass(rule, LinkMessageRule)}


def test_a_session_with_a_database_is_one_stream() -> None:
    """A rule about every link spares it, in either world."""
    world = World({"fault": "link.loss_before", "between": ["*", "*"]})
    assert world.messages.strike("platform-1", "database", ("x",)) is None
    assert world.messages.strike("platform-1", "replica", ("x",)) is None
    assert world.messages.strike("platform-1", "wechat", ("x",)) == Fate((), answered=False)


def test_a_given_plan_strikes_where_it_says_and_nowhere_else() -> None:
    """So a failure of one world can be replayed in the other."""
    rule = {"fault": "link.reorder", "delay": "4s", "probability": 0.5}
    world = World(rule)
    fates = [world.messages.strike("wechat", "edge", key) for key in KEYS]
    told = [event for event in world.history.events if isinstance(event, Fault)]
    plan: Plan = {event.site: {"delay_us": event.data["delay_us"]} for event in told[:3]}
    again = World(rule, plan=plan)
    expected = [fate for fate in fates if fate is not None][:3]
    found = [again.messages.strike("wechat", "edge", key) for key in KEYS]
    assert [fate for fate in found if fate is not None] == expected


def test_without_such_a_rule_nothing_is_at_risk() -> None:
    """Whoever sends or takes messages need not even count them."""
    assert World({"fault": "link.duplicate"}).messages.at_risk
    assert not World({"fault": "link.down"}).messages.at_risk
    assert World({"fault": "link.down"}).messages.strike("wechat", "edge", KEYS[0]) is None
