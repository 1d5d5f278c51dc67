"""Which runs come next: every scenario on every design gets its share, whatever a run of it costs.

The cell that is least far along is always next, so at any moment all have run nearly the same seeds:
designs stay comparable by pairs of seeds when a campaign is stopped early. Batches are sized by time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from chaos.tally import Cell

BATCH_S = 0.4
"""Wall time of a batch: long against the way to a worker and back, short for whoever interrupts or kills."""

_LARGEST = 1000


class Schedule:
    """Seeds not yet run, cell by cell, handed out in batches. `done` are seeds run in an earlier session."""

    def __init__(
        self, cells: Sequence[Cell], seeds: Sequence[int], done: Sequence[Collection[int]], workers: int
    ) -> None:
        self._cells = cells
        self._total = len(seeds)
        self._workers = workers
        self._left: list[Sequence[int]] = [
            [seed for seed in seeds if seed not in ran] if ran else seeds for ran in done
        ]
        self._at = [0] * len(cells)

    def next(self) -> tuple[Cell, Sequence[int]] | None:
        """The next batch, or None when all were handed out."""
        open_cells = [index for index in range(len(self._cells)) if self._remaining(index)]
        if not open_cells:
            return None
        index = max(open_cells, key=lambda index: (self._remaining(index), -index))
        start = self._at[index]
        self._at[index] = start + self._size(index)
        return self._cells[index], self._left[index][start : self._at[index]]

    def _remaining(self, index: int) -> int:
        return len(self._left[index]) - self._at[index]

    def _size(self, index: int) -> int:
        """As many runs as fit in a batch's time; one, while nobody knows how long a run takes.

        Towards the end batches get smaller, so that the workers finish together.
        """
        cell = self._cells[index]
        fitting = int(BATCH_S * cell.runs / max(cell.wall_s, 1e-6)) if cell.runs else 1
        remaining = sum(self._remaining(each) for each in range(len(self._cells)))
        share = -(-remaining // (2 * self._workers))
        return max(1, min(fitting, share, _LARGEST, self._remaining(index)))
