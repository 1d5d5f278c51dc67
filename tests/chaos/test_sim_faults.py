"""Every fault of the vocabulary, done to a small world: it changes what happens, leaves evidence, and ends."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.history import Book, Event, Fault, State
from chaos.run import RunResult, run
from chaos.shrink.numbers import numbers_in
from chaos.sim_faults import SimFaults
from chaos.sim_world import SimWorld
from reference_platform import designs
from scenarios.faults import FAULTS
from sim.kernel import HarnessError
from sim.node import Node
from tests.chaos.worlds import PRODUCTS, deeds, of, storm

TO_WECHAT: dict[str, Any] = {"between": ["platform-*", "wechat"], "from": "10s", "until": "4min"}
FROM_WECHAT: dict[str, Any] = {"between": ["wechat", "edge"]}
A_WHILE: dict[str, Any] = {"from": "20s", "until": "2min"}
SILENT = [
    {"fault": "supplier.result_unknown", "until": "2min"},
    {"fault": "link.loss_before", "between": ["alpha", "edge"]},
]

# fault → its parameters, and what it needs to bite: other rules, another workload, another design.
TABLE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "link.latency": ({**TO_WECHAT, "latency": "300ms"}, {}),
    "link.bandwidth": ({**TO_WECHAT, "rate_kb_s": 1}, {}),
    "link.slow_close": ({"between": ["users", "edge"], "delay": "40s"}, {"knobs": {"workers": 1}}),
    "link.timeout": ({**TO_WECHAT, "timeout": "2s"}, {}),
    "link.reset_peer": ({**TO_WECHAT, "timeout": "2s"}, {}),
    "link.slicer": ({**TO_WECHAT, "average_size": 8, "delay": "20ms"}, {}),
    "link.limit_data": ({**TO_WECHAT, "bytes": 8}, {}),
    "link.down": (TO_WECHAT, {}),
    "link.partition": (TO_WECHAT, {}),
    "link.loss_before": (TO_WECHAT, {}),
    "link.loss_after": (TO_WECHAT, {}),
    "link.duplicate": (FROM_WECHAT, {}),
    "link.reorder": ({**FROM_WECHAT, "delay": "9s"}, {}),
    "node.crash": ({"from": "20s"}, {}),
    "node.pause": ({"from": "20s", "duration": "30s"}, {}),
    "node.clock_skew": ({"offset": "-3s"}, {}),
    "node.slow": ({"factor": 3}, {}),
    "database.latency": ({"extra": "50ms"}, {}),
    "database.drop_connections": ({"on": "state.orders.created"}, {}),
    "database.lost_commit_ack": ({"probability": 0.2}, {}),
    "database.crash": ({"from": "20s"}, {}),
    "database.failover": ({"on": "state.orders.created", "nth": 3}, {"knobs": {"replica_lag": "5s"}}),
    "database.replica_lag": ({"lag": "30s"}, {"design": "planted.reads_from_replica"}),
    "database.slow_disk": ({"factor": 50}, {}),
    "database.disk_full": (A_WHILE, {}),
    "database.pool_exhausted": ({**A_WHILE, "size": 0}, {}),
    "channel.callback_delay": ({"delay": "20s"}, {}),
    "channel.callback_loss": ({}, {}),
    "channel.callback_duplicate": ({}, {}),
    "channel.callback_reorder": ({"spread": "20s"}, {}),
    "channel.callback_forged": ({"forgery": "order"}, {"design": "naive"}),
    "channel.callback_amount": ({"delta_fen": -5}, {}),
    "channel.pay_after_close": ({"delay": "5s"}, {}),
    "channel.result_unknown": ({"probability": 0.5}, {}),
    "channel.query_lag": ({"lag": "1min"}, {}),
    "channel.down": ({"until": "1min"}, {}),
    "supplier.result_unknown": ({}, {}),
    "supplier.false_success": ({}, {}),
    "supplier.not_found_lag": ({"lag": "9min"}, {"others": SILENT}),
    "supplier.partial": ({"fraction": 0.5}, {"quantity": {"min": 2, "max": 2}}),
    "supplier.exhausted": ({}, {}),
    "supplier.slow": ({"delay": "1min"}, {}),
    "supplier.callback_first": ({}, {}),
    "supplier.fail": ({}, {}),
    "supplier.down": ({"until": "3min"}, {}),
    "user.drop": ({"back_after": "10s"}, {}),
    "user.double_submit": ({}, {}),
    "user.abandon": ({}, {}),
    "user.wrong_account": ({}, {}),
    "user.pay_twice": ({}, {}),
    "user.pay_late": ({"delay": "1min"}, {}),
    "user.request_refund": ({"after_paying": "0s"}, {}),
    "user.static_code": ({}, {}),
    "user.spend_credit": (
        {"after_credit": "5s"},
        {"others": [{"fault": "supplier.slow", "delay": "30min"}], "wallet_fen": 20_000},
    ),
}


def tried(fault: str) -> tuple[RunResult, list[Event]]:
    """A run with the fault, and what would have happened without it."""
    params, need = TABLE[fault]
    others, design = need.get("others", []), need.get("design", "resilient")
    world = {key: value for key, value in need.items() if key not in {"others", "design"}}
    without = deeds(run(storm(*others, **world), design, 1).history)
    return run(storm(*others, {"fault": fault, **params}, **world), design, 1), without


def test_the_table_knows_every_fault() -> None:
    """A fault added to the vocabulary needs a line here."""
    assert set(TABLE) == set(FAULTS)


@pytest.mark.parametrize("fault", TABLE)
def test_each_fault_changes_what_happens_leaves_evidence_and_ends(fault: str) -> None:
    """A fault that touches nothing proves nothing; one that is not undone breaks the run."""
    result, without = tried(fault)
    assert min(result.touched.values()) > 0
    assert deeds(result.history) != without
    events = of(result.history, Fault, fault=fault)
    assert events and all(event.site in result.plan for event in events)
    assert all(event.t_us <= result.header.heal_us for event in events)
    phases = [event.phase for event in events]
    assert phases.count("start") == 0 if not FAULTS[fault].window else phases[0] == "start"
    assert not FAULTS[fault].window or phases[-1] == "end"
    assert result.settled


BEFORE_ANYBODY = {"from": "0s", "until": "1ms"}


@pytest.mark.parametrize(
    "rule",
    [
        {"fault": "channel.callback_loss"},
        {"fault": "supplier.down"},
        {"fault": "user.drop", "back_after": "5s"},
        {"fault": "link.partition", "between": ["platform-*", "wechat"]},
        {"fault": "link.loss_before", "between": ["users", "edge"]},
        {"fault": "node.clock_skew", "offset": "5s"},
        {"fault": "node.slow", "factor": 9},
        {"fault": "database.latency", "extra": "1s"},
        {"fault": "database.slow_disk", "factor": 9},
        {"fault": "database.disk_full"},
        {"fault": "database.pool_exhausted", "size": 0},
        {"fault": "database.replica_lag", "lag": "1h"},
    ],
    ids=lambda rule: str(rule["fault"]),
)
def test_a_fault_that_is_over_before_anybody_acts_touches_nothing(rule: dict[str, Any]) -> None:
    """No evidence of anything: the campaign calls that inconclusive."""
    result = run(storm({**rule, **BEFORE_ANYBODY}), "naive", 1)
    assert list(result.touched.values()) == [0]


@pytest.mark.parametrize(
    "rule",
    [
        {"fault": "node.crash", "node": "platform-2", "from": "20s"},
        {"fault": "node.clock_skew", "node": "platform-2", "offset": "5s"},
        {"fault": "link.latency", "between": ["platform-2", "wechat"], "latency": "1s"},
        {"fault": "link.loss_before", "between": ["edge", "platform-2"]},
    ],
    ids=lambda rule: str(rule["fault"]),
)
def test_a_fault_on_a_node_that_this_design_has_not_touches_nothing(rule: dict[str, Any]) -> None:
    """`naive` runs one node; the storm is for all designs."""
    result = run(storm(rule), "naive", 1)
    assert list(result.touched.values()) == [0]
    assert deeds(result.history) == deeds(run(storm(), "naive", 1).history)


def test_a_world_that_does_not_heal_breaks_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdicts on a world that is still broken would blame the platform for the harness."""
    boot = Node.start
    monkeypatch.setattr(Node, "start", lambda node: None if node.lives else boot(node))
    with pytest.raises(HarnessError, match="did not heal: node platform-1 is down"):
        run(storm({"fault": "node.crash", "node": "platform-1", "from": "20s"}), "resilient", 1)


def test_the_later_of_two_overlapping_faults_counts_and_then_the_earlier_again() -> None:
    """The end of one does not end the other."""
    seen: dict[int, int] = {}
    rules = (
        {"fault": "node.clock_skew", "offset": "5s", "from": "10s", "until": "40s"},
        {"fault": "node.clock_skew", "offset": "9s", "from": "20s", "until": "30s"},
    )
    result = run(storm(*rules, arrivals={"shape": "constant", "rate_per_s": 0.5}), "naive", 1)
    for event in of(result.history, State, table="order_log", op="insert"):
        seen[event.t_us // 1_000_000] = round(
            (event.row["at_us"] - result.header.facts["epoch_us"] - event.t_us) / 1e6
        )
    assert {offset for t, offset in seen.items() if 20 <= t < 30} == {9}
    assert {offset for t, offset in seen.items() if 10 <= t < 20 or 30 <= t < 40} == {5}
    assert {offset for t, offset in seen.items() if t < 10 or t >= 40} == {0}
    assert min(result.touched.values()) > 0


def test_a_node_that_is_down_already_is_not_booted_by_the_end_of_a_later_crash() -> None:
    """The second crash finds nobody; only the first one's end brings the node back."""
    rules = (
        {"fault": "node.crash", "node": "platform-1", "from": "20s", "restart_after": "5min"},
        {"fault": "node.crash", "node": "platform-1", "from": "30s", "restart_after": "10s"},
    )
    result = run(storm(*rules), "naive", 1)
    assert of(result.history, State, node="platform-1")
    assert not [e for e in of(result.history, State) if 20_000_000 < e.t_us < 320_000_000]


def test_a_cut_between_one_node_and_its_database_hits_that_node_only() -> None:
    """The other one goes on writing."""
    cut = {"fault": "link.partition", "between": ["platform-1", "database"], "until": "5min"}
    result = run(storm(cut, members=8), "resilient", 1)
    early = [event for event in of(result.history, State) if event.t_us < 300_000_000]
    assert early and {event.node for event in early} == {"platform-2"}
    assert result.touched["0/link.partition/platform-1->database"] > 0


def test_messages_of_a_database_session_are_left_alone_by_a_rule_for_every_link() -> None:
    """They come in one stream, so a rule for all that a node sends strikes, and counts, the others only."""
    result = run(storm({"fault": "link.duplicate", "between": ["platform-*", "*"]}), "resilient", 1)
    struck = {event.data["where"] for event in of(result.history, Fault, phase="touch")}
    assert struck
    assert not any(where.endswith(("->database", "->replica")) for where in struck)


@pytest.mark.parametrize("applied", [True, False])
def test_lost_commits_stay_with_their_orders_when_others_do_not_come(applied: bool) -> None:
    """A recorded plan strikes the commits of an order again although half of the others were left out of it."""
    scenario = storm({"fault": "database.lost_commit_ack", "applied": applied, "probability": 0.2})
    whole = run(scenario, "resilient", 1)
    keep = range(2, 12, 2)
    half = run(scenario, "resilient", 1, plan=whole.plan, keep=keep)
    wanted = {site for site in whole.plan if set(numbers_in(site)) & set(keep)}
    assert len(wanted) > 5
    assert wanted <= half.plan.keys()


@pytest.mark.parametrize(
    "fault", [{"fault": "node.crash", "restart_after": "5min"}, {"fault": "node.pause", "duration": "5min"}]
)
def test_a_channel_whose_machine_is_down_takes_no_money_and_sends_nothing_until_it_is_back(
    fault: dict[str, Any],
) -> None:
    """It keeps its books: what was due meanwhile goes out afterwards, and the fault has touched something."""
    rule = {**fault, "node": "wechat", "on": "book.CH.captured", "nth": 3}
    storm_ = storm(rule, pay_with={"wechat": 1})
    result = run(storm_, "resilient", 1)
    start, end = (event.t_us for event in of(result.history, Fault))
    told = ("captured", "answered", "callback_acked")
    booked = [event.t_us for event in of(result.history, Book, party="CH") if event.entry in told]
    assert not [t_us for t_us in booked if start < t_us < end]
    assert len([t_us for t_us in booked if t_us >= end]) > 10
    assert result.touched[f"0/{fault['fault']}/wechat"] > 5
    assert result.violated == []


def test_unhealed_names_everything_that_is_still_wrong() -> None:
    """Each lasting fault, left in force, is named."""
    world = SimWorld(storm(products=PRODUCTS), designs.load("resilient"), 1)
    assert world.faults.unhealed() == []
    for rule in (
        {"fault": "node.slow", "factor": 3},
        {"fault": "node.clock_skew", "offset": "1s"},
        {"fault": "database.pool_exhausted", "size": 1},
        {"fault": "database.replica_lag", "lag": "9s"},
        {"fault": "database.slow_disk", "factor": 3},
        {"fault": "link.down", "between": ["platform-1", "wechat"]},
        {"fault": "node.crash", "node": "alpha"},
        {"fault": "node.pause", "node": "wechat", "duration": "9s"},
    ):
        (fault,) = storm(rule).faults
        blows = inflict(world.faults, fault)
        assert world.faults.unhealed(), rule
        for blow in blows:
            blow.undo()
        assert world.faults.unhealed() == [], rule
    world.kernel.close()


def inflict(faults: SimFaults, rule: Any) -> Any:
    return faults.inflict(rule.fault, rule.params(), rule.where(), "")
