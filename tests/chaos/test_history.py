"""The history as a file: it comes back as it was, or says where it is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.history import Header, History, load
from chaos.run import run
from tests.chaos.worlds import storm


@pytest.fixture(scope="module")
def history() -> History:
    """A small run's."""
    return run(storm({"fault": "channel.callback_duplicate"}), "resilient", 3).history


def test_a_saved_history_comes_back_as_it_was(history: History, tmp_path: Path) -> None:
    """Line by line, and so by its digest."""
    path = tmp_path / "history.jsonl"
    history.save(path)
    again = load(path)
    assert list(again.lines()) == list(history.lines())
    assert again.digest() == history.digest()


def test_the_digest_tells_every_event_and_header_apart(history: History) -> None:
    """One event less, or another seed with the same events, is another history."""
    other = History(history.header)
    other.events = history.events[:-1]
    assert other.digest() != history.digest()


@pytest.mark.parametrize(
    ("line", "text", "says"),
    [
        (1, b'{"kind":"read"', "history.jsonl:1: not a history line"),
        (1, b'{"kind":"header","schema":999}', "history.jsonl:1: not a history line"),
        (5, b'{"kind":"invoke","t_us":', "history.jsonl:5: not a history line"),
        (5, b'{"kind":"omen"}', "history.jsonl:5: not a history line"),
    ],
)
def test_a_damaged_line_is_named(history: History, tmp_path: Path, line: int, text: bytes, says: str) -> None:
    """File and line number."""
    lines = list(history.lines())
    lines[line - 1] = text
    path = tmp_path / "history.jsonl"
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(ValueError, match=says):
        load(path)


def test_a_history_of_another_schema_is_refused(history: History, tmp_path: Path) -> None:
    """As are one without a header, one with two, and an empty one."""
    header, first, *_ = history.lines()
    path = tmp_path / "history.jsonl"
    for content, says in (
        (header.replace(b'"schema":1', b'"schema":2'), "not a history of schema 1"),
        (first, "not a history of schema 1"),
        (header + b"\n" + header, ":2: second header"),
        (b"", "empty history"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=says):
            load(path)


def test_nothing_can_be_written_into_a_history_that_has_ended() -> None:
    """It no longer knows what time it is; what it holds stays as it was."""
    history = History(Header(1, "", "s", "d", 0, 1, 2, 3), lambda: 5)
    history.notice("u1", "order_completed", "o1", {})
    history.end()
    with pytest.raises(ValueError, match="the history has ended"):
        history.notice("u1", "order_completed", "o1", {})
    assert [event.t_us for event in history.events] == [5]
