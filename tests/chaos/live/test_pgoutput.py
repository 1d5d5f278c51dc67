"""Messages of the log, byte by byte, and what is made of a stream of them."""

from __future__ import annotations

import struct

import pytest

from chaos.live.pgoutput import EPOCH_2000_US, Begin, Commit, Note, NotUnderstood, Parser, Row
from chaos.live.wal import WriteAheadLog
from reference_platform.tables import MEMBERSHIPS, TABLES

TABLE = 77
DESCRIPTION = (
    b"R" + struct.pack("!I", TABLE) + b"shop\0memberships\0f" + struct.pack("!h", 2)
    + b"\1user\0" + struct.pack("!Ii", 25, -1) + b"\0until_us\0" + struct.pack("!Ii", 20, -1)
)  # fmt: skip


def begin(commit_us: int, xid: int) -> bytes:
    return b"B" + struct.pack("!qqI", 0, commit_us - EPOCH_2000_US, xid)


def commit(end_lsn: int) -> bytes:
    return b"C" + struct.pack("!bqqq", 0, 0, end_lsn, 0)


def values(*texts: bytes | None) -> bytes:
    parts = [b"n" if text is None else b"t" + struct.pack("!I", len(text)) + text for text in texts]
    return struct.pack("!h", len(texts)) + b"".join(parts)


def insert(user: bytes) -> bytes:
    return b"I" + struct.pack("!I", TABLE) + b"N" + values(user, b"5")


def test_every_kind_of_message_is_read() -> None:
    """Rows with their old and new values, what did not change left out, and what was noted beside them."""
    parser = Parser()
    assert parser.parse(DESCRIPTION) is None
    assert parser.parse(begin(1_000, 7)) == Begin(1_000, 7)
    assert parser.parse(insert("é".encode())) == Row(
        "memberships", None, {"user": "é".encode(), "until_us": b"5"}
    )
    unchanged = struct.pack("!h", 2) + b"u" + b"n"
    update = b"U" + struct.pack("!I", TABLE) + b"O" + values(b"a", b"1") + b"N" + unchanged
    assert parser.parse(update) == Row("memberships", {"user": b"a", "until_us": b"1"}, {"until_us": None})
    delete = b"D" + struct.pack("!I", TABLE) + b"O" + values(b"a", None)
    assert parser.parse(delete) == Row("memberships", {"user": b"a", "until_us": None}, None)
    note = b"M\1" + struct.pack("!q", 9) + b"prefix\0" + struct.pack("!I", 3) + b"abc"
    assert parser.parse(note) == Note(True, "prefix", b"abc")
    assert parser.parse(commit(99)) == Commit(99)
    assert parser.parse(b"Y....") is None
    assert parser.parse(b"O....") is None


def test_a_message_that_is_not_understood_is_never_passed_over() -> None:
    """A change that one overlooks would be a state event that is missing."""
    with pytest.raises(NotUnderstood, match="T"):
        Parser().parse(b"T" + bytes(12))
    parser = Parser()
    parser.parse(DESCRIPTION)
    with pytest.raises(NotUnderstood, match="b'b'"):
        parser.parse(b"I" + struct.pack("!I", TABLE) + b"N" + struct.pack("!h", 2) + b"b")


def test_times_follow_the_order_of_the_log() -> None:
    """The server takes the time before it writes the commit, so two may have it the wrong way round."""

    def never() -> None:
        raise AssertionError("nobody is to be asked")

    log = WriteAheadLog(never, "shop", TABLES)  # type: ignore[arg-type]
    stream = [
        begin(2_000, 1), DESCRIPTION, insert(b"a"), commit(10),
        begin(1_990, 2), insert(b"b"), commit(20),
        begin(2_010, 3), insert(b"c"), commit(30),
    ]  # fmt: skip
    found, end_lsn = log._transactions(iter(stream))
    assert [(told.commit_us, told.xid) for told in found] == [(2_000, 1), (2_000, 2), (2_010, 3)]
    assert [change.row for told in found for change in told.changes] == [
        {"user": user, "until_us": 5} for user in "abc"
    ]
    assert {change.table.name for told in found for change in told.changes} == {MEMBERSHIPS.name}
    assert end_lsn == 30
