"""Do both worlds give the same verdicts? Every shipped scenario that real parts can have, on `naive` and `resilient`.

`python -m benchmarks.agreement [SCENARIO…] [--seeds N]`. Prints a line a scenario: which invariants broke in
both worlds, which in some simulated runs, and which in one world only. Exit 1 when any verdict differs. Takes a quarter of a minute a run.
"""

from __future__ import annotations

import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path

from chaos.agreement import Agreement
from chaos.live.agreeing import Plan, agree_on
from chaos.live.limits import refuse
from chaos.live.options import Options
from scenarios import loading
from scenarios.loading import ScenarioError

DESIGNS = ("naive", "resilient")


def possible() -> list[str]:
    """The shipped scenarios that real parts can have."""
    names = []
    for name in loading.library():
        try:
            refuse(name, loading.load(name), given_database=False)
        except ScenarioError:
            continue
        names.append(name)
    return names


def told(found: Agreement) -> str:
    """What broke in both worlds, what so few real runs may have missed, then what broke in one only, by design."""
    parts = []
    for design in DESIGNS:
        rows = [row for row in found.verdicts if row.design == design]
        both = " ".join(row.invariant for row in rows if row.sim and row.live) or "holds"
        missed = [
            f"{row.invariant} {row.sim}/{row.sim_runs} in sim"
            for row in rows
            if row.agrees and row.missed is not None
        ]
        only = [f"{row.invariant} {'sim' if row.sim else 'live'} only" for row in rows if not row.agrees]
        parts.append(f"{design}: {', '.join([both, *missed, *only])}")
    return " · ".join(parts)


def main() -> int:
    """Print the table; how many scenarios differ decides the exit code."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", help="by default all that real parts can have")
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    differing = 0
    for name in options.scenarios or possible():
        began_s = time.monotonic()
        plan = Plan(loading.load(name), DESIGNS, options.seeds, calibrate=False, command="")
        with tempfile.TemporaryDirectory() as folder:
            found = agree_on(plan, Options(), Path(folder), lambda _: None)
        if found is None:
            return 130
        differing += bool(found.agreement.differing or found.broken)
        mark = (
            "differs" if found.agreement.differing else f"{found.broken} broke" if found.broken else "agrees"
        )
        print(f"{name:26} {mark:8} {time.monotonic() - began_s:5.0f} s  {told(found.agreement)}", flush=True)
    print(f"{differing} scenarios differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
