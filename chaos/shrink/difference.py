"""Where a failing run and a passing one part: the first step that differs, by meaning and not by bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice, zip_longest

from chaos.history import History
from chaos.shrink.spoken import Said, spoken

SHARED_SHOWN = 3
ROWS_SHOWN = 10
LATE_US = 1_000_000
"""Where two runs differ in time alone, by how much a step must be later to be the difference."""

Row = tuple[Said | None, Said | None]


@dataclass(frozen=True)
class Difference:
    """Two runs side by side from where they part; the failing one on the left.

    `same` counts the steps before; `shared` are the last of them. `rows` begins with the first step that
    differs; a side is None where the other did more. `left_out` counts the rows after the last shown.
    """

    same: int
    shared: tuple[Said, ...]
    rows: tuple[Row, ...]
    left_out: int


def compare(failing: History, passing: History, lang: str) -> Difference | None:
    """The difference; in time alone when both say the same from end to end, None when not even that."""
    left, right = spoken(failing, lang), spoken(passing, lang)
    pieces = _pieces(left, right)
    same = pieces[0][2] if pieces and pieces[0][0] == "equal" else 0
    if same == len(left) == len(right):
        return _in_time(left, right)
    every = list(_rows(pieces, left, right, same))
    last = max(number for number, (one, other) in enumerate(every) if not _alike(one, other))
    rows = tuple(islice(every, min(last + 1, ROWS_SHOWN)))
    return Difference(same, tuple(left[max(0, same - SHARED_SHOWN) : same]), rows, last + 1 - len(rows))


def _in_time(left: Sequence[Said], right: Sequence[Said]) -> Difference | None:
    """From the first step that came at quite another time."""
    for at, (one, other) in enumerate(zip(left, right, strict=True)):
        if abs(one.t_us - other.t_us) >= LATE_US:
            rows = tuple(zip(left[at:], right[at:], strict=True))
            shown = rows[:ROWS_SHOWN]
            return Difference(at, tuple(left[max(0, at - SHARED_SHOWN) : at]), shown, len(rows) - len(shown))
    return None


def steps_apart(failing: History, passing: History) -> int:
    """In how many steps two runs differ."""
    pieces = _pieces(spoken(failing, "en"), spoken(passing, "en"))
    return sum(max(a_end - a, b_end - b) for kind, a, a_end, b, b_end in pieces if kind != "equal")


def _pieces(left: Sequence[Said], right: Sequence[Said]) -> Sequence[tuple[str, int, int, int, int]]:
    a, b = ([one.meaning for one in side] for side in (left, right))
    return SequenceMatcher(a=a, b=b, autojunk=False).get_opcodes()


def _rows(
    pieces: Sequence[tuple[str, int, int, int, int]], left: list[Said], right: list[Said], start: int
) -> Iterator[Row]:
    for _, a, a_end, b, b_end in pieces:
        if a_end > start or b_end > start:
            yield from zip_longest(left[max(a, start) : a_end], right[max(b, start) : b_end])


def _alike(one: Said | None, other: Said | None) -> bool:
    return one is not None and other is not None and one.meaning == other.meaning
