"""The soak's own audit finds each thing that can be lost, and its storm holds in the simulated world."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.live_soak import DESIGN, SCENARIO, Audit
from chaos.history import Fault
from chaos.run import run
from scenarios import loading
from scenarios.model import Scenario

ACKED = {"channel": "wechat", "notify_id": "c1.n1", "status": 200, "accepted": True}
LINES: list[dict[str, Any]] = [
    {"kind": "ok", "user": "u1", "action": "place_order", "result": {"order_id": "o1"}},
    {"kind": "ok", "user": "u1", "action": "view_order", "result": {}},
    {"kind": "book", "party": "CH", "entry": "captured", "ref": "c1", "data": {"channel": "wechat", "paid_fen": 900}},
    {"kind": "book", "party": "CH", "entry": "callback_acked", "ref": "c1", "data": ACKED},
    {"kind": "book", "party": "CH", "entry": "callback_acked", "ref": "c9", "data": {**ACKED, "status": 503}},
    {"kind": "book", "party": "CH", "entry": "refund_done", "ref": "c1", "data": {"channel": "wechat", "amount_fen": 200}},
    {"kind": "book", "party": "SUP", "entry": "callback_acked", "ref": "a1", "data": {"accepted": True}},
]  # fmt: skip
CAPTURE = [["channel:wechat", 900], ["suspense", -900]]
EARNED = [["suspense", 700], ["revenue", -700]]
REFUND = [["suspense", 200], ["channel:wechat", -200]]
TABLES: dict[str, list[tuple[Any, ...]]] = {
    "orders": [("o1",)],
    "inbox": [("wechat:c1.n1",)],
    "attempts": [("a1",)],
    "charges": [("c1",)],
    "postings": [("o1", CAPTURE), ("o1", EARNED), ("o1", REFUND)],
}


def audited(**tables: list[tuple[Any, ...]]) -> Audit:
    """The lines above against these tables."""
    there = {**TABLES, **tables}

    def ask(query: str) -> list[tuple[Any, ...]]:
        return there[query.partition(" from ")[2].split()[0]]

    audit = Audit(LINES, ask)
    audit.run()
    return audit


def test_nothing_is_lost_when_everything_is_there() -> None:
    """What was refused was not promised."""
    audit = audited()
    assert audit.lost == []
    assert audit.counts["orders acknowledged"] == 1
    assert audit.counts["CH callback_acked"] == 2
    assert audit.counts["CH callback_acked with 2xx"] == 1
    assert audit.counts["fen held at wechat"] == 700


@pytest.mark.parametrize(
    ("table", "rows", "complaint"),
    [
        ("orders", [], "o1 was acknowledged and is not there"),
        ("inbox", [], "callback c1.n1 was acknowledged and forgotten"),
        ("attempts", [], "callback of attempt a1 was acknowledged and forgotten"),
        ("charges", [], "900 fen of charge c1 belong to no order"),
        ("postings", [("o1", CAPTURE), ("o1", REFUND)], "700 fen of o1 are neither earned nor returned"),
        ("postings", [("o1", EARNED), ("o1", REFUND)], "wechat holds 700 fen, the ledger says -200"),
        (
            "postings",
            [*TABLES["postings"], ("o1", [["revenue", 5]])],
            "the ledger is out of balance by 5 fen",
        ),
    ],
)
def test_each_loss_is_found(table: str, rows: list[tuple[Any, ...]], complaint: str) -> None:
    """One thing at a time is taken away."""
    assert complaint in audited(**{table: rows}).lost


def soak() -> Scenario:
    return loading.load(str(SCENARIO)).model_copy(update={"swarm": False})


def test_the_storm_kills_everybody_again_and_again_and_the_design_holds() -> None:
    """In the simulated world, as written: fifty-odd kills, each at its own moment."""
    result = run(soak(), DESIGN, 1)
    assert result.violated == []
    blows = [
        event.t_us for event in result.history.events if isinstance(event, Fault) and event.phase == "start"
    ]
    assert len(set(blows)) == len(blows) == sum(rule.repeat for rule in soak().faults if rule.recurs)
