"""Thresholds on time and money, for each scenario on each design.

A percentile is a rate: "95 of 100 orders take at most 5 minutes" says that fewer than 5% are slower, and
is judged with the same exact bounds. Orders that were paid for and never got there count as slower.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chaos.measures import Times
from reports.gate import quantiles
from reports.gate.check import Check, Outcome
from reports.gate.evidence import Cell, Evidence
from reports.gate.policy import Limits, Percentiles, Policy
from reports.gate.strength import bounds, needed, outcome

_SHARES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


def check(policy: Policy, evidence: Evidence) -> Iterator[Check]:
    """Every limit wherever it applies."""
    for limits in policy.limits:
        for design in limits.designs or policy.designs:
            for cell in evidence.of(design):
                if cell.runs and (not limits.scenarios or cell.scenario in limits.scenarios):
                    yield from _cell(policy, limits, cell)


def _cell(policy: Policy, limits: Limits, cell: Cell) -> Iterator[Check]:
    if limits.click_to_card is not None:
        yield from _times(
            policy, cell, "click_to_card", limits.click_to_card, cell.click_to_card, cell.undelivered
        )
    if limits.time_to_settle is not None:
        yield from _times(
            policy, cell, "time_to_settle", limits.time_to_settle, cell.time_to_settle, cell.unsettled
        )
    for name, limit in (
        ("money_at_risk_peak", limits.money_at_risk_peak_fen),
        ("money_at_risk_end", limits.money_at_risk_end_fen),
    ):
        if limit is not None:
            seen, _ = cell.worst[name]
            data = {"seen_fen": seen, "limit_fen": limit, "runs": len(cell.runs)}
            yield _check(cell, name, "holds" if seen <= limit else "violated", "money", data)
    if limits.compensation_share is not None:
        yield _compensation(cell, limits.compensation_share)


def _compensation(cell: Cell, limit: float) -> Check:
    data: dict[str, Any] = {
        "cost_fen": cell.compensation_fen,
        "captured_fen": cell.captured_fen,
        "limit": limit,
    }
    if not cell.captured_fen:
        within = cell.compensation_fen <= 0
        return _check(
            cell, "compensation_share", "inconclusive" if within else "violated", "nothing_sold", data
        )
    data["share"] = share = cell.compensation_fen / cell.captured_fen
    return _check(cell, "compensation_share", "holds" if share <= limit else "violated", "share", data)


def _times(
    policy: Policy, cell: Cell, measure: str, limits: Percentiles, times: Times, never: int
) -> Iterator[Check]:
    orders = sum(times.values()) + never
    for name, limit_us in limits.model_dump(exclude_none=True).items():
        slower = quantiles.slower(times, never, limit_us)
        data: dict[str, Any] = {"limit_us": limit_us, "slower": slower, "orders": orders, "never": never}
        subject = f"{measure} {name}"
        if not orders:
            yield _check(cell, subject, "inconclusive", "no_orders", data)
        elif name == "max":
            yield _check(cell, subject, "violated" if slower else "holds", "slowest", data)
        else:
            yield _percentile(
                policy, cell, subject, _SHARES[name], data, quantiles.at(_SHARES[name], times, never, -1)
            )


def _percentile(
    policy: Policy, cell: Cell, subject: str, share: float, data: dict[str, Any], seen_us: int | None
) -> Check:
    rate = round(1 - share, 6)
    slower, orders = data["slower"], data["orders"]
    judged = outcome(slower, 0, orders, rate, policy.confidence)
    data |= {
        "seen_us": seen_us,
        "rate": rate,
        "high": bounds(slower, orders, policy.confidence).high,
        "confidence": policy.confidence,
        "needed": needed(slower, rate, policy.confidence),
    }
    words = "percentile" if seen_us != -1 else "percentile_never"
    if judged == "inconclusive":
        words += "_unproven"
    return _check(cell, subject, judged, words, data)


def _check(cell: Cell, name: str, stands: Outcome, words: str, data: dict[str, Any]) -> Check:
    _, seed = cell.worst[name.partition(" ")[0]]
    replay = () if stands == "holds" else (cell.token(seed),)
    return Check("limits", name, stands, words, data, cell.scenario, cell.design, replay)
