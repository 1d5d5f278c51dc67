"""Certificates: what they say, that they can be tried, and that a changed one is refused."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec
import pytest

from chaos.certificate import Certificate, load, save
from chaos.results import ResultsError
from chaos.sweep import Ground, certify, sweep, verify
from scenarios import loading

NAMES = ("database.lost_commit_ack", "node.crash", "user.double_submit")


@cache
def certificate(design: str = "resilient") -> Certificate:
    return certify(sweep(Ground.of(loading.load("wallet_order"), design, 1, NAMES), 2))


def test_a_certificate_says_what_was_tried_by_which_code_and_what_came_of_it() -> None:
    """Workload, design, versions, k, sites, runs, and no violation on the design that holds."""
    one = certificate()
    assert (one.workload, one.design, one.k, one.clean) == ("wallet_order", "resilient", 2, True)
    assert one.runs == sum(level.runs for level in one.levels)
    assert one.sites == one.levels[1].runs > 5
    assert len(one.versions["code"]) == 12
    assert {rule["fault"] for rule in one.vocabulary} == {"database.lost_commit_ack", "user.double_submit"}


def test_a_saved_certificate_loads_and_its_sample_comes_out_again(tmp_path: Path) -> None:
    """`doctor` runs the levels of no and one fault in full, and a sample of the deeper ones."""
    file = tmp_path / "deep" / "card.json"
    save(certificate(), file)
    findings = list(verify(load(file)))
    assert [finding.good for finding in findings] == [True] * 4
    assert "runs with 1 fault" in [finding.subject for finding in findings]


def test_violations_are_listed_and_tried_again(tmp_path: Path) -> None:
    """On naive a lost answer is enough; each kept violation still is one."""
    file = tmp_path / "naive.json"
    save(certificate("naive"), file)
    one = load(file)
    assert one.violated
    assert not one.clean
    assert [finding.subject for finding in verify(one) if finding.good][-1] == "violations"


def test_a_digest_that_no_run_comes_to_is_found() -> None:
    """A certificate that was made up does not pass, though its seal may be right."""
    one = certificate()
    level = one.levels[2]
    forged = msgspec.structs.replace(level, sample=[(strikes, "0" * 16) for strikes, _ in level.sample])
    findings = list(verify(msgspec.structs.replace(one, levels=[*one.levels[:2], forged])))
    assert [finding.good for finding in findings] == [True, True, True, False]
    short = msgspec.structs.replace(one.levels[1], runs=one.levels[1].runs - 1)
    findings = list(verify(msgspec.structs.replace(one, levels=[one.levels[0], short])))
    assert [finding.good for finding in findings] == [True, True, False]


def test_a_changed_damaged_or_foreign_file_is_refused(tmp_path: Path) -> None:
    """One message that says which file and why."""
    file = tmp_path / "card.json"
    save(certificate(), file)
    text = file.read_text("utf-8")
    for other, message in (
        (text.replace('"k": 2', '"k": 3'), "damaged"),
        (text.replace('"schema": 1', '"schema": 9'), "no certificate of schema 1"),
        (text[:-20], "damaged"),
        ("{}", "no certificate"),
    ):
        file.write_text(other, "utf-8")
        with pytest.raises(ResultsError, match=message):
            load(file)
    with pytest.raises(ResultsError, match="cannot be read"):
        load(tmp_path / "none.json")


def test_a_certificate_of_other_code_is_not_judged() -> None:
    """Another program may rightly come to other histories."""
    one = certificate()
    other = msgspec.structs.replace(one, versions={**one.versions, "code": "000000000000"})
    with pytest.raises(ResultsError, match="another version: code 000000000000, here"):
        list(verify(other))
