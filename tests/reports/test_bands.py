"""Fault bands show when a fault was in force and what it touched."""

from __future__ import annotations

from chaos.history import Fault, History
from reports.bands import bands
from tests.reports.storms import MINUTE, header


def run(*events: Fault) -> History:
    history = History(header())
    history.events = list(events)
    return history


def test_windows_that_overlap_are_one() -> None:
    """Two links cut at once are one stretch of trouble."""
    found = bands(
        run(
            Fault(1 * MINUTE, "link.down", "start", "a", {}),
            Fault(2 * MINUTE, "link.down", "start", "b", {}),
            Fault(3 * MINUTE, "link.down", "end", "a", {}),
            Fault(5 * MINUTE, "link.down", "end", "b", {}),
            Fault(7 * MINUTE, "link.down", "start", "a", {}),
            Fault(8 * MINUTE, "link.down", "end", "a", {}),
        )
    )
    assert found[0].windows == [(MINUTE, 5 * MINUTE), (7 * MINUTE, 8 * MINUTE)]


def test_a_fault_that_never_ends_lasts_until_the_run_does() -> None:
    """No end was recorded: it was on to the last."""
    history = run(Fault(MINUTE, "node.slow", "start", "a", {}))
    assert bands(history)[0].windows == [(MINUTE, history.header.end_us)]


def test_second_end_of_a_window_changes_nothing() -> None:
    """A fault on two nodes ends twice; its band ends once."""
    found = bands(
        run(
            Fault(MINUTE, "node.crash", "start", "a", {}),
            Fault(2 * MINUTE, "node.crash", "end", "a", {}),
            Fault(2 * MINUTE, "node.crash", "end", "a", {}),
        )
    )
    assert found[0].windows == [(MINUTE, 2 * MINUTE)]


def test_touches_are_kept_apart_from_windows() -> None:
    """Single blows have no length."""
    found = bands(run(Fault(MINUTE, "channel.callback_loss", "touch", "0/x", {})))
    assert (found[0].windows, found[0].touches) == ([], [MINUTE])
