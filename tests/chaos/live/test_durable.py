"""A machine that is killed and replayed stands where it stood, and books nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaos.live.durable import Books, Durable, Input, Steps
from chaos.live.journal import Tail
from sim.kernel import HarnessError


class ByHand:
    """Real timers, moved by the test."""

    def __init__(self) -> None:
        self.now = 0
        self.set_for: list[tuple[int, Callable[..., Any]]] = []

    def call_at(self, at_us: int, fn: Callable[..., Any], *args: Any) -> ByHand:
        assert not args
        self.set_for.append((at_us, fn))
        return self

    def cancel(self) -> None:
        """The test makes only the calls that are due."""

    def move(self, to_us: int) -> None:
        """Let time go by, late as it may be."""
        self.now = to_us
        due = [fn for at_us, fn in self.set_for if at_us <= to_us]
        self.set_for = [(at_us, fn) for at_us, fn in self.set_for if at_us > to_us]
        for fn in due:
            fn()


class Bell:
    """A machine: each `strike` rings 10 and 20 µs later, and books the machine's own time."""

    def __init__(self, folder: Path, timers: ByHand) -> None:
        self.steps = Steps()
        self.timers = timers
        self.books = Books(folder / "journal", lambda: timers.now)
        self.replies: list[str] = []
        self.news: list[tuple[int, str, dict[str, Any]]] = []
        self.durable = Durable(folder / "inputs", self.steps, timers, self.apply, self.fetch)
        self.durable.replay()
        self.durable.begin()
        self.books.all_met()

    def fetch(self) -> list[tuple[int, str, dict[str, Any]]]:
        news, self.news = self.news, []
        return news

    def apply(self, said: Input, reply: Any) -> None:
        for after_us in (20, 10):
            self.steps.call_at(self.steps.now + after_us, self.ring, said.data["name"], after_us)
        if reply is not None:
            reply(said.data["name"])

    def ring(self, name: str, after_us: int) -> None:
        self.books.book("CH", "rung", name, {"at_us": self.steps.now, "after_us": after_us})

    def strike(self, name: str) -> None:
        self.durable.take("strike", {"name": name}, self.replies.append)

    def die(self) -> None:
        self.durable.close()
        self.books.close()
        self.timers.set_for.clear()


def _rung(folder: Path) -> list[tuple[str, int]]:
    return [(event.ref, event.data["at_us"]) for event in Tail(folder / "journal").news()]  # type: ignore[union-attr]


def test_timers_go_off_at_the_time_they_were_set_for_however_late(tmp_path: Path) -> None:
    """Lateness is the host's; the machine never sees it, so a replay meets the same times."""
    timers = ByHand()
    bell = Bell(tmp_path, timers)
    bell.strike("a")
    timers.move(15)
    bell.strike("b")
    timers.move(1000)
    assert _rung(tmp_path) == [("a", 10), ("a", 20), ("b", 25), ("b", 35)]
    bell.die()


def test_a_timer_that_was_due_goes_before_a_later_input(tmp_path: Path) -> None:
    """Even when the loop got round to the input first."""
    timers = ByHand()
    bell = Bell(tmp_path, timers)
    bell.strike("a")
    timers.now = 500  # nobody has called the timers yet
    bell.strike("b")
    assert _rung(tmp_path) == [("a", 10), ("a", 20)]
    bell.die()


def test_news_that_nobody_brings_count_from_their_own_time(tmp_path: Path) -> None:
    """Fetched when the machine next moves, before the timers that were due later; a replay does the same."""
    timers = ByHand()
    bell = Bell(tmp_path, timers)
    bell.strike("a")
    timers.now = 14
    bell.news = [(7, "strike", {"name": "news"})]
    timers.move(30)
    rung = [("a", 10), ("news", 17), ("a", 20), ("news", 27)]
    assert _rung(tmp_path) == rung
    bell.die()
    Bell(tmp_path, timers).die()
    assert _rung(tmp_path) == rung


def test_news_of_the_past_or_the_future_count_now(tmp_path: Path) -> None:
    """What the machine has done is done, and no input is from a time to come."""
    timers = ByHand()
    bell = Bell(tmp_path, timers)
    bell.strike("a")
    timers.move(12)
    bell.news = [(3, "strike", {"name": "late"}), (900, "strike", {"name": "early"})]
    timers.move(20)
    timers.move(100)
    assert sorted(_rung(tmp_path), key=lambda rung: rung[1]) == [
        ("a", 10), ("a", 20), ("late", 22), ("early", 30), ("late", 32), ("early", 40),
    ]  # fmt: skip
    bell.die()


@pytest.mark.parametrize("killed_at_us", [0, 5, 10, 14, 20, 23, 30, 40])
def test_a_killed_machine_goes_on_where_it_stood(tmp_path: Path, killed_at_us: int) -> None:
    """Whenever it dies and however long it is dead: the same books as if it had lived."""
    timers = ByHand()
    bell = Bell(tmp_path, timers)
    bell.strike("a")
    timers.move(3)
    bell.strike("b")
    timers.move(max(3, killed_at_us))
    bell.die()
    timers.move(timers.now + 2)
    bell = Bell(tmp_path, timers)
    assert bell.replies == []
    timers.move(1000)
    assert _rung(tmp_path) == [("a", 10), ("b", 13), ("a", 20), ("b", 23)]
    bell.die()


def test_an_input_without_end_never_took_effect(tmp_path: Path) -> None:
    """The last line was being written when it died: nobody had an answer, and nothing comes of it."""
    timers = ByHand()
    bell = Bell(tmp_path, timers)
    bell.strike("a")
    bell.die()
    with (tmp_path / "inputs").open("ab") as file:
        file.write(b'{"t_us":0,"kind":"strike","data":{"name":"lo')
    bell = Bell(tmp_path, timers)
    bell.strike("b")
    bell.die()
    bell = Bell(tmp_path, timers)
    timers.move(100)
    assert [name for name, _ in _rung(tmp_path)] == ["a", "b", "a", "b"]
    bell.die()


def test_a_replay_that_books_something_else_is_a_bug_that_is_named(tmp_path: Path) -> None:
    """Other books than those on record, or fewer: the harness broke, and says where."""
    timers = ByHand()
    bell = Bell(tmp_path, timers)
    bell.strike("a")
    timers.move(15)
    bell.die()
    journal = tmp_path / "journal"
    whole = journal.read_bytes()
    journal.write_bytes(whole.replace(b'"a"', b'"z"'))
    with pytest.raises(HarnessError, match="journal:1: a replay booked"):
        Bell(tmp_path, timers)
    journal.write_bytes(whole + whole)
    with pytest.raises(HarnessError, match="journal:2: not booked by a replay"):
        Bell(tmp_path, timers)


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    """By file and line."""
    (tmp_path / "inputs").write_bytes(b'{"t_us":0,"kind":"strike","data":{"name":"a"}}\nrubbish\n')
    with pytest.raises(ValueError, match="inputs:2: not an input"):
        Bell(tmp_path, ByHand())
