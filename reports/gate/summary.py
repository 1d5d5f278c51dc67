"""The decision as plain data, in the order in which a developer needs it: what stops it, with the line that replays it.

Violations of one scenario on one design are one finding, whatever the number of invariants. What is not proven is
grouped by reason. The terminal, the Markdown and the JSON all say this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from chaos.checkers.verdict import Verdict, Witness
from chaos.results import ResultsError, read_json
from chaos.tally import replay_command
from chaos.words import yuan
from reports.gate.check import KINDS, OUTCOMES, Check, Outcome
from reports.gate.judging import Decision
from reports.gate.sentences import Sentences, place

SCHEMA = 1
TOP = 10


def of(decision: Decision, lang: str) -> dict[str, Any]:
    """What `gate.json` holds, but for the single checks."""
    say = Sentences(lang)
    counts = Counter((check.kind, check.outcome) for check in decision.checks)
    totals = {outcome: sum(counts[kind, outcome] for kind in KINDS) for outcome in OUTCOMES}
    stopping = decision.of("broken", "violated")
    return {
        "schema": SCHEMA,
        "outcome": decision.outcome,
        "exit_code": int(decision.exit_code),
        "sentence": _sentence(decision, totals, say),
        "extent": _extent(decision, say),
        "policy": decision.policy.model_dump(mode="json", by_alias=True),
        "results": [str(path) for path in decision.evidence.paths],
        "baseline": [] if decision.baseline is None else [str(path) for path in decision.baseline.paths],
        "counts": {
            kind: {outcome: counts[kind, outcome] for outcome in OUTCOMES if counts[kind, outcome]}
            for kind in KINDS
            if any(counts[kind, outcome] for outcome in OUTCOMES)
        },
        "violations": [_finding(group, say) for group in _by_place(stopping)],
        "doubts": _grouped(decision.of("inconclusive"), say),
        "tolerated": _grouped(decision.of("tolerated"), say),
    }


def checks(decision: Decision, lang: str) -> list[dict[str, Any]]:
    """Every single check."""
    say = Sentences(lang)
    return [
        {
            "kind": check.kind,
            "name": check.name,
            "scenario": check.scenario,
            "design": check.design,
            "outcome": check.outcome,
            "reason": say.reason(check),
            "data": check.data,
            "replay": [*map(replay_command, check.replay)],
        }
        for check in decision.checks
    ]


def _sentence(decision: Decision, totals: dict[Outcome, int], say: Sentences) -> str:
    if not decision.checks:
        return say.words("gate.nothing")
    outcome = decision.outcome
    return (
        say.words(f"gate.{outcome}")
        if outcome in ("holds", "broken")
        else say.words(f"gate.{outcome}", n=totals[outcome])
    )


def _extent(decision: Decision, say: Sentences) -> str:
    evidence = decision.evidence
    gated = [cell for design in decision.policy.designs for cell in evidence.of(design)]
    scenarios = {cell.scenario for cell in gated if cell.runs}
    text = say.words(
        "gate.extent",
        runs=sum(len(cell.runs) for cell in gated),
        scenarios=len(scenarios),
        designs=say.words.listed(list(decision.policy.designs)),
        policy=decision.source,
    )
    if decision.baseline is not None:
        paths = say.words.listed([str(path) for path in decision.baseline.paths])
        text = say.words("gate.baseline", extent=text, paths=paths)
    return text


def _by_place(stopping: list[Check]) -> list[list[Check]]:
    """Claims of one scenario on one design together, and those that are worse than before; anything else alone.

    Order is kept.
    """
    groups: dict[tuple[str, ...], list[Check]] = {}
    for number, check in enumerate(stopping):
        together = check.kind == "holds" or check.words == "rate_worse"
        key = (check.kind, check.outcome, check.scenario, check.design, "" if together else str(number))
        groups.setdefault(key, []).append(check)
    return list(groups.values())


def _finding(group: list[Check], say: Sentences) -> dict[str, Any]:
    gravest = group[0]
    story = _story(group, say)
    return {
        "outcome": gravest.outcome,
        "kind": gravest.kind,
        "where": place(gravest),
        "scenario": gravest.scenario,
        "design": gravest.design,
        "names": [check.name for check in group],
        "also": [check.name for check in group[1:]],
        "what": say.subject(gravest),
        "reason": say.reason(gravest),
        "story": story,
        "amount_fen": max(check.amount_fen for check in group),
        "replay": [*map(replay_command, dict.fromkeys(token for check in group for token in check.replay))],
    }


def _story(group: Iterable[Check], say: Sentences) -> str:
    """The gravest case that a kept run of the group holds: which order, who, how much, what happened."""
    cases: list[tuple[int, str, Witness]] = []
    for kept, names in _kept(group).items():
        for verdict in _verdicts(Path(kept)):
            if verdict.outcome == "violated" and verdict.invariant in names:
                cases += [(one.amount_fen, verdict.invariant, one) for one in verdict.witnesses]
    if not cases:
        return ""
    amount_fen, invariant, witness = max(cases, key=lambda case: case[0])
    who = [witness.id, *witness.users, *([yuan(amount_fen)] if amount_fen else [])]
    whose = " · ".join(part for part in who if part)
    return say.words("gate.told", what=whose, reason=say.titles.witness(invariant, witness))


def _kept(group: Iterable[Check]) -> dict[str, set[str]]:
    """Kept run → invariants to look for in it; all compensation rules are judged by I-30."""
    found: dict[str, set[str]] = {}
    for check in group:
        if check.kept:
            found.setdefault(check.kept, set()).add("I-30" if check.name.startswith("K-") else check.name)
    return found


def _verdicts(kept: Path) -> list[Verdict]:
    file = kept / "verdict.json"
    if not file.is_file():
        return []
    try:
        return msgspec.convert(read_json(file).get("verdicts", []), list[Verdict])
    except msgspec.ValidationError as error:
        raise ResultsError(f"{file}: damaged: {error}") from error


def _grouped(found: list[Check], say: Sentences) -> list[dict[str, Any]]:
    """By design, kind and reason: what is the same for thirty invariants is said once."""
    groups: dict[tuple[str, str, str], list[Check]] = {}
    for check in found:
        groups.setdefault((check.design, check.kind, say.reason(check)), []).append(check)
    return [
        {
            "kind": kind,
            "design": design,
            "reason": reason,
            "names": list(dict.fromkeys(check.name for check in group)),
            "what": _few([say.subject(check) for check in group], say),
            "scenarios": list(dict.fromkeys(check.scenario for check in group if check.scenario)),
            "replay": [replay_command(token) for check in group for token in check.replay][:1],
        }
        for (design, kind, reason), group in groups.items()
    ]


def _few(names: list[str], say: Sentences) -> str:
    unique = list(dict.fromkeys(names))
    return unique[0] if len(unique) == 1 else say.words("gate.names", first=unique[0], n=len(unique) - 1)
