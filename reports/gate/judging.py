"""The decision: policy and evidence in, checks and an outcome out. Nothing is written here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.tally import Exit
from reports.gate import certificates, claims, comparison, coverage, limits
from reports.gate.check import EXITS, OUTCOMES, Check, Outcome, worst
from reports.gate.checking import Known, required
from reports.gate.evidence import Evidence, join
from reports.gate.policy import Policy


@dataclass(frozen=True)
class Decision:
    """What the gate says, and all that it says it from."""

    policy: Policy
    source: str
    evidence: Evidence
    baseline: Evidence | None
    checks: tuple[Check, ...]

    @property
    def outcome(self) -> Outcome:
        """The gravest of all checks."""
        return worst(self.checks)

    @property
    def exit_code(self) -> Exit:
        """What the command ends with."""
        return EXITS[self.outcome]

    def of(self, *outcomes: Outcome) -> list[Check]:
        """Checks that came out so, the most money first, then in the order of judging."""
        found = [check for check in self.checks if check.outcome in outcomes]
        return sorted(found, key=lambda check: (OUTCOMES.index(check.outcome), -check.amount_fen))


def decide(
    policy: Policy,
    source: Path,
    known: Known,
    results: Evidence,
    baseline: Sequence[Path] = (),
    given: Sequence[Path] = (),
) -> Decision:
    """Judge everything that the policy demands. Raises ResultsError for input that cannot be used."""
    files = dict.fromkeys([*required(policy, source.parent), *given])
    read = [(file, certificates.read(file, results)) for file in files]
    before = join(baseline) if baseline else None
    checks = (
        *coverage.check(policy, results, known),
        *claims.check(policy, results, known),
        *limits.check(policy, results),
        *certificates.check(policy, read, known),
        *comparison.check(policy, results, before, known),
    )
    return Decision(policy, source.name, results, before, checks)
