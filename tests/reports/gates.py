"""Small results directories for the gate, written line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from chaos.certificate import Certificate, save
from chaos.checkers.verdict import Verdict, Witness
from chaos.measures import Measures
from chaos.results import SCHEMA, Campaign, Run
from reports.gate.checking import Known, parse
from reports.gate.evidence import Evidence, join
from reports.gate.judging import Decision, decide

VERSIONS = {"dingfeng": "0.1.0", "code": "c0de"}
KNOWN = Known(
    designs=("naive", "resilient"),
    library=("calm_trade", "callback_late"),
    invariants=("I-01", "I-02", "I-09"),
    rules=("K-01", "K-03"),
    situations=("order_expired", "make_good_fired"),
    scenarios=("calm_trade", "callback_late", "own_storm"),
    journeys=("card", "topup"),
    faults=("link.loss_before", "link.loss_after", "link.duplicate", "node.crash", "supplier.slow"),
    swept=("link.loss_before", "node.crash"),
)
MEASURES = Measures(
    paid_orders=2,
    click_to_card={18_000_000: 1, 24_000_000: 1},
    time_to_settle={400_000: 1, 900_000: 1},
    captured_fen=10_000,
    at_risk_peak_fen=9_800,
)

S = 1_000_000

Making = Callable[[int], dict[str, Any]]


def scenario(name: str, *sometimes: str) -> dict[str, Any]:
    return {"name": name, "title": {"en": name, "zh": name}, "sometimes": list(sometimes)}


def run(seed: int, scenario: str = "calm_trade", design: str = "resilient", **changes: Any) -> Run:
    """A clean run; `violated` names what it broke."""
    violated = changes.pop("violated", ())
    made: dict[str, Any] = {
        "outcome": "violated" if violated else "holds",
        "digest": f"d{seed}",
        "verdicts": dict.fromkeys(violated, "violated"),
        "audit": {"counts": {"K-01": {}, "K-03": {}}},
        "orders": 2,
        "virtual_us": 90_000_000_000,
        "measures": MEASURES,
    }
    return Run(scenario, design, seed, **{**made, **changes})


def write(
    path: Path,
    runs: Iterable[Run],
    *,
    seeds: Iterable[int] | None = None,
    scenarios: dict[str, dict[str, Any]] | None = None,
    designs: tuple[str, ...] | None = None,
    versions: dict[str, str] | None = None,
    **changes: Any,
) -> Path:
    """A campaign that asked for just these runs, unless told otherwise."""
    made = list(runs)
    asked = sorted({one.seed for one in made}) if seeds is None else list(seeds)
    known = scenarios or {one.scenario: scenario(one.scenario) for one in made}
    designs = designs or tuple(dict.fromkeys(one.design for one in made))
    versions = VERSIONS if versions is None else versions
    campaign = Campaign(
        SCHEMA, "0.1.0", versions, "dingfeng run", "2026-01-02T03:04:05+00:00", known, list(designs), asked, 1,
        finished=True, **changes,
    )  # fmt: skip
    path.mkdir(parents=True)
    (path / "campaign.json").write_bytes(msgspec.json.encode(campaign))
    (path / "runs.jsonl").write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in made))
    return path


def keep(path: Path, one: Run, *witnesses: Witness, invariant: str = "I-01") -> Run:
    """Keep a failing run as a campaign would."""
    run_id = f"{one.scenario}-{one.design}-{one.seed}"
    folder = path / "failures" / run_id
    folder.mkdir(parents=True)
    verdict = Verdict(invariant, "violated", 2, len(witnesses), witnesses)
    (folder / "verdict.json").write_bytes(msgspec.json.encode({"verdicts": [verdict]}))
    return msgspec.structs.replace(one, failure=run_id)


def owed(amount_fen: int = 9_800) -> Witness:
    data = {"captured_fen": amount_fen, "delivered_fen": 0, "refunded_fen": 0, "wallet_fen": 0}
    return Witness("order", "O17", "owed", data, amount_fen, ("ann",))


def judge(
    policy: str, *results: Path, baseline: tuple[Path, ...] = (), given: tuple[Path, ...] = ()
) -> Decision:
    """Decide by the text of a policy."""
    return decide(
        parse(policy, "gate.yaml", KNOWN), Path("gate.yaml"), KNOWN, joined(*results), baseline, given
    )


def joined(*results: Path) -> Evidence:
    return join(results)


def outcomes(decision: Decision, **where: str) -> dict[str, str]:
    """Name → outcome of the checks that fit; the words too, since they are why."""
    return {
        check.name: f"{check.outcome} {check.words}"
        for check in decision.checks
        if all(getattr(check, key) == value for key, value in where.items())
    }


def certificate(path: Path, **changes: Any) -> Path:
    """A sealed certificate of the candidate, k = 2."""
    made: dict[str, Any] = {
        "schema": 1, "workload": "card", "workload_digest": "ab", "scenario": {}, "design": "resilient", "seed": 1,
        "versions": VERSIONS, "vocabulary": [], "faults": list(KNOWN.swept), "k": 2, "sites": 9, "runs": 1627, "twins": 3,
        "digest": "ab12", "levels": [],
    }  # fmt: skip
    save(Certificate(**{**made, **changes}), path)
    return path


def took(us: int = 20 * S, **changes: Any) -> Measures:
    """What a run took: one order, delivered and settled after `us`."""
    return Measures(
        **{
            "paid_orders": 1,
            "click_to_card": {us: 1},
            "time_to_settle": {us: 1},
            "captured_fen": 10_000,
            **changes,
        }
    )


def both(tmp_path: Path, new: Any, old: Any, pairs: int = 40) -> tuple[Path, Path]:
    """Candidate and baseline; `new` and `old` make a run of a seed."""
    candidate = write(tmp_path / "new", [new(seed) for seed in range(pairs)])
    return candidate, write(tmp_path / "old", [old(seed) for seed in range(pairs)], versions={"code": "0ld"})


def compare(candidate: Path, baseline: Path, demand: str = "{}") -> dict[str, str]:
    """What the comparison says, by name."""
    decision = judge(f"schema: 1\nbaseline: {demand}\n", candidate, baseline=(baseline,))
    return outcomes(decision, kind="baseline")
