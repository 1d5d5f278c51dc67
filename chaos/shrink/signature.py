"""What makes two failures the same one: the invariant, and the kind of thing it was broken for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.checkers.verdict import Verdict, Witness
from chaos.planted import found_first


class NothingToShrink(Exception):
    """The case does not fail, or not in the way that was asked for. The message says which."""


@dataclass(frozen=True, slots=True)
class Signature:
    """An invariant and an entity kind (order, card, wallet …)."""

    invariant: str
    entity: str

    @classmethod
    def of(cls, verdicts: Sequence[Verdict], invariant: str = "") -> Signature:
        """That of a run: of the wanted invariant, else of the one broken first. Raises NothingToShrink."""
        broken = {verdict.invariant: verdict for verdict in verdicts if verdict.outcome == "violated"}
        if not broken:
            raise NothingToShrink("nothing is violated in this run, so there is nothing to shrink")
        if invariant and invariant not in broken:
            raise NothingToShrink(f"{invariant} is not violated in this run; violated: {', '.join(broken)}")
        verdict = broken[invariant or found_first(verdicts).partition("+")[0]]
        return cls(verdict.invariant, _first(verdict.witnesses).entity)

    def verdict(self, verdicts: Sequence[Verdict]) -> Verdict | None:
        """The verdict that shows this failure, if the run has it."""
        for verdict in verdicts:
            if verdict.invariant == self.invariant and verdict.outcome == "violated":
                return verdict if any(one.entity == self.entity for one in verdict.witnesses) else None
        return None

    def witness(self, verdicts: Sequence[Verdict]) -> Witness:
        """The first case of it; there must be one."""
        verdict = self.verdict(verdicts)
        if verdict is None:
            raise ValueError(f"{self} is not in this run")
        return _first([one for one in verdict.witnesses if one.entity == self.entity])

    def __str__(self) -> str:
        return f"{self.invariant} ({self.entity})"


def _first(witnesses: Sequence[Witness]) -> Witness:
    return min(witnesses, key=lambda witness: witness.t_us)
