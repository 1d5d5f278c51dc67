from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from chaos.history import Event, Invoke, Notice, Ok, State
from chaos.live.journal import OPS_EACH, Journal, Tail, merge


def _journal(path: Path, *times_us: int, ops_from: int = 0) -> Journal:
    times = iter(times_us)
    return Journal(path, lambda: next(times), ops_from)


def _texts(events: list[Event]) -> list[tuple[int, str]]:
    return [(event.t_us, type(event).__name__) for event in events]


def test_an_event_is_in_the_file_as_soon_as_it_is_recorded(tmp_path: Path) -> None:
    """kill -9 loses nothing: there is no buffer of ours."""
    journal = _journal(tmp_path / "a", *range(1, 10))
    tail = Tail(tmp_path / "a")
    op = journal.invoke("u1", "pay", {"fen": 5})
    assert tail.news() == [Invoke(1, op, "u1", "pay", {"fen": 5})]
    journal.ok(op, "u1", "pay", {"status": 200})
    journal.book("CH", "captured", "c1", {})
    assert _texts(tail.news()) == [(2, "Ok"), (3, "Book")]
    assert tail.news() == []
    journal.close()
    journal.close()


def test_every_kind_of_event_survives_the_way_through_the_file(tmp_path: Path) -> None:
    """The journal speaks the history's own types."""
    journal = _journal(tmp_path / "a", *range(1, 20))
    journal.fail(journal.invoke("u", "a", {}), "u", "a", {"code": "x"})
    journal.unknown(journal.invoke("u", "a", {}), "u", "a", {})
    journal.state(7, "n1", "", "orders", "insert", "O1", {"fen": 1})
    journal.state(8, "n1", "", "orders", "delete", "O1", None)
    journal.notice("u", "order", "O1", {})
    journal.fault("link.down", "start", "0/link.down", {"where": "a->b"})
    journal.read("order", "O1", {"state": "paid"})
    journal.close()
    kinds = ["Invoke", "Fail", "Invoke", "Unknown", "State", "State", "Notice", "Fault", "Read"]
    assert [kind for _, kind in _texts(merge([tmp_path / "a"]))] == kinds


def test_a_restarted_process_goes_on_in_its_journal(tmp_path: Path) -> None:
    """Numbers of operations are not used twice; a line that was being written at the kill was never written."""
    first = _journal(tmp_path / "a", 1, ops_from=OPS_EACH)
    assert first.invoke("u1", "pay", {}) == OPS_EACH + 1
    first.close()
    with (tmp_path / "a").open("ab") as file:
        file.write(b'{"kind":"invoke","t_us":2,"op":')
    second = _journal(tmp_path / "a", 3, ops_from=OPS_EACH)
    assert second.invoke("u1", "pay", {}) == OPS_EACH + 2
    second.close()
    assert _texts(merge([tmp_path / "a"])) == [(1, "Invoke"), (3, "Invoke")]


def test_a_line_without_end_is_not_read_yet(tmp_path: Path) -> None:
    """Whoever reads while it grows sees whole events only, each once."""
    (tmp_path / "a").write_bytes(b'{"kind":"invoke","t_us":2,"op":1,"user":"u"')
    tail = Tail(tmp_path / "a")
    assert tail.news() == []
    with (tmp_path / "a").open("ab") as file:
        file.write(b',"action":"pay","args":{}}\n')
    assert tail.news() == [Invoke(2, 1, "u", "pay", {})]
    assert Tail(tmp_path / "never written").news() == []


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    """File and line, so that somebody can look."""
    journal = _journal(tmp_path / "a", 1)
    journal.notice("u", "order", "O1", {})
    journal.close()
    with (tmp_path / "a").open("ab") as file:
        file.write(b"half an event\n")
    with pytest.raises(ValueError, match=r"a:2: not an event"):
        merge([tmp_path / "a"])


def test_merging_is_by_time_and_stable(tmp_path: Path) -> None:
    """At the same µs: commits, then the journals as given, each in its own order."""
    one, two = _journal(tmp_path / "1", 5, 5, 9), _journal(tmp_path / "2", 1, 5, 6)
    for name in "abc":
        one.notice("one", name, "", {})
        two.notice("two", name, "", {})
    one.close()
    two.close()
    states = [State(6, 2, "", "", "t", "insert", "k", {}), State(5, 1, "", "", "t", "insert", "k", {})]
    merged = merge([tmp_path / "1", tmp_path / "2"], states)
    found = [(event.user + event.topic if isinstance(event, Notice) else "state") for event in merged]
    assert found == ["twoa", "state", "onea", "oneb", "twob", "state", "twoc", "onec"]


def test_operations_are_numbered_anew_in_order_of_time(tmp_path: Path) -> None:
    """As in the simulator's histories: from 1, and an outcome bears its operation's number."""
    one, two = _journal(tmp_path / "1", 5, 8), _journal(tmp_path / "2", 1, 9, ops_from=OPS_EACH)
    for user, journal in (("one", one), ("two", two)):
        journal.ok(journal.invoke(user, "pay", {}), user, "pay", {})
        journal.close()
    merged = merge([tmp_path / "1", tmp_path / "2"])
    found = [(event.user, event.op) for event in merged if isinstance(event, Invoke | Ok)]
    assert found == [("two", 1), ("one", 2), ("one", 2), ("two", 1)]


def test_overlapping_numbers_are_refused(tmp_path: Path) -> None:
    """Outcomes could not be told apart."""
    for name in "12":
        journal = _journal(tmp_path / name, 1)
        journal.invoke("u", "pay", {})
        journal.close()
    with pytest.raises(ValueError, match="two operations bear the number 1"):
        merge([tmp_path / "1", tmp_path / "2"])


def test_an_outcome_without_operation_is_refused(tmp_path: Path) -> None:
    """Somebody lost a line, or merged the wrong files."""
    journal = _journal(tmp_path / "a", 1)
    journal.ok(3, "u", "pay", {})
    journal.close()
    with pytest.raises(ValueError, match="operation 3, which was never invoked"):
        merge([tmp_path / "a"])


def test_time_that_runs_backwards_is_refused(tmp_path: Path) -> None:
    """A merge by time would put an effect before its cause."""
    journal = _journal(tmp_path / "a", 2, 1)
    journal.notice("u", "a", "", {})
    journal.notice("u", "b", "", {})
    journal.close()
    with pytest.raises(ValueError, match="a:2: time runs backwards, from 2 to 1 us"):
        merge([tmp_path / "a"])


def test_a_journal_of_many_events_is_read_once(tmp_path: Path) -> None:
    """A tail remembers where it was, line numbers included."""
    numbers = count(1)
    journal = Journal(tmp_path / "a", lambda: next(numbers))
    tail = Tail(tmp_path / "a")
    seen = 0
    for _ in range(50):
        for _ in range(7):
            journal.notice("u", "a", "", {})
        seen += len(tail.news())
    assert seen == 350
    assert tail.offset == (tmp_path / "a").stat().st_size
    journal.close()
