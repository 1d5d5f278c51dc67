"""The 30 cells of Hermitage, observed on each implementation."""

from __future__ import annotations

import pytest

from reference_platform.ports import Isolation
from tests.contracts.database.anomalies import ANOMALIES, observe
from tests.contracts.database.hermitage import side_by_side, table
from tests.contracts.database.worlds import SimWorld, World

# What PostgreSQL lets happen; everything else it prevents. Known from Hermitage, and observed on the
# real server by this very test.
ALLOWED = {
    Isolation.READ_COMMITTED: {"PMP", "P4", "G-single", "G2-item", "G2"},
    Isolation.REPEATABLE_READ: {"G2-item", "G2"},
    Isolation.SERIALIZABLE: set[str](),
}


@pytest.mark.parametrize("isolation", Isolation)
@pytest.mark.parametrize("anomaly", ANOMALIES)
def test_anomaly_occurs_exactly_where_postgresql_lets_it(
    world: World, anomaly: str, isolation: Isolation
) -> None:
    """Both implementations prevent and allow the same anomalies, cell by cell."""
    expected = "allowed" if anomaly in ALLOWED[isolation] else "prevented"
    assert observe(world, anomaly, isolation) == expected


def test_the_printed_comparison_marks_every_difference() -> None:
    """A cell that differs is marked and counted, so the command cannot pass by accident."""
    sim = table(SimWorld)
    real = {**sim, ("P4", Isolation.SERIALIZABLE): "allowed"}
    assert side_by_side("same", sim, dict(sim))[-1] == "30 of 30 cells equal"
    lines = side_by_side("other", sim, real)
    assert lines[-1] == "29 of 30 cells equal"
    assert [line.split()[0] for line in lines if "≠" in line] == ["P4"]
