"""YAML → Policy, with every name compared to those that exist. Errors name file, line, field and the nearest name.

A certificate may be of a workload of one's own, so those that are there are asked for its name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from chaos import certificate
from reports.gate.policy import ALL, LIBRARY, PRESENT, SHIPPED, CertificateDemand, Policy
from scenarios.checking import Place, Problem
from scenarios.documents import Document, meant, read, shown

DEFAULT = Path(__file__).with_name("default.yaml")


@dataclass(frozen=True)
class Known:
    """Every name that a policy may use. `library` are the shipped scenarios, `scenarios` those and the ones that ran."""

    designs: Collection[str]
    library: Collection[str]
    invariants: Collection[str]
    rules: Collection[str]
    situations: Collection[str]
    scenarios: Collection[str] = ()
    journeys: Collection[str] = ()
    faults: Collection[str] = ()
    """Every fault that can be swept, in the order in which certificates name them."""
    swept: Collection[str] = ()
    """Those of them that are swept unless somebody chooses."""
    certified: Collection[str] = ()
    """Workloads of the certificates that were given: of one's own, perhaps."""

    @property
    def workloads(self) -> list[str]:
        """What a certificate can be asked of."""
        return list(dict.fromkeys([*self.journeys, *self.scenarios, *self.certified]))

    @property
    def claims(self) -> list[str]:
        """Invariants, then rules."""
        return [*self.invariants, *self.rules]


def load(path: Path | None, known: Known) -> Policy:
    """Read and check a policy; the shipped one if none is given. Raises DocumentError."""
    file = path or DEFAULT
    return parse(read(file, "policy"), shown(file), known, file.parent)


def parse(text: str, source: str, known: Known, directory: Path | None = None) -> Policy:
    """Check the text of a policy; `source` names it in errors, `directory` is where its certificates lie.

    Raises DocumentError, and ResultsError for a file that it names and that is no certificate.
    """
    document = Document(text, source, "gate")
    policy = document.into(Policy)
    own = [certificate.load(file).workload for file in required(policy, directory)] if directory else []
    found = list(_problems(policy, replace(known, certified=[*known.certified, *own])))
    if found:
        first = found[0]
        message = first.message + meant(first.wrong, first.valid)
        raise document.error(first.place, message, count=len(found))
    return policy


def _problems(policy: Policy, known: Known) -> Iterator[Problem]:
    for design, demand in policy.designs.items():
        yield from _unknown(("designs", design), [design], "design", known.designs)
        held = _claims(demand.holds, known)
        yield from _unknown(
            ("designs", design, "holds"), held, "invariant or rule", known.claims, inside=True
        )
        for number, tolerance in enumerate(demand.tolerated):
            place: Place = ("designs", design, "tolerated", number)
            yield from _unknown((*place, "name"), [tolerance.name], "invariant or rule", known.claims)
            if tolerance.name in known.claims and tolerance.name not in held:
                yield Problem((*place, "name"), f"{tolerance.name!r} need not hold on {design!r} anyway")
            if tolerance.scenario is not None:
                yield from _unknown((*place, "scenario"), [tolerance.scenario], "scenario", known.scenarios)
    if policy.scenarios not in (LIBRARY, PRESENT):
        yield from _unknown(("scenarios",), policy.scenarios, "scenario", known.scenarios, inside=True)
    yield from _unknown(("sometimes",), policy.sometimes, "situation", known.situations, inside=True)
    if policy.due != ALL:
        yield from _unknown(("due",), policy.due, "rule", known.rules, inside=True)
    for number, limits in enumerate(policy.limits):
        place = ("limits", number)
        yield from _unknown((*place, "scenarios"), limits.scenarios, "scenario", known.scenarios, inside=True)
        yield from _unknown((*place, "designs"), limits.designs, "gated design", policy.designs, inside=True)
        if not any(limits.model_dump(exclude={"scenarios", "designs"}, exclude_none=True).values()) and not (
            {"money_at_risk_peak_fen", "money_at_risk_end_fen", "compensation_share"}
            & limits.model_fields_set
        ):
            yield Problem(place, "sets no limit")
    for number, demand_of in enumerate(policy.certificates):
        yield from _certificate(("certificates", number), demand_of, known)


def required(policy: Policy, directory: Path) -> list[Path]:
    """The certificates that the policy itself names and that are there."""
    files = [directory / demand.file for demand in policy.certificates if demand.file is not None]
    return [file for file in files if file.exists()]


def faults(demand: CertificateDemand, known: Known) -> list[str]:
    """Every fault that a demanded certificate must have tried."""
    if demand.faults == SHIPPED:
        return list(known.swept)
    return [name for name in known.faults if any(fnmatchcase(name, pattern) for pattern in demand.faults)]


def _certificate(place: Place, demand: CertificateDemand, known: Known) -> Iterator[Problem]:
    yield from _unknown((*place, "design"), [demand.design], "design", known.designs)
    yield from _unknown((*place, "workload"), [demand.workload], "workload", known.workloads)
    if demand.faults == SHIPPED:
        return
    for number, pattern in enumerate(demand.faults):
        if not any(fnmatchcase(name, pattern) for name in known.faults):
            yield Problem(
                (*place, "faults", number), f"no fault {pattern!r} to sweep with", pattern, known.faults
            )


def _claims(names: tuple[str, ...], known: Known) -> Collection[str]:
    return known.claims if names == ALL else names


def _unknown(
    place: Place,
    names: Collection[str],
    what: str,
    valid: Collection[str],
    *,
    inside: bool = False,
) -> Iterator[Problem]:
    """A problem for each name that does not exist; `inside`: the names are items of a list at `place`."""
    for number, name in enumerate(names):
        if name not in valid:
            yield Problem((*place, number) if inside else place, f"no {what} {name!r}", name, valid)
