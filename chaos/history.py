"""The history: everything that happened in a run, one line of JSON an event.

Checkers and the oracle see a run only through this file's types. Times are true virtual
microseconds since the start of the run. The digest is a hash over the encoded lines, so two runs
are equal exactly when their digests are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

SCHEMA = 1


class Header(msgspec.Struct, tag="header", tag_field="kind", frozen=True):
    """First line. Times in µs of run time; `policy` is the compensation policy the design promised."""

    schema: int
    version: str
    scenario: str
    design: str
    seed: int
    heal_us: int
    settle_by_us: int
    end_us: int
    policy: dict[str, Any] = {}
    facts: dict[str, Any] = {}


class Invoke(msgspec.Struct, tag="invoke", tag_field="kind", gc=False):
    t_us: int
    op: int
    user: str
    action: str
    args: Mapping[str, Any]


class Ok(msgspec.Struct, tag="ok", tag_field="kind", gc=False):
    t_us: int
    op: int
    user: str
    action: str
    result: Mapping[str, Any]


class Fail(msgspec.Struct, tag="fail", tag_field="kind", gc=False):
    t_us: int
    op: int
    user: str
    action: str
    result: Mapping[str, Any]


class Unknown(msgspec.Struct, tag="unknown", tag_field="kind", gc=False):
    t_us: int
    op: int
    user: str
    action: str
    result: Mapping[str, Any]


class State(msgspec.Struct, tag="state", tag_field="kind", gc=False):
    t_us: int
    tx: int
    node: str
    book: str
    table: str
    op: str
    key: str
    row: Mapping[str, Any] | None


class Book(msgspec.Struct, tag="book", tag_field="kind", gc=False):
    t_us: int
    party: str
    entry: str
    ref: str
    data: Mapping[str, Any]


class Notice(msgspec.Struct, tag="notice", tag_field="kind", gc=False):
    t_us: int
    user: str
    topic: str
    order_id: str
    data: Mapping[str, Any]


class Fault(msgspec.Struct, tag="fault", tag_field="kind", gc=False):
    t_us: int
    fault: str
    phase: str
    site: str
    data: Mapping[str, Any]


class Read(msgspec.Struct, tag="read", tag_field="kind", gc=False):
    t_us: int
    subject: str
    key: str
    value: Mapping[str, Any]


Event = Invoke | Ok | Fail | Unknown | State | Book | Notice | Fault | Read
Line = Header | Event

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Line).decode


_HASHED_AT_ONCE = 4096  # events whose lines are in memory together


class Recording:
    """Makes events of what it is told, at the present instant. Implements `sim.recorder.Recorder`.

    `append` takes each event; operations are numbered from `ops_from` + 1.
    """

    def __init__(self, now_us: Callable[[], int], append: Callable[[Event], None], ops_from: int = 0) -> None:
        self._now_us = now_us
        self._append = append
        self._ops = ops_from

    def listen(self, hear: Callable[[Event], None]) -> None:
        """From now on `hear` is told of each event, when it is on record."""
        keep = self._append

        def both(event: Event) -> None:
            keep(event)
            hear(event)

        self._append = both

    def invoke(self, user: str, action: str, args: Mapping[str, Any]) -> int:
        self._ops = op = self._ops + 1
        self._append(Invoke(self._now_us(), op, user, action, args))
        return op

    def ok(self, op: int, user: str, action: str, result: Mapping[str, Any]) -> None:
        self._append(Ok(self._now_us(), op, user, action, result))

    def fail(self, op: int, user: str, action: str, result: Mapping[str, Any]) -> None:
        self._append(Fail(self._now_us(), op, user, action, result))

    def unknown(self, op: int, user: str, action: str, result: Mapping[str, Any]) -> None:
        self._append(Unknown(self._now_us(), op, user, action, result))

    def state(
        self, tx: int, node: str, book: str, table: str, op: str, key: str, row: Mapping[str, Any] | None
    ) -> None:
        self._append(State(self._now_us(), tx, node, book, table, op, key, row))

    def book(self, party: str, entry: str, ref: str, data: Mapping[str, Any]) -> None:
        self._append(Book(self._now_us(), party, entry, ref, data))

    def notice(self, user: str, topic: str, order_id: str, data: Mapping[str, Any]) -> None:
        self._append(Notice(self._now_us(), user, topic, order_id, data))

    def fault(self, fault: str, phase: str, site: str, data: Mapping[str, Any]) -> None:
        self._append(Fault(self._now_us(), fault, phase, site, data))

    def read(self, subject: str, key: str, value: Mapping[str, Any]) -> None:
        self._append(Read(self._now_us(), subject, key, value))


class History(Recording):
    """Header and events of one run.

    `let_go` drops the events so far, for runs whose history would not fit into memory. They still count
    in `count` and in the digest.
    """

    def __init__(self, header: Header, now_us: Callable[[], int] = lambda: 0) -> None:
        self.header = header
        self.events: list[Event] = []
        super().__init__(now_us, self.events.append)
        self._gone = 0
        # Over the header without its version, and the lines of the events that were let go.
        self._hash = hashlib.blake2b(_encode(msgspec.structs.replace(header, version="")), digest_size=8)

    def end(self) -> None:
        """Nothing more comes. The clock is let go, and the world behind it, which is far larger than a history."""
        self._now_us = _over
        self._append = self.events.append

    def lines(self) -> Iterable[bytes]:
        yield _encode(self.header)
        for event in self.events:
            yield _encode(event)

    @property
    def count(self) -> int:
        """How many events there were."""
        return self._gone + len(self.events)

    def let_go(self) -> None:
        """Forget the events so far."""
        _add_lines(self._hash, self.events)
        self._gone += len(self.events)
        self.events.clear()

    def digest(self) -> str:
        """Hash of every line, the header without its version: 16 hex digits."""
        state = self._hash.copy()
        _add_lines(state, self.events)
        return state.hexdigest()

    def save(self, path: Path) -> None:
        path.write_bytes(b"\n".join(self.lines()) + b"\n")


def _over() -> int:
    raise ValueError("the history has ended")


def _add_lines(state: Any, events: list[Event]) -> None:
    """Hash the events' lines, many at a time: a call for each would cost as much as the hashing."""
    for start in range(0, len(events), _HASHED_AT_ONCE):
        state.update(b"".join(map(_encode, events[start : start + _HASHED_AT_ONCE])))


def load(path: Path) -> History:
    """Read a saved history. Raises ValueError naming file and line for a foreign or damaged one."""
    history: History | None = None
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            record = _decode(line)
        except msgspec.MsgspecError as error:
            raise ValueError(f"{path}:{number}: not a history line: {error}") from error
        if history is None:
            if not isinstance(record, Header) or record.schema != SCHEMA:
                raise ValueError(f"{path}:{number}: not a history of schema {SCHEMA}")
            history = History(record)
        elif isinstance(record, Header):
            raise ValueError(f"{path}:{number}: second header")
        else:
            history.events.append(record)
    if history is None:
        raise ValueError(f"{path}: empty history")
    return history
