"""What a policy tolerates: that claim, there, so often, and nothing else."""

from __future__ import annotations

from pathlib import Path

from reports.gate.strength import bounds
from tests.reports.gates import judge, outcomes, run, write

PLAIN = "schema: 1\nscenarios: present\n"


def tolerating(*exceptions: str, more: str = "") -> str:
    return PLAIN + "designs: {resilient: {tolerated: [" + ", ".join(exceptions) + "]}}\n" + more


def test_a_tolerance_excuses_its_own_claim_alone(tmp_path: Path) -> None:
    """I-09 is known; I-02 is not."""
    path = write(tmp_path / "r", [run(1, violated=("I-02", "I-09"))])
    decision = judge(tolerating("{name: I-09, why: known}"), path)
    assert decision.outcome == "violated"
    assert outcomes(decision, kind="holds")["I-09"] == "tolerated tolerated"
    assert outcomes(decision, kind="holds")["I-02"] == "violated violated"


def test_a_tolerance_for_this_scenario_goes_before_one_for_all(tmp_path: Path) -> None:
    """Whichever stands first in the file: 3 of 300 are too many for the one and few enough for the other."""
    runs = [run(seed, violated=("I-09",) if seed < 3 else ()) for seed in range(300)]
    path = write(tmp_path / "r", runs)
    everywhere = "{name: I-09, why: rare, below: 0.1%}"
    here = "{name: I-09, why: ticket 17, scenario: calm_trade}"
    for order in ((everywhere, here), (here, everywhere)):
        decision = judge(tolerating(*order), path)
        (check,) = [check for check in decision.checks if (check.kind, check.name) == ("holds", "I-09")]
        assert (check.outcome, check.data["why"], check.data["below"]) == ("tolerated", "ticket 17", 1)


def test_how_a_tolerance_stands_is_said_with_its_figures(tmp_path: Path) -> None:
    """Below its bound, above it, or not proven; how sure that is stands beside it."""
    runs = [run(seed, violated=("I-09",) if seed < 3 else ()) for seed in range(300)]
    path = write(tmp_path / "r", runs)
    for below, expected in (
        ("5%", "tolerated tolerated"),
        ("0.1%", "violated tolerated_too_often"),
        ("1.2%", "inconclusive tolerated_unproven"),
    ):
        decision = judge(tolerating(f"{{name: I-09, why: known, below: {below}}}"), path)
        assert outcomes(decision, kind="holds")["I-09"] == expected
        (check,) = [check for check in decision.checks if (check.kind, check.name) == ("holds", "I-09")]
        assert (check.data["failed"], check.data["runs"], check.data["confidence"]) == (3, 300, 0.95)
        assert check.data["high"] == bounds(3, 300, 0.95).high


def test_where_a_claim_is_tolerated_its_clean_runs_prove_no_rate(tmp_path: Path) -> None:
    """Neither alone nor pooled; the other scenarios are counted without it."""
    runs = [run(seed, violated=("I-09",) if seed == 3 else ()) for seed in range(10)]
    runs += [run(seed, "callback_late") for seed in range(300)]
    path = write(tmp_path / "r", runs)
    known = "{name: I-09, why: known, scenario: calm_trade}"
    pooled = judge(tolerating(known, more="violation_rate: {below: 1%, over: design}\n"), path)
    checks = {check.name: check for check in pooled.checks if check.kind == "rate"}
    assert (checks["I-09"].outcome, checks["I-09"].data["runs"], checks["I-02"].data["runs"]) == (
        "holds",
        300,
        310,
    )
    clean = write(tmp_path / "clean", [run(seed) for seed in range(10)])
    alone = judge(tolerating("{name: I-09, why: known}", more="violation_rate: {below: 1%}\n"), clean)
    found = outcomes(alone, kind="holds")
    assert (found["I-09"], found["I-02"]) == ("holds clean", "inconclusive too_few")
    assert [check for check in alone.checks if check.kind == "rate"] == []


def test_a_rule_that_came_due_and_was_kept_is_clean(tmp_path: Path) -> None:
    """One that never came due says so instead."""
    audit = {"counts": {"K-01": {"exact": 2}, "K-03": {}}}
    found = outcomes(judge(PLAIN, write(tmp_path / "r", [run(1, audit=audit)])), kind="holds")
    assert (found["K-01"], found["K-03"], found["I-01"]) == (
        "holds clean",
        "holds never_due_here",
        "holds clean",
    )
