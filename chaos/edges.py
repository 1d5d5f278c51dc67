"""What a frontier is, as data: for each design the values of one number at which invariants break."""

from __future__ import annotations

import msgspec

SCHEMA = 1


class Trial(msgspec.Struct, frozen=True):
    """One value: on which seeds each invariant broke, or was undecided, and how often the fault struck."""

    value: float
    violated: dict[str, list[int]]
    unknown: dict[str, int]
    touched: int


class Edge(msgspec.Struct, frozen=True):
    """Where one invariant breaks. `holds_at`: the highest value below that held, None if the lowest broke.

    `seeds`: how many broke at `breaks_at`. `again`: values above at which all seeds held, so that "the more,
    the worse" is not true of it. `replay` runs the first seed that broke.
    """

    invariant: str
    breaks_at: float
    holds_at: float | None
    seeds: int
    again: list[float]
    replay: str


class Row(msgspec.Struct, frozen=True):
    """One design: its edges from the lowest up, and all that was tried, by value."""

    design: str
    edges: list[Edge]
    tried: list[Trial]

    @property
    def touched(self) -> int:
        """How often the fault struck in all."""
        return sum(trial.touched for trial in self.tried)

    @property
    def undecided(self) -> list[str]:
        """Invariants with an undecided verdict somewhere: of them "held" says less."""
        return sorted({invariant for trial in self.tried for invariant in trial.unknown})

    @property
    def holds_to(self) -> float | None:
        """The highest value below every edge; None if the lowest value broke something."""
        broken = min((edge.breaks_at for edge in self.edges), default=float("inf"))
        return max((trial.value for trial in self.tried if trial.value < broken), default=None)


class Frontier(msgspec.Struct, frozen=True):
    """What was found, as it is written down. `excluded`: a rate of failure that clean seeds exclude at 95%."""

    schema: int
    scenario: str
    dial: str
    fault: str
    field: str
    unit: str
    low: float
    high: float
    seeds: int
    excluded: float
    rows: list[Row]
    runs: int
    interrupted: bool
    versions: dict[str, str]
    wall_s: float
