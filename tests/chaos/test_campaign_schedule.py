"""Fair share: who is next, how many runs at a time."""

from __future__ import annotations

from collections import Counter

from chaos.results import Run
from chaos.schedule import BATCH_S, Schedule
from chaos.tally import Cell
from scenarios import loading

STORM = loading.load("callback_late")


def cells(*costs_ms: float) -> list[Cell]:
    """Cells of which one run is known, and what it cost; nought: none is."""
    made = [Cell(STORM, f"d{number}") for number in range(len(costs_ms))]
    for cell, cost_ms in zip(made, costs_ms, strict=True):
        if cost_ms:
            cell.add(Run(STORM.name, cell.design, 0, "holds", wall_ms=cost_ms))
    return made


def drain(schedule: Schedule) -> list[tuple[str, list[int]]]:
    batches = []
    while (given := schedule.next()) is not None:
        batches.append((given[0].design, list(given[1])))
    return batches


def test_every_seed_of_every_cell_is_handed_out_once() -> None:
    """Whatever was done before is left out."""
    done = [{2, 3, 9}, set()]
    handed = Counter(
        (design, seed)
        for design, seeds in drain(Schedule(cells(5, 50), range(1, 11), done, 2))
        for seed in seeds
    )
    wanted = {(f"d{cell}", seed) for cell in (0, 1) for seed in range(1, 11) if seed not in done[cell]}
    assert handed == Counter(wanted)


def test_cells_take_turns_however_much_a_run_of_each_costs() -> None:
    """At no time is a cell ahead of another by more than a batch of its own."""
    largest, given = Counter[str](), Counter[str]()
    for design, seeds in drain(Schedule(cells(4, 40, 400), range(200), [()] * 3, 2)):
        assert given[design] == min(given[each] for each in ("d0", "d1", "d2"))
        given[design] += len(seeds)
        largest[design] = max(largest[design], len(seeds))
    assert (largest["d0"], largest["d1"], largest["d2"]) == (100, 10, 1)


def test_a_cell_that_is_behind_catches_up_first() -> None:
    """After a resume, or because it is slow."""
    first = drain(Schedule(cells(4, 4), range(100), [range(50), range(10)], 1))[0]
    assert first[0] == "d1"


def test_batches_are_sized_by_time_and_shrink_towards_the_end() -> None:
    """One run while nothing is known; then as many as fit; in the end few, so that workers finish together."""
    assert drain(Schedule(cells(0), range(3), [()], 1))[0] == ("d0", [0])
    sizes = [len(seeds) for _, seeds in drain(Schedule(cells(4), range(1000), [()], 2))]
    assert sizes[0] == BATCH_S * 1000 / 4
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 1
