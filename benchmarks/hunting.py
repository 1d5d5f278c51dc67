"""Planted bugs, found by hunting alone: how many storms and seconds until something breaks.

No scenario is made for them: every storm is drawn from the pool of the whole vocabulary, seed by seed from 1, on
one core. Exit 1 when a bug is not found within the limit.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from time import process_time

from rich import box
from rich.console import Console
from rich.table import Table

from chaos.planted import Bug, bugs, violated_in
from chaos.swarm import pool, run_seed

HEAD = ("bug", "planted for", "found by", "storms", "seconds")
WIDTH = 140


@dataclass(frozen=True)
class Found:
    """How a bug was found; `violated` is empty when it was not."""

    bug: str
    catches: str
    violated: tuple[str, ...]
    storms: int
    seconds: float

    def row(self) -> tuple[str, ...]:
        """One line of the table."""
        told = " ".join(self.violated) or "not found"
        name = self.bug.removeprefix("planted.")
        return name, self.catches, told, str(self.storms), f"{self.seconds:.2f}"


def hunted(bug: Bug, first: int, limit: int) -> Found:
    """Storm by storm until something is violated."""
    began = process_time()
    for storms in range(1, limit + 1):
        broken = violated_in(run_seed(pool(), bug.name, first + storms - 1).verdicts)
        if broken:
            names = tuple(sorted(verdict.invariant for verdict in broken))
            return Found(bug.name, bug.catches, names, storms, process_time() - began)
    return Found(bug.name, bug.catches, (), limit, process_time() - began)


def table(found: Sequence[Found]) -> Table:
    """A Markdown table, one line for each bug."""
    shown = Table(*HEAD, box=box.MARKDOWN)
    for one in found:
        shown.add_row(*one.row())
    return shown


def main(argv: list[str] | None = None) -> int:
    """Print the table; 0 when every bug is found."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="first", type=int, default=1, help="first seed")
    parser.add_argument("--limit", type=int, default=5_000, help="storms to try for each bug")
    parser.add_argument("--bug", default="", help="only bugs whose name contains this")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(argv)
    found = [hunted(bug, options.first, options.limit) for bug in bugs() if options.bug in bug.name]
    missed = [one for one in found if not one.violated]
    if options.json:
        print(json.dumps([asdict(one) for one in found], indent=1))
    else:
        Console(width=WIDTH).print(table(found))
        storms, seconds = [one.storms for one in found], [one.seconds for one in found]
        print(
            f"\n{len(found) - len(missed)} of {len(found)} found; median {median(storms):g} storms and "
            f"{median(seconds):.2f} s, at most {max(storms)} storms and {max(seconds):.1f} s"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
