"""Serializable snapshot isolation: find the dangerous structures PostgreSQL would find.

Every SERIALIZABLE transaction keeps what it read (keys and predicates) and what it wrote. When one
reads what a concurrent one overwrites, that is an rw edge reader → writer. An execution that is
not serializable contains T1 → T2 → T3 with T3 the first to commit (Cahill; Ports and Grittner,
VLDB 2012), so preventing that structure prevents them all, at the price of some false alarms.
The rules follow PostgreSQL's predicate.c; reads are tracked by exact predicate and conflicts one by
one, where PostgreSQL tracks pages and summarizes, so false alarms are rarer here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reference_platform.ports import SerializationFailure
from sim.database.store import Row, matches

NEVER = 1 << 62


class Node:
    """A serializable transaction in the conflict graph. Dicts stand in for ordered sets."""

    __slots__ = (
        "snapshot", "committed", "doomed", "read_only",
        "keys", "predicates", "writes", "readers", "writers",
    )  # fmt: skip

    def __init__(self, snapshot: int) -> None:
        self.snapshot = snapshot
        self.committed = NEVER
        self.doomed = False
        self.read_only = False
        self.keys: dict[str, dict[Any, None]] = {}
        self.predicates: dict[str, list[Mapping[str, Any]]] = {}
        self.writes: dict[str, dict[Any, tuple[Row | None, Row | None]]] = {}
        self.readers: dict[Node, None] = {}  # edges in: they read what this one wrote
        self.writers: dict[Node, None] = {}  # edges out: they wrote what this one read

    def has_read(self, table: str, key: Any, before: Row | None, after: Row | None) -> bool:
        """Did this transaction read the row, or a predicate it enters or leaves?"""
        if key in self.keys.get(table, ()):
            return True
        for where in self.predicates.get(table, ()):
            if (before is not None and matches(before, where)) or (
                after is not None and matches(after, where)
            ):
                return True
        return False


class ConflictGraph:
    """All serializable transactions that are open or overlapped one that is."""

    __slots__ = ("nodes",)

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def begin(self, snapshot: int) -> Node:
        node = Node(snapshot)
        self.nodes.append(node)
        return node

    def check(self, node: Node) -> None:
        """Another transaction's commit may have chosen this one to fail."""
        if node.doomed:
            raise SerializationFailure("read/write dependencies among transactions")

    def read_key(self, node: Node, table: str, key: Any) -> None:
        """`node` looked a row up by its primary key, found or not."""
        node.keys.setdefault(table, {})[key] = None
        for other in self.nodes:
            if other is not node and other.committed > node.snapshot and key in other.writes.get(table, ()):
                self._edge(node, other, node)

    def read_predicate(self, node: Node, table: str, where: Mapping[str, Any]) -> None:
        """`node` looked for all rows that match."""
        node.predicates.setdefault(table, []).append(where)
        for other in self.nodes:
            if other is node or other.committed <= node.snapshot:
                continue
            for before, after in other.writes.get(table, {}).values():
                if (before is not None and matches(before, where)) or (
                    after is not None and matches(after, where)
                ):
                    self._edge(node, other, node)
                    break

    def write(self, node: Node, table: str, key: Any, before: Row | None, after: Row | None) -> None:
        """`node` changed a row (or is about to fail on a unique value, which reads it too)."""
        written = node.writes.setdefault(table, {})
        first = written.get(key)
        written[key] = (before if first is None else first[0], after)
        for other in self.nodes:
            if (
                other is not node
                and other.committed > node.snapshot
                and other.has_read(table, key, before, after)
            ):
                self._edge(other, node, node)

    def before_commit(self, node: Node) -> None:
        """The first to commit of a dangerous structure survives: its pivot is doomed here."""
        self.check(node)
        for pivot in node.readers:
            if pivot.committed != NEVER or pivot.doomed:
                continue
            for first in pivot.readers:
                if first is node or (first.committed == NEVER and not first.doomed):
                    pivot.doomed = True
                    break

    def committed(self, node: Node, seq: int) -> None:
        node.read_only = not node.writes
        node.committed = seq
        self._retire()

    def aborted(self, node: Node) -> None:
        for reader in node.readers:
            reader.writers.pop(node, None)  # a retired one keeps no edges
        for writer in node.writers:
            writer.readers.pop(node, None)
        self.nodes.remove(node)
        self._retire()

    def _edge(self, reader: Node, writer: Node, acting: Node) -> None:
        if writer in reader.writers:
            return
        reader.writers[writer] = None
        writer.readers[reader] = None
        if not _dangerous(reader, writer):
            return
        if acting is writer or writer.committed != NEVER:
            raise SerializationFailure("read/write dependencies among transactions")
        writer.doomed = True

    def _retire(self) -> None:
        """Drop the committed that no open transaction overlapped."""
        oldest = min((node.snapshot for node in self.nodes if node.committed == NEVER), default=NEVER)
        kept = []
        for node in self.nodes:
            if node.committed > oldest:
                kept.append(node)
            else:
                node.readers.clear()
                node.writers.clear()
        self.nodes = kept


def _dangerous(reader: Node, writer: Node) -> bool:
    """Does the new edge reader → writer complete T1 → T2 → T3 with T3 the first to commit?"""
    for third in writer.writers:  # the writer as pivot
        if (
            third.committed != NEVER
            and third.committed <= reader.committed
            and third.committed <= writer.committed
            and not (reader.read_only and third.committed > reader.snapshot)
        ):
            return True
    if writer.committed == NEVER or reader.read_only or reader.committed < writer.committed:
        return False
    for first in reader.readers:  # the reader as pivot
        if (
            not first.doomed
            and first.committed >= writer.committed
            and not (first.read_only and first.snapshot < writer.committed)
        ):
            return True
    return False
