"""The watch tells of everything that was written down, once, and says when there is nothing new."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.history import Book, Event, State
from chaos.live.journal import Journal
from chaos.live.watch import Watch


def until(true: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def paid(tx: int) -> State:
    return State(tx, tx, "platform-1", "ORD", "orders", "update", "o1", {"status": "paid"})


def test_news_from_journals_and_commits_are_heard_once(tmp_path: Path) -> None:
    """Before time leaps, whoever waits for an event has been told of it."""
    heard: list[Event] = []
    commits = [[paid(1)], [], [paid(2)]]
    watch = Watch([tmp_path / "a"], lambda: commits.pop(0), heard.extend, eager=True)
    journal = Journal(tmp_path / "a", lambda: 7)
    journal.book("CH", "captured", "c1", {})
    assert not watch.caught_up()
    assert heard == [paid(1), Book(7, "CH", "captured", "c1", {})]
    assert watch.caught_up()
    assert not watch.caught_up()
    assert heard[2:] == [paid(2)]
    assert watch.states == [paid(1), paid(2)]
    journal.close()


def test_the_thread_looks_by_itself(tmp_path: Path) -> None:
    """A rule that waits for an event need not wait for the next leap."""
    heard: list[Event] = []
    journal = Journal(tmp_path / "a", lambda: 7)
    with Watch([tmp_path / "a"], list, heard.extend, eager=True):
        journal.book("CH", "captured", "c1", {})
        until(lambda: bool(heard))
    journal.close()


def test_trouble_while_watching_ends_the_run(tmp_path: Path) -> None:
    """A database that cannot be read any more is not taken for one that has no news."""

    def broken() -> list[State]:
        raise OSError("gone")

    watch = Watch([], broken, lambda _: None, eager=True)

    def life() -> None:
        with watch:
            until(lambda: watch._error is not None)

    with pytest.raises(RuntimeError, match="gone"):
        life()
    with pytest.raises(RuntimeError, match="gone"):
        watch.check()
