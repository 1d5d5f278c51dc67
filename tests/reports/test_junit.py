"""JUnit: cases for each scenario on each design and each invariant; only the unexpected fails."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from junitparser import JUnitXml, TestCase, TestSuite

import reports
from tests.reports import campaigns


def build(directory: Path, outcomes: dict[tuple[str, str], str], **fields: object) -> list[TestSuite]:
    """Reports of a campaign whose cells came out as told."""
    file = directory / "campaign.json"
    content = json.loads(file.read_text("utf-8"))
    for cell in content["cells"]:
        cell["outcome"] = outcomes.get((cell["scenario"], cell["design"]), cell["outcome"])
    file.write_text(json.dumps({**content, **fields}), encoding="utf-8")
    reports.build(directory)
    document = JUnitXml.fromfile(str(directory / "junit.xml"))
    return list(document)


def case_of(suite: TestSuite, classname: str, name: str) -> TestCase:
    return next(c for c in suite if c.classname == classname and str(c.name).startswith(name))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return campaigns.write(tmp_path / "results", scenarios=3, seeds=2, orders=25)


def test_expected_failures_pass_and_say_so(directory: Path) -> None:
    """`naive` is built to break: that is no failure of the build."""
    scenarios, invariants = build(directory, {})
    assert (scenarios.failures, scenarios.errors, invariants.failures) == (0, 0, 0)
    assert scenarios.tests == 6
    assert "I-02: 2 of 2 runs" in str(case_of(scenarios, "scenarios.callback_lost", "naive").system_out)
    assert "broke as expected" in str(case_of(invariants, "invariants.naive", "I-01").system_out)


def test_an_unexpected_violation_fails_both_its_cases_with_story_and_replay(directory: Path) -> None:
    """The scenario's case and the invariant's case, each with order, money and the line that replays it."""
    scenarios, invariants = build(directory, {("callback_lost", "naive"): "violated"})
    assert scenarios.failures == 1
    assert invariants.failures >= 1
    told = str(case_of(scenarios, "scenarios.callback_lost", "naive").result[0].text)
    assert "¥30.00" in told
    assert "dingfeng replay callback_lost:naive:" in told
    told = str(case_of(invariants, "invariants.naive", "I-01").result[0].text)
    assert "callback_lost: " in told
    assert "dingfeng replay callback_lost:naive:" in told
    assert not case_of(invariants, "invariants.resilient", "I-01").result


@pytest.mark.parametrize(
    ("outcome", "failures", "errors", "skipped"),
    [("not violated", 1, 0, 0), ("broken", 0, 1, 0), ("inconclusive", 0, 0, 1), ("not run", 0, 0, 1)],
)
def test_each_outcome_has_its_place_in_junit(
    directory: Path, outcome: str, failures: int, errors: int, skipped: int
) -> None:
    """An expected break not seen fails; the harness's fault is an error; no verdict is a skip."""
    scenarios, _ = build(directory, {("callback_lost", "resilient"): outcome})
    assert (scenarios.failures, scenarios.errors, scenarios.skipped) == (failures, errors, skipped)


def test_control_characters_of_a_crash_do_not_break_the_file(directory: Path) -> None:
    """XML cannot hold them, and a traceback may."""
    runs = directory / "runs.jsonl"
    lines = runs.read_text("utf-8").splitlines()
    first = json.loads(lines[0])
    lines[0] = json.dumps({**first, "outcome": "broken", "error": "Traceback\n\x1b[31mBoom\x00\x0b"})
    runs.write_text("\n".join(lines) + "\n", encoding="utf-8")
    scenarios, _ = build(directory, {(first["scenario"], first["design"]): "broken"})
    assert "Boom" in str(case_of(scenarios, f"scenarios.{first['scenario']}", first["design"]).result[0].text)


def test_every_known_invariant_has_a_case(directory: Path) -> None:
    """What held is told as well."""
    _, invariants = build(directory, {})
    names = {str(case.name).split()[0] for case in invariants}
    assert {"I-01", "I-02", "I-09", "I-30"} <= names


def test_a_chinese_file_tells_its_reasons_in_chinese(directory: Path) -> None:
    """The reasons that a campaign keeps are English; a report says them in the reader's words."""
    reports.build(directory, "zh")
    text = (directory / "junit.xml").read_text("utf-8")
    told = re.findall(r"<system-out>(.*?)</system-out>", text, re.DOTALL)
    assert any("I-01\uff1a2 \u6b21\u4e2d 2 \u6b21" in one for one in told)
    assert not any(re.search(r"violated|expected|runs|: ", one) for one in told)
