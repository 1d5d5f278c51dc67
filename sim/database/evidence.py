"""What a fault really touched. A fault that touched nothing proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sim.database.transaction import SimTransaction

AckOutcome = Literal["applied", "not_applied"]
CommitChoice = Callable[[str, frozenset[str], str], bool]
"""Owner, names of the tables written, and the first row written as `table:key`."""


class Evidence:
    """How often a fault bit; for a fault that lasts the count goes on growing."""

    __slots__ = ("fault", "touched")

    def __init__(self, fault: str, touched: int = 0) -> None:
        self.fault = fault
        self.touched = touched

    def __repr__(self) -> str:
        return f"Evidence({self.fault!r}, touched={self.touched})"


class AckFault:
    """Commits whose acknowledgement gets lost: the next `count`, or those that `choice` picks."""

    __slots__ = ("outcome", "count", "choice", "evidence")

    def __init__(self, outcome: AckOutcome, count: int | None, choice: CommitChoice | None) -> None:
        self.outcome = outcome
        self.count = count
        self.choice = choice
        self.evidence = Evidence("lose_commit_acks")

    def bites(self, tx: SimTransaction) -> bool:
        """Does this commit lose its acknowledgement?"""
        if self.count is not None and self.evidence.touched >= self.count:
            return False
        if self.choice is not None and not self._chosen(self.choice, tx):
            return False
        self.evidence.touched += 1
        return True

    @staticmethod
    def _chosen(choice: CommitChoice, tx: SimTransaction) -> bool:
        first = next((f"{store.name}:{key}" for store, key in tx.touched), "")
        return choice(tx.client.owner, frozenset(store.name for store, _ in tx.touched), first)
