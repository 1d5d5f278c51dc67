"""Planted bugs, found by hunting alone: how many storms and seconds until something breaks.

No scenario is made for them: every storm is drawn from the pool of the whole vocabulary, seed by seed. A hunt that
begins elsewhere draws other storms, so each bug is hunted from several starts far apart: one find may be luck,
finds from every start are not. What breaks the strongest design as well is no find. Seconds are CPU time of one core,
whatever else the machine does. Exit 1 when a bug is not found from some start, or not within the seconds asked for.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from statistics import median

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.tries import APART, Budget, Try, storms
from chaos.engines import LOCAL, engine
from chaos.planted import Bug, bugs

MEDIAN_S = 10.0
WORST_S = 60.0
WIDTH = 240


def hunts(planted: Sequence[Bug], firsts: Sequence[int], limit: int, workers: int) -> Iterator[Try]:
    """Every bug from every start, bug by bug, each until it is found or for `limit` storms."""
    budget = Budget(limit, float("inf"), journeys=(), faults=0)
    with engine(LOCAL, workers) as ready:
        waiting = [
            ready.submit(storms, "swarm", bug.name, first, budget) for bug in planted for first in firsts
        ]
        for done in waiting:
            yield done.result()


def table(planted: Sequence[Bug], firsts: Sequence[int], found: Sequence[Try]) -> Table:
    """A Markdown table: one line for each bug, one column for each start, and what was violated in any."""
    shown = Table(
        "bug", "planted for", "found by", *(f"from {first:,}" for first in firsts), box=box.MARKDOWN
    )
    for bug in planted:
        mine = {one.first: one for one in found if one.bug == bug.name}
        told = " ".join(sorted({invariant for one in mine.values() for invariant in one.violated}))
        cells = (_cell(mine[first]) for first in firsts)
        shown.add_row(bug.name.removeprefix("planted."), bug.catches, told or "nothing", *cells)
    return shown


def _cell(one: Try) -> str:
    return f"{one.storms:,} · {one.seconds:.1f} s" if one.violated else "missed"


def summary(firsts: Sequence[int], found: Sequence[Try]) -> Iterator[str]:
    """One sentence for each start. A miss took longer than any find."""
    for first in firsts:
        mine = [one for one in found if one.first == first]
        hits = [one for one in mine if one.violated]
        seconds = [one.seconds if one.violated else float("inf") for one in mine]
        yield (
            f"from {first:,}: {len(hits)} of {len(mine)} found; median {median(one.storms for one in mine):g} storms and "
            f"{median(seconds):.2f} s, at most {max(one.storms for one in mine):,} storms and {max(seconds):.1f} s"
        )


def in_time(firsts: Sequence[int], found: Sequence[Try]) -> bool:
    """Whether from every start all were found within `WORST_S`, half of them within `MEDIAN_S`."""
    if not all(one.violated and one.seconds <= WORST_S for one in found):
        return False
    return all(median(one.seconds for one in found if one.first == first) <= MEDIAN_S for first in firsts)


def main(argv: list[str] | None = None) -> int:
    """Print the table; 0 when every bug is found from every start, in time."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="first", type=int, default=1, help="first seed of the first start")
    parser.add_argument("--starts", type=int, default=5, help=f"starts, {APART:,} seeds apart")
    parser.add_argument("--limit", type=int, default=5_000, help="storms to try for each bug from each start")
    parser.add_argument("--bug", default="", help="only bugs whose name contains this")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(argv)
    planted = [bug for bug in bugs() if options.bug in bug.name]
    if not planted or options.starts < 1:
        parser.error(f"no bug is called {options.bug!r}" if not planted else "--starts must be 1 or more")
    firsts = [options.first + number * APART for number in range(options.starts)]
    found = list(hunts(planted, firsts, options.limit, options.jobs))
    if options.json:
        print(json.dumps([asdict(one) for one in found], indent=1))
    else:
        Console(width=WIDTH).print(table(planted, firsts, found))
        print("", *summary(firsts, found), sep="\n")
    return 0 if in_time(firsts, found) else 1


if __name__ == "__main__":
    sys.exit(main())
