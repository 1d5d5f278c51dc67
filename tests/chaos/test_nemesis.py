"""The nemesis: when faults strike, and that a plan is all there is to know about them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chaos.history import Fail, Fault, Invoke, Ok, Read, State, Unknown
from chaos.nemesis import Plan
from chaos.run import RunResult, run
from scenarios import loading
from scenarios.model import Scenario
from tests.chaos.worlds import deeds, of, storm

LOSS = {"fault": "channel.callback_loss", "probability": 0.5}
NO_ANSWER = {"fault": "channel.result_unknown", "probability": 0.3}


def small(name: str) -> Scenario:
    """A scenario of the library, cut to few orders."""
    scenario = loading.load(name)
    few = min(scenario.workload.orders, 30)
    return scenario.model_copy(update={"workload": scenario.workload.model_copy(update={"orders": few})})


def copied(plan: Any) -> Any:
    """As it comes back from a file."""
    return json.loads(json.dumps(plan))


@pytest.mark.parametrize("design", ["naive", "resilient"])
@pytest.mark.parametrize("name", loading.library())
def test_a_recorded_plan_replays_to_the_same_history(name: str, design: str) -> None:
    """Nothing is drawn: the plan says it all, also after a way through a file."""
    drawn = run(small(name), design, 2)
    again = run(small(name), design, 2, plan=copied(drawn.plan))
    assert (again.digest, again.plan) == (drawn.digest, drawn.plan)


def test_deleting_one_site_takes_out_that_effect_alone() -> None:
    """The others strike where they did."""
    drawn = run(storm(LOSS, {"fault": "user.abandon", "probability": 0.4}), "resilient", 1)
    site = next(site for site in drawn.plan if "abandon" in site)
    plan = {key: effect for key, effect in drawn.plan.items() if key != site}
    again = run(storm(LOSS, {"fault": "user.abandon", "probability": 0.4}), "resilient", 1, plan=plan)
    assert again.plan == plan


def test_an_effect_made_milder_in_the_plan_is_milder_in_the_run() -> None:
    """Site faults and windows alike: what counts is the plan, not the rule."""
    rules = (
        {"fault": "channel.callback_delay", "delay": "5min"},
        {"fault": "node.clock_skew", "node": "platform-1", "offset": "-30s"},
    )
    drawn = run(storm(*rules), "resilient", 1)
    plan = copied(drawn.plan)
    for site, effect in plan.items():
        effect["offset_us" if "skew" in site else "delay_us"] = 1_000_000
    again = run(storm(*rules), "resilient", 1, plan=plan)
    assert again.plan == plan
    skew = of(again.history, Fault, fault="node.clock_skew", phase="start")[0]
    assert skew.data["offset_us"] == 1_000_000
    assert deeds(again.history) != deeds(drawn.history)


def test_nothing_in_a_plan_strikes_after_the_storm() -> None:
    """A plan that was cut can move time; the heal must stay true."""
    always = storm({"fault": "channel.callback_loss"})
    drawn = run(always, "resilient", 1)
    sites = [site.rpartition("/")[0] for site in drawn.plan]
    plan: Plan = {f"{site}/{attempt}": {} for site in sites for attempt in range(1, 16)}
    again = run(always, "resilient", 1, plan=plan)
    assert len(again.plan) < len(plan)
    assert all(event.t_us < drawn.header.heal_us for event in of(again.history, Fault))


def placed(result: RunResult) -> list[tuple[int, str]]:
    """When each order was wished for, by its first request."""
    first: dict[str, int] = {}
    for event in of(result.history, Invoke, action="place_order"):
        first.setdefault(event.args["client_key"], event.t_us)
    return sorted((t_us, key) for key, t_us in first.items())


def thinking(result: RunResult) -> dict[str, int]:
    """From the order's answer to its payment, by order."""
    told = {e.result["order_id"]: e.t_us for e in of(result.history, Ok, action="place_order")}
    paid = {e.args["order_id"]: e.t_us for e in reversed(of(result.history, Invoke, action="pay"))}
    return {order: paid[order] - told[order] for order in told if order in paid}


def test_designs_and_faults_move_no_arrival_and_no_thought() -> None:
    """Common random numbers: what differs between two runs is the platform, not the people."""
    calm = run(storm(), "naive", 5)
    assert len(thinking(calm)) == 12
    for faults, design in (((), "resilient"), ((LOSS,), "naive"), ((NO_ANSWER, LOSS), "outbox")):
        other = run(storm(*faults), design, 5)
        assert placed(other) == placed(calm)
        assert thinking(other).items() <= thinking(calm).items()


def test_another_rule_in_front_moves_no_draw_of_the_rules_behind_it() -> None:
    """Draws are named by the fault, not by its place in the list."""
    alone = run(storm(LOSS), "resilient", 1)
    second = run(storm({"fault": "node.clock_skew", "offset": "1ms"}, LOSS), "resilient", 1)

    def lost(result: RunResult) -> set[str]:
        return {site.partition("/")[2] for site in result.plan if "loss" in site}

    assert lost(alone) == lost(second) != set()


@pytest.mark.parametrize("nth", [1, 3])
def test_a_fault_waits_for_the_nth_event_and_then_some(nth: int) -> None:
    """`on`, `nth`, `after`; it lasts as long as its window is wide."""
    rule = {
        "fault": "database.latency", "extra": "1ms", "on": "state.orders.created", "nth": nth,
        "after": "2s", "from": "0s", "until": "7s",
    }  # fmt: skip
    result = run(storm(rule), "resilient", 1)
    orders = of(result.history, State, table="orders", op="insert")
    start, end = of(result.history, Fault)
    assert start.t_us == orders[nth - 1].t_us + 2_000_000
    assert end.t_us == start.t_us + 7_000_000


def test_a_crash_of_the_acting_node_at_a_commit_leaves_the_row_and_no_reply() -> None:
    """It happens between the commit's effect and its acknowledgement."""
    rule = {"fault": "node.crash", "node": "acting", "on": "state.orders.created", "restart_after": "40s"}
    result = run(storm(rule), "resilient", 1)
    order = of(result.history, State, table="orders", op="insert")[0]
    end = of(result.history, Fault, phase="end")[0]
    assert end.data["node"] == order.node
    (asked, *_) = [
        e for e in of(result.history, Invoke) if e.args.get("client_key") == order.row["client_key"]
    ]
    told = [e for kind in (Ok, Fail, Unknown) for e in of(result.history, kind, op=asked.op)]
    assert [type(event) for event in told] == [Unknown]
    (read,) = of(result.history, Read, subject="order", key=order.key)
    assert "error" not in read.value


CRASHES = {
    "fault": "node.crash",
    "node": "platform-1",
    "from": "1s",
    "until": "31s",
    "restart_after": "2s",
    "repeat": 10,
}


def strikes(result: RunResult) -> list[int]:
    """When something was begun, µs."""
    return [event.t_us for event in of(result.history, Fault, phase="start")]


def test_a_fault_that_repeats_strikes_once_in_each_part_of_its_window_at_its_own_moment() -> None:
    """Moments differ by seed and by rule, and each blow has a site and an end of its own."""
    result = run(storm(CRASHES), "resilient", 1)
    moments = strikes(result)
    assert len(moments) == 10
    for number, at_us in enumerate(moments):
        assert 1_000_000 + number * 3_000_000 <= at_us <= 1_000_000 + (number + 1) * 3_000_000
    assert len({at_us % 3_000_000 for at_us in moments}) == 10
    assert moments != strikes(run(storm(CRASHES), "resilient", 2))
    ends = of(result.history, Fault, phase="end")
    assert len(ends) == len({event.site for event in ends}) == 10
    began = dict(
        zip((event.site for event in of(result.history, Fault, phase="start")), moments, strict=True)
    )
    assert all(event.t_us == began[event.site] + 2_000_000 for event in ends)


def test_strikes_that_repeat_are_in_the_plan_one_by_one_with_their_moments() -> None:
    """Any of them can be deleted, and the others come when they came, whatever the seed."""
    drawn = run(storm(CRASHES), "resilient", 1)
    plan = copied(drawn.plan)
    assert len(plan) == 10
    del plan["0/node.crash/platform-1/window/4"]
    again = run(storm(CRASHES), "resilient", 3, plan=plan)
    assert again.plan == plan
    assert strikes(again) == [at_us for number, at_us in enumerate(strikes(drawn)) if number != 3]


def test_of_strikes_that_repeat_each_has_the_rules_probability() -> None:
    """Some come, some do not."""
    result = run(storm({**CRASHES, "probability": 0.5}), "resilient", 1)
    assert 0 < len(strikes(result)) < 10
