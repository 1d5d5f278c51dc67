"""The certificates of all order journeys: every pair of faults on each, and every triple on one card.

What docs/search.md shows; seconds are by the wall, from the first run to the last.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence

from chaos.certificate import Certificate
from chaos.sweep import Ground, certify, sweep
from chaos.sweep.vocabulary import chosen
from scenarios import loading

PAIRS, TRIPLES = 2, 3
TRIPLES_ON = "card_order"
HEAD = ("journey", "k", "sites", "runs", "seconds", "verdict")


def certificates(journeys: Sequence[str], design: str, deepest: int, jobs: int) -> Iterator[Certificate]:
    """One by one. Raises KeyboardInterrupt when a sweep was interrupted."""
    for name in journeys:
        for k in sorted({min(k, deepest) for k in ([PAIRS, TRIPLES] if name == TRIPLES_ON else [PAIRS])}):
            ground = Ground.of(loading.load(name), design, 1, chosen([]))
            made = sweep(ground, k, jobs)
            if made.interrupted:
                raise KeyboardInterrupt
            yield certify(made)


def row(found: Certificate) -> str:
    """One line of the table."""
    verdict = "clean" if found.clean else " ".join([*found.violated, *(f"{name}?" for name in found.unknown)])
    cells = found.workload, found.k, found.sites, f"{found.runs:,}", f"{found.wall_s:.1f}", verdict
    return "| " + " | ".join(map(str, cells)) + " |"


def main(argv: list[str] | None = None) -> int:
    """Print the table as it comes; 0 when every certificate is clean."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--journey", action="append", choices=loading.journeys(), help="only this one")
    parser.add_argument("--design", default="resilient")
    parser.add_argument("--deepest", type=int, default=TRIPLES, help="no more faults at once than this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(argv)
    print("| " + " | ".join(HEAD) + " |")
    print("|" + "---|" * len(HEAD))
    clean = True
    for found in certificates(
        options.journey or loading.journeys(), options.design, options.deepest, options.jobs
    ):
        print(row(found), flush=True)
        clean = clean and found.clean
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
