"""Four ways to look for a bug, compared on the planted ones: storms and seconds until the first violation.

What each way does is told in `tries.py`. A try that finds nothing within the budget stays in all medians, as longer
than the budget. Tries are written as they come, and those found in the file are not made again, so the comparison
can be interrupted, but not the code changed; all of it takes about an hour of CPU time.
"""

from __future__ import annotations

import io
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path
from statistics import median

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter, PercentFormatter
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.tries import STRATEGIES, SWEEP, BadTries, Budget, Try, jobs, measure, read
from chaos.planted import Bug, bugs
from reports import style
from scenarios import loading

PAIRS = 2
WIDTH = 160
QUICK = ("fee_without_posting", "duplicate_refused", "reads_from_replica")
LOOKS = {"fixed 0.05": ("#e69f00", ":"), "fixed 0.2": ("#a3417f", "--"), "swarm": ("#0072b2", "-"),
         SWEEP: ("#009e73", "-.")}  # fmt: skip


def numbers(tries: Sequence[Try], budget: Budget, what: Callable[[Try], float]) -> list[float]:
    """One number for each try; a miss is longer than anything."""
    return sorted(what(one) if budget.within(one) else inf for one in tries)


def shown(value: float, digits: int = 0) -> str:
    """A number, or that it lies beyond the budget."""
    return "missed" if value == inf else f"{value:,.{digits}f}"


def by_bug(planted: Sequence[Bug], tries: Sequence[Try], budget: Budget) -> Table:
    """Median storms and seconds of each strategy on each bug, and of how many tries found it."""
    strategies = [name for name in STRATEGIES if any(one.strategy == name for one in tries)]
    table = Table("bug", "planted for", *strategies, box=box.MARKDOWN)
    for bug in planted:
        cells = []
        for strategy in strategies:
            mine = [one for one in tries if (one.strategy, one.bug) == (strategy, bug.name)]
            cells.append(_cell(mine, budget) if mine else "–")
        table.add_row(bug.name.removeprefix("planted."), bug.catches, *cells)
    return table


def _cell(mine: Sequence[Try], budget: Budget) -> str:
    found = sum(map(budget.within, mine))
    storms_run = median(numbers(mine, budget, lambda one: one.storms))
    seconds = median(numbers(mine, budget, lambda one: one.seconds))
    told = "missed" if storms_run == inf else f"{storms_run:,.0f} · {seconds:.2f} s"
    return told if found in (0, len(mine)) else f"{told} ({found}/{len(mine)})"


def summary(tries: Sequence[Try], budget: Budget) -> Table:
    """One line a strategy, over all of its tries."""
    head = (
        "strategy",
        "tries",
        "found",
        "bugs found each time",
        "median storms",
        "worst",
        "median s",
        "worst s",
    )
    table = Table(*head, box=box.MARKDOWN)
    for strategy in STRATEGIES:
        mine = [one for one in tries if one.strategy == strategy]
        if not mine:
            continue
        missed = {one.bug for one in mine if not budget.within(one)}
        names = {one.bug for one in mine}
        runs, seconds = (
            numbers(mine, budget, lambda one: one.storms),
            numbers(mine, budget, lambda one: one.seconds),
        )
        table.add_row(
            strategy, str(len(mine)), str(sum(map(budget.within, mine))), f"{len(names - missed)} of {len(names)}",
            shown(median(runs)), shown(runs[-1]), shown(median(seconds), 2), shown(seconds[-1], 1),
        )  # fmt: skip
    return table


def reach(planted: Sequence[Bug], tries: Sequence[Try]) -> Table:
    """Where a sweep meets each bug, if it runs to its end."""
    table = Table("bug", "found by", "journey", "faults", "runs", "seconds", box=box.MARKDOWN)
    swept_by_bug = {one.bug: one for one in tries if one.strategy == SWEEP}
    for bug in planted:
        if (one := swept_by_bug.get(bug.name)) is None:
            continue
        told = (
            (" ".join(one.violated), one.journey, str(one.faults))
            if one.violated
            else ("not found", "–", "–")
        )
        table.add_row(bug.name.removeprefix("planted."), *told, f"{one.storms:,}", f"{one.seconds:.1f}")
    return table


def renewed(page: str, tables: dict[str, Table]) -> str:
    """A Markdown page with what stands between `<!-- NAME -->` and `<!-- end -->` replaced. ValueError for no such place."""
    for name, table in tables.items():
        head, found, rest = page.partition(f"<!-- {name} -->\n")
        _, closed, tail = rest.partition("<!-- end -->")
        if not found or not closed:
            raise ValueError(f"the page has no place for {name!r}: <!-- {name} --> … <!-- end -->")
        drawn = io.StringIO()
        Console(width=WIDTH, file=drawn).print(table)
        lines = [line.rstrip() for line in drawn.getvalue().strip().splitlines()]
        page = "\n".join([head + found.rstrip(), "", *lines, "", closed + tail])
    return page


def figure(tries: Sequence[Try], budget: Budget) -> str:
    """Which share of tries had found its bug, against storms and against seconds. An SVG file."""
    with style.settings("strategies"):
        drawing = style.canvas(860, 380)
        for left, head, end, what in (
            (58, "storms run", float(budget.storms), lambda one: float(one.storms)),
            (484, "seconds of CPU time", budget.seconds, lambda one: one.seconds),
        ):
            axes = style.panel(drawing, left, 58, left + 362, 330)
            _curves(axes, tries, budget, what, end)
            axes.set_xlabel(head)
        drawing.axes[0].legend(loc="upper left", frameon=False, fontsize=style.SMALL, handlelength=3)
        title = "Share of searches that had found their planted bug"
        drawing.text(16 / 860, 1 - 24 / 380, title, weight=700)
        told = f"A curve that does not reach 100% has misses: nothing within {budget.seconds:g} s."
        drawing.text(16 / 860, 1 - 43 / 380, told, color=style.MUTED, size=style.SMALL)
        shares = [
            f"{name} {sum(map(budget.within, mine))} of {len(mine)}"
            for name in STRATEGIES
            if (mine := [one for one in tries if one.strategy == name])
        ]
        drawn = style.svg(drawing, title, f"Found: {', '.join(shares)}.")
    return style.standalone(drawn)


def _curves(
    axes: Axes, tries: Sequence[Try], budget: Budget, what: Callable[[Try], float], end: float
) -> None:
    by_strategy = {name: [one for one in tries if one.strategy == name] for name in LOOKS}
    found = {
        name: [value for value in numbers(mine, budget, what) if value < inf]
        for name, mine in by_strategy.items()
        if mine
    }
    last = max(end, *(values[-1] for values in found.values() if values))
    for name, values in found.items():
        colour, dashes = LOOKS[name]
        share = 1 / len(by_strategy[name])
        label = f"{name} ({share * len(values):.0%})"
        steps = [0.0, *(share * (number + 1) for number in range(len(values)))]
        axes.step(
            [*values[:1], *values, last], [*steps, steps[-1]] if values else [0.0],
            where="post", color=colour, linestyle=dashes, linewidth=2, label=label,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(min((values[0] for values in found.values() if values), default=1.0), last)
    axes.set_ylim(0, 1.02)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid(color=style.GRID)
    axes.set_axisbelow(True)


def main(argv: list[str] | None = None) -> int:
    """Print the tables; 0 when swarm, which is what `hunt` does, found every bug each time."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--storms", type=int, default=5_000, help="storms for each try")
    parser.add_argument("--seconds", type=float, default=60.0, help="CPU seconds for each try")
    parser.add_argument("--tries", type=int, default=5, help="tries of each random strategy for each bug")
    parser.add_argument("--strategy", action="append", choices=STRATEGIES, help="only this one; repeatable")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, help="where tries are kept  [out/strategies.jsonl]")
    parser.add_argument(
        "--docs", type=Path, help="folder with strategies.md: renew its tables and its figure"
    )
    parser.add_argument("--show", action="store_true", help="make no tries, tell those in the file")
    parser.add_argument("--quick", action="store_true", help="a smoke: three bugs, one journey, two tries")
    options = parser.parse_args(argv)
    quick, journeys = options.quick, loading.journeys()
    budget = Budget(
        options.storms, options.seconds, journeys[: 1 if quick else None], faults=1 if quick else PAIRS
    )
    kept = options.out or Path("out/strategies-quick.jsonl" if quick else "out/strategies.jsonl")
    planted = [bug for bug in bugs() if not quick or bug.name.removeprefix("planted.") in QUICK]
    try:
        tries = read(kept, budget)
    except BadTries as error:
        print(error, file=sys.stderr)
        return 2
    made = {one.key for one in tries}
    names = [bug.name for bug in planted]
    repeats = min(options.tries, 2) if quick else options.tries
    todo = [job for job in jobs(names, options.strategy or STRATEGIES, repeats) if job not in made]
    if todo and not options.show:
        try:
            tries += measure(todo, budget, options.jobs, kept)
        except KeyboardInterrupt:
            print(f"interrupted; the same command goes on where {kept} ends", file=sys.stderr)
            return 130
    tables = {
        "summary": summary(tries, budget),
        "bugs": by_bug(planted, tries, budget),
        "reach": reach(planted, tries),
    }
    for table in tables.values():
        Console(width=WIDTH).print(table)
    if options.docs:
        page = options.docs / "strategies.md"
        page.write_text(renewed(page.read_text("utf-8"), tables), "utf-8")
        (options.docs / "strategies.svg").write_text(figure(tries, budget), "utf-8")
    return 0 if all(budget.within(one) for one in tries if one.strategy == "swarm") else 1


if __name__ == "__main__":
    sys.exit(main())
