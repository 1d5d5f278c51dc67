"""Planted bugs: is each found, how soon, and first by the checker that is for it?

Exit 1 when one is not found, or is found first by another invariant. A mutation run then leaves out
each checker in turn: the bugs that are no longer found are those that only this checker sees.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from chaos.checkers.registry import CHECKERS
from chaos.planted import Bug, Hunt, bugs, hunt, seen_without

HEAD = ("bug", "stands for", "scenario", "found first by", "all violated", "runs", "seconds")


def row(found: Hunt) -> tuple[str, ...]:
    """One line of the table."""
    first = found.first or "not found"
    return (
        found.bug.name.removeprefix("planted."),
        found.bug.real or "–",
        found.bug.scenario,
        first if found.right else f"{first} (wrong: {found.bug.catches})",
        " ".join(sorted(found.violated)),
        str(found.runs),
        f"{found.wall_s:.2f}",
    )


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table with columns of even width."""
    rows = [head, tuple("-" for _ in head), *rows]
    widths = [max(len(line[column]) for line in rows) for column in range(len(head))]
    shown = []
    for line in rows:
        cells = [
            cell.ljust(width, "-" if cell == "-" else " ") for cell, width in zip(line, widths, strict=True)
        ]
        shown.append(f"| {' | '.join(cells)} |")
    return "\n".join(shown)


def as_data(found: Hunt) -> dict[str, Any]:
    """One line as JSON."""
    return {
        "bug": found.bug.name,
        "summary": found.bug.summary,
        "real": found.bug.real,
        "scenario": found.bug.scenario,
        "catches": found.bug.catches,
        "first": found.first,
        "right": found.right,
        "violated": list(found.violated),
        "seed": found.seed,
        "t_us": found.t_us,
        "runs": found.runs,
        "seconds": round(found.wall_s, 3),
    }


def mutate(planted: list[Bug], seeds: range) -> dict[str, list[str]]:
    """For each checker, the bugs that nobody finds on these seeds when it is left out."""
    only: dict[str, list[str]] = {checker.invariant: [] for checker in CHECKERS}
    for bug in planted:
        for invariant, seen in seen_without(bug, seeds).items():
            if not seen:
                only[invariant].append(bug.name)
    return only


def main(argv: list[str] | None = None) -> int:
    """Print the table; 0 when every bug is found first by its own checker."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=200, help="seeds to try for each bug")
    parser.add_argument(
        "--mutation-seeds", type=int, default=10, help="seeds of the mutation run; 0 leaves it out"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args(argv)
    planted = bugs()
    found = [hunt(bug, options.limit) for bug in planted]
    only = mutate(planted, range(1, options.mutation_seeds + 1)) if options.mutation_seeds else {}
    wrong = [one for one in found if not one.right]
    if options.json:
        data = {"bugs": [as_data(one) for one in found], "mutation_seeds": options.mutation_seeds}
        print(json.dumps({**data, "only_seen_by": only}, ensure_ascii=False, indent=1))
    else:
        print(table(HEAD, map(row, found)))
        total_s = sum(one.wall_s for one in found)
        print(
            f"\n{len(found)} bugs, {len(found) - len(wrong)} found first by their own checker, {total_s:.1f} s"
        )
        if only:
            print(f"\nFound by nobody in {options.mutation_seeds} seeds when one checker is left out:\n")
            short = {name: " ".join(bug.removeprefix("planted.") for bug in only[name]) for name in only}
            print(
                table(("left out", "bugs that only it sees"), ((name, short[name] or "–") for name in only))
            )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
