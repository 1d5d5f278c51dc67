"""A synthetic campaign on real parts: a slow design and a quick one, with what their runs left behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.reports import campaigns

SCENARIO = "calm_trade"
CUT = {"connections": 12, "bytes": 12_528, "touched": 12}


def row(
    action: str, *, slow: float = 1.0, failed: int = 0, dropped: int = 0, requests: int = 24
) -> dict[str, Any]:
    """A line of load.json. The open loop is `slow` times slower than the closed one; nothing answered has no times."""
    closed = {"p50": 50.0, "p90": 80.0, "p99": 120.0, "p100": 150.0} if requests else {}
    return {
        "action": action, "requests": requests, "failed": failed, "dropped": dropped,
        "open_ms": {share: ms * slow for share, ms in closed.items()}, "closed_ms": closed,
    }  # fmt: skip


def clock(real_s: float = 8.0) -> dict[str, Any]:
    return {
        "real_s": real_s, "run_s": 93_840.9, "leaps": 89, "hasty_steps": 111, "looks": 4299, "leapt_s": 93_829.7,
        "hasty_s": 3.5, "spent_s": {"waiting": real_s / 2, "quiet": real_s / 8, "moving": real_s / 8, "hastening": real_s / 4},
        "held_s": {"platform-1": 0.9, "edge": 0.3},
    }  # fmt: skip


def write(path: Path, *, seeds: int = 2) -> Path:
    """The first seed of each design has load of three actions and a clock; what comes later only a clock."""
    campaigns.write(path, scenarios=2, seeds=seeds)
    file = path / "campaign.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "world": "live"}))
    for scenario in campaigns.names(2):
        for design, slow in (("naive", 9.0), ("resilient", 1.0)):
            for seed in range(1, seeds + 1):
                rows = [
                    row("view_order", slow=slow, requests=30),
                    row("place_order", slow=slow, failed=3 if slow > 1 else 0, dropped=2 if slow > 1 else 0),
                    row("view_wallet", requests=0, dropped=1),
                ]
                _leave(
                    path / "live" / f"{scenario}-{design}-{seed}",
                    rows if seed == 1 else [],
                    clock(8.0 * seed),
                )
    return path


def _leave(directory: Path, rows: list[dict[str, Any]], passed: dict[str, Any]) -> None:
    directory.mkdir(parents=True)
    (directory / "load.json").write_text(json.dumps(rows))
    (directory / "clock.json").write_text(json.dumps(passed))
