"""Every planted bug, shrunk: how many faults, orders and runs, and what its generated test says.

Exit 1 unless the medians are at most 3 faults and 3 orders, every bug took at most 100 runs, and each
generated test fails on the bug and passes on the strongest design.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import process_time

from junitparser import JUnitXml
from rich import box
from rich.console import Console
from rich.table import Table

from chaos.planted import Bug, bugs, hunt
from chaos.replay import Case
from chaos.shrink.generated import DESIGN_VARIABLE, file_name
from chaos.shrink.nearest import STRONGEST
from chaos.shrink.output import explain, write
from chaos.shrink.shrinker import shrink
from scenarios import loading

SEEDS = 200
MEDIAN_MAX = 3
RUNS_MAX = 100
HEAD = (
    "bug",
    "shrunk for",
    "faults",
    "orders",
    "runs",
    "fixpoint",
    "seconds",
    "test on the bug",
    f"on {STRONGEST}",
)


@dataclass(frozen=True)
class Row:
    """One bug. `test_on_bug` and `test_on_strongest` are what its generated test did: fails, passes or broke."""

    bug: str
    signature: str
    faults_before: int
    faults: int
    orders_before: int
    orders: int
    runs: int
    fixpoint: bool
    seconds: float
    test_on_bug: str
    test_on_strongest: str

    @property
    def good(self) -> bool:
        """Within the budget, and its test tells the bug from the strongest design."""
        told = (self.test_on_bug, self.test_on_strongest)
        return self.runs <= RUNS_MAX and told == ("fails", "passes")


def shrink_all(planted: Sequence[Bug], folder: Path, budget: int = RUNS_MAX) -> list[Row]:
    """Shrink each bug where it is first found, and run all generated tests on the bugs and on the strongest."""
    rows, files = [], []
    for bug in planted:
        found = hunt(bug, SEEDS)
        case = Case(loading.load(bug.scenario), bug.name, found.seed)
        began_s = process_time()
        shrunk = shrink(case, budget=budget)
        told = explain(shrunk, "en")
        cpu_s = process_time() - began_s
        out = folder / bug.name.removeprefix("planted.")
        write(told, out, "en")
        files.append(f"{out.name}/{file_name(shrunk)}")
        before, after = shrunk.before, shrunk.after
        sizes = (before.faults, after.faults, before.orders, after.orders)
        rows.append((out.name, str(shrunk.signature), *sizes, told.runs, shrunk.fixpoint, round(cpu_s, 2)))
    on_bugs, on_strongest = run_tests(folder), run_tests(folder, STRONGEST)
    return [
        Row(*row, on_bugs.get(file, "broke"), on_strongest.get(file, "broke"))
        for row, file in zip(rows, files, strict=True)
    ]


def run_tests(folder: Path, design: str = "") -> dict[str, str]:
    """Run the generated tests in a fresh pytest; by `bug/file.py`, whether each one fails or passes."""
    report = folder / f"junit-{design or 'bugs'}.xml"
    command = [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", "-p", "no:cacheprovider"]
    command += ["-o", "junit_family=xunit1", f"--junitxml={report}", f"--rootdir={folder}", str(folder)]
    paths = os.pathsep.join([str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, DESIGN_VARIABLE: design, "PYTHONPATH": paths}
    subprocess.run(  # noqa: S603 - our own interpreter on files that we have just written
        command, env=environment, cwd=folder, capture_output=True, check=False
    )
    done: dict[str, str] = {}
    for suite in JUnitXml.fromfile(str(report)):
        for case in suite:
            fails = any(type(result).__name__ == "Failure" for result in case.result)
            done[case._elem.get("file")] = "fails" if fails else "broke" if case.result else "passes"
    return done


def cells(row: Row) -> tuple[str, ...]:
    """One line of the table."""
    sizes = (f"{row.faults_before} → {row.faults}", f"{row.orders_before} → {row.orders}", str(row.runs))
    told = ("yes" if row.fixpoint else "no", f"{row.seconds:.2f}", row.test_on_bug, row.test_on_strongest)
    return (row.bug, row.signature, *sizes, *told)


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--budget", type=int, default=RUNS_MAX, help="runs for each bug")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = shrink_all(bugs(), Path(folder), options.budget)
    medians = {name: median(getattr(row, name) for row in rows) for name in ("faults", "orders", "runs")}
    good = all(row.good for row in rows) and max(medians["faults"], medians["orders"]) <= MEDIAN_MAX
    if options.json:
        print(json.dumps({"bugs": [asdict(row) for row in rows], "median": medians, "good": good}, indent=1))
    else:
        table = Table(*HEAD, box=box.MARKDOWN)
        for row in rows:
            table.add_row(*cells(row))
        Console(width=160).print(table)
        told = ", ".join(f"{name} {value:g}" for name, value in medians.items())
        wrong = [row.bug for row in rows if not row.good]
        print(f"\n{len(rows)} bugs; medians: {told}" + (f"; wrong: {', '.join(wrong)}" if wrong else ""))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
