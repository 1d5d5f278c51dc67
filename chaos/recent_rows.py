"""The latest rows of append-only tables, kept for the case that a failover takes them back."""

from __future__ import annotations

from chaos.account import Row

REMEMBERED_ROWS = 1 << 14


class RecentRows:
    """The latest rows of an append-only table by key, for the case that a failover takes them back.

    Two generations bound the memory; a revert that reaches further back is reported, not guessed.
    """

    __slots__ = ("_limit", "_old", "_young")

    def __init__(self, limit: int = REMEMBERED_ROWS) -> None:
        self._limit = limit
        self._young: dict[str, Row] = {}
        self._old: dict[str, Row] = {}

    def replace(self, key: str, row: Row | None) -> Row | None:
        """Remember `row` under `key` (None: forget it); the row that was there."""
        before = self._young.pop(key, None) or self._old.pop(key, None)
        if row is not None:
            if len(self._young) >= self._limit:
                self._old, self._young = self._young, {}
            self._young[key] = row
        return before
