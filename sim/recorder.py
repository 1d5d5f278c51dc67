"""Where the world writes what happened; `chaos.history` implements it.

The kinds of event are kept apart, as in Jepsen: what a user asked for and what came of it, what a
transaction committed, what a counterparty booked, what a user was shown, what a fault touched.
Times are taken from the kernel by the implementation (true time, never a node's skewed clock).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Recorder(Protocol):
    """Appends events at the present instant of true time. Mappings are kept, not copied."""

    def invoke(self, user: str, action: str, args: Mapping[str, Any]) -> int:
        """A user starts an operation; returns its number for the matching outcome."""
        ...

    def ok(self, op: int, user: str, action: str, result: Mapping[str, Any]) -> None: ...

    def fail(self, op: int, user: str, action: str, result: Mapping[str, Any]) -> None:
        """Certainly no effect."""
        ...

    def unknown(self, op: int, user: str, action: str, result: Mapping[str, Any]) -> None:
        """Effect or none; nobody on this side knows."""
        ...

    def state(
        self, tx: int, node: str, book: str, table: str, op: str, key: str, row: Mapping[str, Any] | None
    ) -> None:
        """A transaction committed this row (`op`: insert, update, delete or revert)."""
        ...

    def book(self, party: str, entry: str, ref: str, data: Mapping[str, Any]) -> None:
        """A counterparty's own entry (`party`: CH or SUP)."""
        ...

    def notice(self, user: str, topic: str, order_id: str, data: Mapping[str, Any]) -> None:
        """Something was shown to a user unasked."""
        ...

    def fault(self, fault: str, phase: str, site: str, data: Mapping[str, Any]) -> None:
        """`phase`: start, end or touch."""
        ...

    def read(self, subject: str, key: str, value: Mapping[str, Any]) -> None:
        """A final read, as the user or operator would see it."""
        ...
