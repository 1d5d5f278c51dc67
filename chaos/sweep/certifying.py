"""A finished sweep as a certificate, and a certificate looked at again by running a part of it.

Levels of no and of one fault are run again in full and must come to the same digest; of each deeper level the
runs that the certificate names must come to the same histories, and every violation must still be one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from chaos.certificate import SCHEMA, Certificate, Level, workload_digest
from chaos.doctor import Finding
from chaos.results import ResultsError
from chaos.sweep.ground import Ground, Strikes, look
from chaos.sweep.search import Sweep, line
from chaos.versions import differing, versions
from chaos.worker import dump
from scenarios.model import Scenario

IN_FULL = 1
"""Levels of up to so many faults are run again as a whole."""


def certify(sweep: Sweep) -> Certificate:
    """The certificate of a sweep that came to its end."""
    ground = sweep.ground
    scenario = dump(ground.scenario)
    whole = hashlib.blake2b(digest_size=16)
    for level in sweep.levels:
        whole.update(level.digest.encode())
    return Certificate(
        SCHEMA,
        ground.scenario.name,
        workload_digest(ground.scenario),
        scenario,
        ground.design,
        ground.seed,
        versions(),
        [rule.model_dump(mode="json", by_alias=True, exclude_defaults=True) for rule in ground.rules],
        list(ground.names),
        sweep.k,
        sweep.levels[1].runs if len(sweep.levels) > 1 else 0,
        sweep.runs,
        sum(level.twins for level in sweep.levels),
        whole.hexdigest(),
        list(sweep.levels),
        dict(sorted(sweep.violated.items())),
        dict(sorted(sweep.unknown.items())),
        list(sweep.violations),
        round(sweep.wall_s, 3),
    )


def verify(certificate: Certificate, *, sampled: int | None = None) -> Iterator[Finding]:
    """Finding by finding. Raises ResultsError for a certificate of other code, which nothing here can judge."""
    if other := differing(certificate.versions):
        raise ResultsError(f"the certificate is of another version: {'; '.join(other)}; make it again")
    ground = _ground(certificate)
    rules = [rule.model_dump(mode="json", by_alias=True, exclude_defaults=True) for rule in ground.rules]
    yield Finding("vocabulary", rules == certificate.vocabulary, f"{len(rules)} rules")
    roots: list[Strikes] = [()]
    for level in certificate.levels:
        if level.faults <= IN_FULL:
            proof, roots = _in_full(ground, level, roots, deeper=certificate.k > level.faults)
            yield proof
        else:
            yield _in_part(ground, level, sampled)
    if certificate.violations:
        yield _still_violated(ground, certificate)


def _ground(certificate: Certificate) -> Ground:
    try:
        scenario = Scenario.model_validate(certificate.scenario)
    except ValidationError as error:
        raise ResultsError(f"the certificate's scenario is none: {error}") from error
    if workload_digest(scenario) != certificate.workload_digest:
        raise ResultsError("the certificate's scenario is not the one that it names by its digest")
    return Ground.of(scenario, certificate.design, certificate.seed, certificate.faults)


def _in_full(
    ground: Ground, level: Level, plans: Sequence[Strikes], *, deeper: bool
) -> tuple[Finding, list[Strikes]]:
    digest = hashlib.blake2b(digest_size=16)
    onward: list[Strikes] = []
    for strikes in plans:
        seen = look(ground, strikes, deeper=deeper)
        digest.update(line(strikes, seen))
        onward += [(*strikes, strike) for _, strike in seen.reached]
    same = digest.hexdigest() == level.digest and len(plans) == level.runs
    subject = f"runs with {level.faults} fault{'s' if level.faults != 1 else ''}"
    return Finding(
        subject, same, f"{len(plans)} of {level.runs} run again, digest {digest.hexdigest()}"
    ), onward


def _in_part(ground: Ground, level: Level, sampled: int | None) -> Finding:
    sample = level.sample[:sampled]
    wrong = [strikes for strikes, digest in sample if look(ground, strikes, deeper=False).digest != digest]
    seen = f"{len(sample)} of {level.runs} run again"
    if wrong:
        seen += f", {len(wrong)} differ, first {' + '.join(wrong[0])}"
    return Finding(f"runs with {level.faults} faults", not wrong, seen)


def _still_violated(ground: Ground, certificate: Certificate) -> Finding:
    gone = []
    for one in certificate.violations:
        seen = look(ground, one.strikes, deeper=False)
        if seen.digest != one.digest or any(seen.verdicts.get(name) != "violated" for name in one.violated):
            gone.append(one)
    seen_now = f"{len(certificate.violations)} run again, {len(gone)} differ"
    return Finding("violations", not gone, seen_now)
