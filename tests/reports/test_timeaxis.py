"""The time axis shows the busy time large, the rest whole, and says where the scale changes."""

from __future__ import annotations

from itertools import pairwise

import pytest

from reports.timeaxis import MINUTE_US, TimeAxis


@pytest.mark.parametrize("busy", [2 * MINUTE_US, 20 * MINUTE_US])
def test_time_runs_from_left_to_right(busy: int) -> None:
    """Later is further right, the ends are the ends, whatever the scale."""
    axis = TimeAxis.over(busy, 40 * MINUTE_US)
    places = [axis.place(t * MINUTE_US // 4) for t in range(161)]
    assert places == sorted(places)
    assert len(set(places)) == len(places)
    assert (places[0], places[-1]) == (0.0, 1.0)


def test_two_scales_only_where_one_would_squeeze() -> None:
    """Twenty busy minutes of forty need no second scale, two do."""
    assert TimeAxis.over(20 * MINUTE_US, 40 * MINUTE_US).busy_us == 0
    assert TimeAxis.over(2 * MINUTE_US, 40 * MINUTE_US).busy_us == 2 * MINUTE_US


@pytest.mark.parametrize(("busy_min", "until_min"), [(0, 3), (0, 41), (2, 41), (1, 1500), (0, 90), (25, 26)])
def test_ticks_keep_apart_and_tell_their_true_minute(busy_min: int, until_min: int) -> None:
    """Each label stands at the place of its minute, and no two are closer than a label is wide."""
    axis = TimeAxis.over(busy_min * MINUTE_US, until_min * MINUTE_US)
    ticks = axis.ticks()
    assert 3 <= len(ticks) <= 11
    for place, label in ticks:
        assert place == pytest.approx(axis.place(int(float(label) * MINUTE_US)))
    assert all(later[0] - earlier[0] > 0.06 for earlier, later in pairwise(ticks))
