"""The doctor: what it says of a machine, and how it tells two histories apart."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from chaos import doctor
from chaos.doctor import Finding, determinism, environment, first_difference


def test_a_machine_that_can_run_the_suite_is_fit(tmp_path: Path) -> None:
    """Python, packages, cores, a place for results, the library."""
    findings = {finding.subject: finding for finding in environment(tmp_path)}
    assert all(finding.good for finding in findings.values())
    assert {"Python", "simpy", "cores", "results", "library"} <= set(findings)


def test_a_place_that_cannot_be_written_is_told() -> None:
    """Named, with the reason."""
    findings = {finding.subject: finding for finding in environment(Path("/proc/self/nowhere"))}
    assert not findings["results"].good
    assert "cannot be written" in findings["results"].seen


def test_the_first_event_that_differs_is_named() -> None:
    """Its number and both forms; a history that ends early differs where it ends."""
    assert first_difference(["h", "a", "b"], ["h", "a", "c"]) == "event 2 differs: b against c"
    assert first_difference(["h", "a"], ["h"]) == "event 1 differs: a against (the history ends)"
    assert "histories do not" in first_difference(["h"], ["h"])


def test_the_same_seed_gives_the_same_history_in_two_processes() -> None:
    """A sample of what `dingfeng doctor` tries for all; the hash seeds differ."""
    findings = list(determinism(["calm_trade", "callback_doubled"], ["naive", "resilient"], 1))
    assert [finding.good for finding in findings] == [True] * 4
    assert all("twice" in finding.seen for finding in findings)


def test_a_difference_between_two_processes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Digests that differ lead to a second look at whole histories."""
    monkeypatch.setattr(doctor, "_first_difference", lambda *_cell: "event 3 differs")
    found = doctor._compared("calm_trade", "naive", 1, {"digest": "aa"}, {"digest": "bb"})
    assert found == Finding("calm_trade on naive, seed 1", False, "event 3 differs")
    broken = doctor._compared("calm_trade", "naive", 1, {"digest": "aa"}, {"error": "KeyError: 'x'"})
    assert broken == Finding("calm_trade on naive, seed 1", False, "the run broke: KeyError: 'x'")


def test_a_run_that_breaks_is_told_with_its_error() -> None:
    """The other cells are still tried."""
    findings = list(determinism(["no_such_storm", "calm_trade"], ["naive"], 1))
    assert [finding.good for finding in findings] == [False, True]
    assert "no scenario 'no_such_storm'" in findings[0].seen


def test_a_process_that_ends_early_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is never taken for agreement."""
    monkeypatch.setattr("chaos.doctor.sys.executable", shutil.which("false"))
    findings = list(determinism(["calm_trade"], ["naive"], 1))
    assert findings == [Finding("determinism", False, "a process ended early: without a word")]
