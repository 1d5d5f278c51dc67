"""Synthetic results directories, written by the house's own writer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from chaos.checkers.verdict import Verdict, Witness
from chaos.history import Book, History, State
from chaos.results import SCHEMA, Campaign, CellSummary, Run
from chaos.results_writer import Writer
from reports.orders import lives
from tests.reports.storms import draw, storm

DESIGNS = ("naive", "resilient")
TITLES = {
    "calm_trade": ("An ordinary day", "平常的一天"),
    "callback_lost": ("Payment callbacks are lost", "支付回调全部丢失"),
    "callback_doubled": ("Every callback comes twice", "每个回调都来两次"),
    "partition_to_channel": ("The channel cannot be reached", "与支付渠道失去联系"),
    "node_crash_around_commit": ("A node dies around the commit", "节点在提交前后崩溃"),
}
RULES = ("K-01", "K-03", "K-05", "K-16")


def names(count: int) -> list[str]:
    known = list(TITLES)
    return [known[i] if i < len(known) else f"storm_{i:02d}" for i in range(count)]


def scenario(name: str) -> dict[str, Any]:
    en, zh = TITLES.get(name, (f"Storm {name[-2:]}", f"第 {name[-2:]} 场风暴"))
    broken = "holds" if name == "calm_trade" else {"violated": ["I-01"]}
    return {
        "name": name, "title": {"en": en, "zh": zh}, "story": {"en": en, "zh": zh},
        "sometimes": ["order_expired", "make_good_fired"], "expect": {"naive": broken, "resilient": "holds"},
    }  # fmt: skip


def judged(history: History) -> list[Verdict]:
    """I-01 and I-02 by the simplest means: what is unresolved, what was given twice."""
    cases: dict[str, list[Witness]] = {"I-01": [], "I-02": []}
    for life in lives(history):
        outcome = life.outcome()
        if outcome in ("unresolved", "over"):
            evidence = [
                index for index, event in enumerate(history.events)
                if (isinstance(event, Book) and event.entry == "captured" and event.ref.startswith(life.order_id))
                or (isinstance(event, State) and event.table == "cards" and (event.row or {}).get("order_id") == life.order_id)
            ]  # fmt: skip
            name = "I-01" if outcome == "unresolved" else "I-02"
            paid = life.payable_fen
            told: dict[str, Any] = {
                "captured_fen": paid,
                "delivered_fen": 0,
                "refunded_fen": 0,
                "wallet_fen": 0,
            }
            if outcome == "over":
                told = {"quantity": life.quantity, "units": life.units()}
            words = "owed" if outcome == "unresolved" else "too_many"
            cases[name].append(
                Witness("order", life.order_id, words, told, paid, (life.user,), tuple(evidence))
            )
    return [
        Verdict(
            name,
            "violated" if found else "holds",
            10,
            len(found),
            tuple(found[:20]),
            sum(w.amount_fen for w in found),
        )
        for name, found in cases.items()
    ]


def matrix(scenario_name: str, design: str, seed: int) -> list[dict[str, Any]]:
    cells = []
    for rule in RULES[:3]:
        for fault in ("channel.callback_loss", "none", "link.partition"):
            for state in ("paid", "closed"):
                lot = draw("audit", scenario_name, seed, rule, fault, state)
                verdict = (
                    "missed"
                    if design == "naive" and lot < 0.5
                    else "late"
                    if design == "naive" and lot < 0.6
                    else "exact"
                )
                if lot < 0.7:
                    cells.append(
                        {
                            "rule": rule,
                            "fault": fault,
                            "state": state,
                            "verdict": verdict,
                            "count": 1 + int(lot * 5),
                        }
                    )
    return cells


def write(path: Path, *, scenarios: int = 4, seeds: int = 5, orders: int = 10, finished: bool = True) -> Path:
    """A campaign of storms on `naive`, which loses orders, and `resilient`, which does not."""
    chosen = names(scenarios)
    campaign = Campaign(
        SCHEMA, "0.1.0", {"python": "3.11.9", "simpy": "4.1.2"}, "dingfeng run --seeds 5 --out out/storm",
        "2026-01-02T03:04:05+00:00", {name: scenario(name) for name in chosen}, list(DESIGNS),
        list(range(1, seeds + 1)), 2,
    )  # fmt: skip
    writer = Writer(path, campaign)
    cells = [_cell(writer, name, design, seeds, orders) for name in chosen for design in DESIGNS]
    writer.close()
    if finished:
        writer.save(msgspec.structs.replace(campaign, finished=True, wall_s=12.5, exit_code=0, cells=cells))
    return path


def _cell(writer: Writer, name: str, design: str, seeds: int, orders: int) -> CellSummary:
    violated: dict[str, int] = {}
    kept = sampled = 0
    for seed in range(1, seeds + 1):
        history = storm(name, design if name != "calm_trade" else "resilient", seed, orders)
        verdicts = judged(history)
        broken = [verdict for verdict in verdicts if verdict.outcome == "violated"]
        for verdict in broken:
            violated[verdict.invariant] = violated.get(verdict.invariant, 0) + 1
        run_id = f"{name}-{design}-{seed}"
        files = {
            "history.jsonl": b"\n".join(history.lines()) + b"\n",
            "verdict.json": msgspec.json.encode({"verdicts": verdicts}),
        }
        if broken and kept < 3:
            kept += 1
            writer.keep("failures", run_id, files)
        elif not broken and not sampled:
            sampled = 1
            writer.keep("samples", run_id, files)
        writer.add(
            Run(
                name, design, seed, "violated" if broken else "holds", verdicts={v.invariant: "violated" for v in broken},
                audit={"matrix": matrix(name, design, seed)}, met=["order_expired", "make_good_fired"][: 1 + (seed % 2)] + ["stock_ran_out"] * (seed % 2),
                touched={"0/channel.callback_loss/wechat": 4}, orders=orders, events=len(history.events),
                virtual_us=history.header.end_us, wall_ms=9.5,
            )
        )  # fmt: skip
    expected = name != "calm_trade" and design == "naive"
    outcome = "as expected" if expected and violated else "violated" if violated else "holds"
    return CellSummary(
        name,
        design,
        outcome,
        [f"{k} violated in {v} of {seeds}" for k, v in violated.items()],
        seeds,
        violated,
        [],
    )
