"""A few planted bugs through the whole of shrinking, generated tests included; the benchmark does all."""

from __future__ import annotations

from pathlib import Path

from benchmarks.shrink import RUNS_MAX, shrink_all
from chaos.planted import bugs

FEW = (
    "each_notice_counts",
    "card_picked_without_lock",
    "refund_while_unknown",
    "lease_never_ends",
    "fee_without_posting",
)


def test_generated_tests_fail_on_their_bugs_and_pass_on_the_strongest_design(tmp_path: Path) -> None:
    """A notice, a race, two faults, a crash, and no fault at all: small, within the budget, and told apart."""
    few = [bug for bug in bugs() if bug.name.removeprefix("planted.") in FEW]
    rows = {row.bug: row for row in shrink_all(few, tmp_path)}
    assert sorted(rows) == sorted(FEW)
    for row in rows.values():
        assert (row.test_on_bug, row.test_on_strongest) == ("fails", "passes"), row
        assert row.runs <= RUNS_MAX
        assert row.faults <= 3
        assert row.orders <= 3
    assert rows["fee_without_posting"].faults == 0
