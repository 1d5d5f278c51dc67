"""Orders that ended badly, the gravest first: one line an order and run, whatever the number of invariants."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from chaos.checkers.verdict import Witness
from chaos.titles import Titles, gravity
from reports.campaign import Campaign, Failure

OF_A_KIND = 2


@dataclass(frozen=True)
class Finding:
    """What the kept runs say of one order (or wallet, card, …): `sentence` is of its gravest witness.

    `lost`: money is gone for good, not only at risk. `kind`: what is told, whichever order it happened to.
    """

    failure: Failure
    entity: str
    entity_id: str
    users: tuple[str, ...]
    amount_fen: int
    invariants: tuple[str, ...]
    sentence: str
    expected: bool
    lost: bool
    kind: tuple[str, ...]


def findings(campaign: Campaign, lang: str) -> list[Finding]:
    """Every witness of every kept failure, joined by order.

    Of unexpected failures first, losses before risks, orders before the rest, then by money.
    """
    titles = Titles(lang)
    found: list[Finding] = []
    for failure in campaign.failures:
        cases: dict[tuple[str, str], list[tuple[str, Witness]]] = {}
        for verdict in failure.verdicts:
            for witness in verdict.witnesses:
                cases.setdefault((witness.entity, witness.id), []).append((verdict.invariant, witness))
        expected = campaign.pair(failure).outcome != "violated"
        for (entity, entity_id), many in cases.items():
            invariant, gravest = max(many, key=lambda case: gravity(case[0], case[1], titles))
            names = tuple(dict.fromkeys(name for name, _ in many))
            users = tuple(dict.fromkeys(user for _, witness in many for user in witness.users))
            found.append(
                Finding(
                    failure, entity, entity_id, users, gravest.amount_fen, names, titles.witness(invariant, gravest),
                    expected, bool(titles.loser(invariant, gravest)),
                    (failure.scenario, failure.design, invariant, gravest.words),
                )
            )  # fmt: skip
    found.sort(
        key=lambda f: (f.expected, not f.lost, f.entity != "order", -f.amount_fen, f.failure.id, f.entity_id)
    )
    return _varied(found)


def _varied(found: list[Finding]) -> list[Finding]:
    """Two of each kind come first; twenty times the same failure would hide the others."""
    seen: Counter[tuple[str, ...]] = Counter()
    ranks: list[tuple[bool, bool, int]] = []
    for place, finding in enumerate(found):
        ranks.append((finding.expected, seen[finding.kind] >= OF_A_KIND, place))
        seen[finding.kind] += 1
    return [found[place] for _, _, place in sorted(ranks)]
