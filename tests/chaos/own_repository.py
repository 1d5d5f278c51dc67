"""A repository of a user's own with storms in it, and sessions of pytest there, judged by what their terminal says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import chaos.pytest_items
import chaos.pytest_results
import chaos.pytest_storms
import chaos.story  # noqa: F401 - all four imported here, or pytester would forget them after each session
import dingfeng

SCENARIO = """\
name: {name}
title: {{en: Everything comes four times, zh: 样样来四次}}
story: {{en: One payment and four notices., zh: 一次付款，四次通知。}}
catalogue: [F-09]
races: [X-06]
workload:
  orders: 3
  arrivals: {{shape: burst, within: 2min}}
  products:
    - {{sku: game-100, kind: card, price_fen: 9800, stock: 60}}
faults:
  - {{fault: channel.callback_duplicate, channel: wechat, copies: 3, spacing: 0s, probability: {probability}}}
sometimes: [{sometimes}]
expect:
  naive: {naive}
  resilient: {resilient}
"""
BROKEN = "{violated: [I-02]}"
TWO_SEEDS = "--dingfeng-seeds=2"


def scenario(
    name: str,
    *,
    naive: str = BROKEN,
    resilient: str = "holds",
    probability: float = 1,
    sometimes: str = "callback_duplicate_processed",
) -> str:
    return SCENARIO.format(
        name=name, naive=naive, resilient=resilient, probability=probability, sometimes=sometimes
    )


def write(pytester: pytest.Pytester, file: str, text: str) -> None:
    path = pytester.path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def ids(pytester: pytest.Pytester, *args: str) -> list[str]:
    """What a session would run."""
    result = pytester.runpytest_inprocess("--collect-only", "-q", *args)
    return [line for line in result.outlines if "::" in line]


def outcomes(pytester: pytest.Pytester, *args: str) -> tuple[dict[str, int], str]:
    """Passed, failed and so on, and all that was printed. Skipped or warned storms would be in it too."""
    result = pytester.runpytest_inprocess(*args)
    return result.parseoutcomes(), result.stdout.str()


def replays_the_same(kept: Path) -> None:
    """The front door finds the run as it was recorded: violated, with the same digest."""
    answer = CliRunner().invoke(dingfeng.app, ["replay", str(kept), "--json"])
    assert answer.exit_code == 1, answer.output
    assert json.loads(answer.output)["same"] is True
