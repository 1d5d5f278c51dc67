"""Every checker catches what it is for, on a platform that has just that bug.

Each planted design runs through its storm, seed by seed, until something is violated: the invariant
it was planted for must be first. The same storms leave the strong design without a scratch.
"""

from __future__ import annotations

import pytest

from chaos.checkers.registry import CHECKERS
from chaos.checkers.verdict import Verdict
from chaos.planted import Bug, blinded, bugs, found_first, hunt, storm, violated_in
from chaos.run import RunResult, run
from reference_platform import designs
from scenarios import loading

SEEDS = 10
"""Far more than are needed: every bug shows at the first seed or the second."""

BUGS = bugs()


def _named(bug: Bug) -> str:
    return bug.name


def test_there_is_a_bug_for_every_checker() -> None:
    """A checker without a planted bug has never been seen to work on a whole platform."""
    assert {bug.catches for bug in BUGS} == {checker.invariant for checker in CHECKERS}
    assert len(BUGS) >= 40


@pytest.mark.parametrize("bug", BUGS, ids=_named)
def test_a_planted_bug_is_found_first_by_the_checker_that_is_for_it(bug: Bug) -> None:
    """And on the same seeds the strong design breaks nothing."""
    found = hunt(bug, SEEDS)
    assert (found.first, bug.catches in found.violated) == (bug.catches, True)
    for seed in range(1, found.runs + 1):
        assert run(loading.load(bug.scenario), "resilient", seed).violated == []


@pytest.mark.parametrize("bug", BUGS, ids=_named)
def test_a_planted_design_says_what_it_is(bug: Bug) -> None:
    """Its name is that of its file, its words exist in both languages, and it is in nobody's ladder."""
    design = designs.load(bug.name)
    assert design.summary == bug.summary
    assert design.summary.isascii()
    assert any("\u4e00" <= character <= "\u9fff" for character in design.summary_zh)
    assert bug.name in designs.planted_names()
    assert bug.name not in designs.names()


def test_a_checker_left_out_takes_only_its_own_verdict_with_it() -> None:
    """The mutation run rests on this: no checker needs another one."""
    bug = next(bug for bug in BUGS if bug.name == "planted.notice_believed")
    result = storm(bug, 1)
    violated = {verdict.invariant for verdict in violated_in(result.verdicts)}
    assert len(violated) > 3
    for checker in CHECKERS:
        assert blinded(result.history, checker.invariant) == violated - {checker.invariant}


def _verdict(invariant: str, first_us: int) -> Verdict:
    return Verdict(invariant, "violated", 1, 1, first_us=first_us)


@pytest.mark.parametrize(
    ("verdicts", "first"),
    [
        ((), ""),
        ((_verdict("I-09", 5), _verdict("I-01", 4)), "I-01"),
        ((_verdict("I-01", 4), _verdict("I-09", 4)), "I-09"),
        ((_verdict("I-01", 4), _verdict("I-11", 4), _verdict("I-25", 4)), "I-11"),
        ((_verdict("I-12", 4), _verdict("I-09", 4), _verdict("I-01", 4)), "I-09+I-12"),
        ((Verdict("I-03", "unknown", 1, 1), _verdict("I-01", 4)), "I-01"),
    ],
)
def test_first_is_by_time_and_then_by_breadth(verdicts: tuple[Verdict, ...], first: str) -> None:
    """Two equally narrow ones at one moment are nobody's win, so the bug would count as badly planted."""
    assert found_first(verdicts) == first


def test_a_bug_that_is_not_there_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hunt can fail: on a sound design it comes home with nothing."""

    def sound(bug: Bug, seed: int) -> RunResult:
        return run(loading.load(bug.scenario), "resilient", seed)

    monkeypatch.setattr("chaos.planted.storm", sound)
    found = hunt(BUGS[0], 3)
    assert (found.first, found.violated, found.runs, found.right) == ("", (), 3, False)
