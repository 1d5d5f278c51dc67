"""What is measured before a storm, and what stays as the scenario says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from chaos.live import keys as key_rings
from chaos.live import probe
from scenarios import loading
from scenarios.model import Scenario


def world(scenario: Scenario, parties: tuple[str, ...]) -> Any:
    """As much of a world as is asked for its speeds."""
    keys = key_rings.make(())
    links = SimpleNamespace(port=lambda caller, callee: f"{caller}-{callee}")
    layout = SimpleNamespace(parties=parties, keys=keys, links=links, front=lambda: "front")
    return SimpleNamespace(
        layout=layout, opening=SimpleNamespace(scenario=scenario, node_names=lambda: ["platform-1"])
    )


@pytest.mark.parametrize(("parties", "counterparty_us"), [(("wechat",), 21_000), ((), 20_000)])
def test_a_shop_without_counterparties_keeps_the_speed_that_the_scenario_gives_them(
    monkeypatch: pytest.MonkeyPatch, parties: tuple[str, ...], counterparty_us: int
) -> None:
    """There is nobody to ask; everything else is measured."""
    took_us = {
        ("front", "/health"): 6_000,
        ("127.0.0.1:platform-1-wechat", "/health"): 42_000,
        ("127.0.0.1:platform-1-users", "/health"): 80_000,
    }
    monkeypatch.setattr(probe, "_database", lambda _world, _node: (70, 50))
    monkeypatch.setattr(probe, "_asked", lambda address, path, _: took_us.get((address, path), 9_070))
    speeds = probe.speeds(world(loading.load("wallet_last_purchase"), parties))
    assert speeds.counterparty == counterparty_us
    assert (speeds.statement, speeds.commit, speeds.service) == (70, 50, 3_000)
    assert (speeds.users, speeds.notice) == (3_000, 40_000)
