"""Identifiers that stay the same from design to design and from run to run.

An id is made of what it is for (`order`, user, client key), with a number only from the second on.
So the first order of a member's intent has one name in every design, and plans keyed by order fit.
"""

from __future__ import annotations


class StableIds:
    """Implements the port `Ids` for a whole world: unique over nodes and restarts."""

    __slots__ = ("_given",)

    def __init__(self) -> None:
        self._given: dict[tuple[str, ...], int] = {}

    def new(self, kind: str, *seed: str) -> str:
        """`order`, `u3`, `k1` → `order-u3-k1`, then `order-u3-k1.2` …"""
        key = (kind, *seed)
        self._given[key] = n = self._given.get(key, 0) + 1
        name = "-".join(key)
        return name if n == 1 else f"{name}.{n}"
