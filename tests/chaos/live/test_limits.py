"""What cannot be done live is said before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.live.faults import LiveFaults
from chaos.live.limits import IMPOSSIBLE, problems, refuse
from scenarios import loading
from scenarios.faults import FAULTS
from scenarios.loading import ScenarioError

STORM = """\
name: mine
title: {en: Mine, zh: 我的}
story: {en: Mine., zh: 我的。}
catalogue: [F-01]
workload:
  orders: 2
  arrivals: {shape: burst, within: 1min}
  members: 2
  products:
    - {sku: game-100, kind: card, price_fen: 9800, stock: 40}
faults:
  - {fault: user.abandon}
  - FAULT
"""


def storm(tmp_path: Path, fault: str) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(STORM.replace("FAULT", fault), encoding="utf-8")
    return path


def test_a_rule_that_cannot_be_done_is_named_with_file_line_and_field(tmp_path: Path) -> None:
    """The message leads to the place to change, and says why."""
    path = storm(tmp_path, "{fault: database.slow_disk, factor: 4}")
    with pytest.raises(
        ScenarioError, match=r"mine\.yaml:13: faults\[1\]\.fault: database\.slow_disk cannot be"
    ) as told:
        refuse(str(path), loading.load(path))
    assert "the disk is this machine's own" in str(told.value)


def test_single_messages_can_be_struck_on_every_link_but_those_of_databases(tmp_path: Path) -> None:
    """One end of all others is ours. A rule about a database's session has no meaning in either world."""
    for fault in ("loss_before", "loss_after", "duplicate"):
        path = storm(tmp_path, f'{{fault: link.{fault}, between: ["*", "*"]}}')
        refuse(str(path), loading.load(path))
    path = storm(tmp_path, "{fault: link.reorder, delay: 1s, between: [platform-*, database]}")
    with pytest.raises(ScenarioError, match=r"mine\.yaml:13: .*on the way to the database"):
        loading.load(path)


def test_a_site_fault_may_wait_for_an_event(tmp_path: Path) -> None:
    """Though it is drawn in the channel's process, which does not see the platform's commits: it is told of them."""
    path = storm(tmp_path, "{fault: channel.callback_delay, delay: 1min, on: state.orders.paid}")
    refuse(str(path), loading.load(path))


def test_every_window_fault_can_be_done_or_is_refused() -> None:
    """No rule is left out in silence."""
    done = set(LiveFaults(None, None, None, None)._inflict)  # type: ignore[arg-type]
    window = {name for name, rule in FAULTS.items() if rule.window}
    assert window == done | (set(IMPOSSIBLE) & window)
    assert not done & set(IMPOSSIBLE)


def test_a_given_database_is_not_broken(tmp_path: Path) -> None:
    """Whoever lends us a server gets it back as it was."""
    path = storm(tmp_path, "{fault: database.crash}")
    refuse(str(path), loading.load(path))
    with pytest.raises(ScenarioError, match=r"mine\.yaml:13: faults\[1\]\.fault: database\.crash .*not ours"):
        refuse(str(path), loading.load(path), given_database=True)


def test_of_the_library_only_the_failover_is_refused() -> None:
    """All other shipped storms can be had on real parts."""
    refused = [name for name in loading.library() if list(problems(loading.load(name)))]
    assert refused == ["database_failover"]
