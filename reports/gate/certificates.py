"""Certificates of sweeps: whether those that the policy asks for are there, are of this code, and held.

A certificate is a JSON file that `sweep` writes. What is no certificate, or one of another schema or of other
code, is wrong input: it says nothing of this candidate and must not look as if it did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from chaos.certificate import Certificate, load
from chaos.results import ResultsError
from reports.gate.check import Check
from reports.gate.evidence import Evidence
from reports.gate.policy import Policy


def read(path: Path, evidence: Evidence) -> Certificate:
    """A certificate of this candidate. Raises ResultsError for anything else."""
    certificate = load(path)
    for campaign in evidence.campaigns:
        for name in ("dingfeng", "code"):
            ours, theirs = campaign.versions.get(name, "unknown"), certificate.versions.get(name, "unknown")
            if ours != theirs:
                raise ResultsError(
                    f"{path}: certifies other code than the results are of ({name} {theirs}, results {ours})"
                )
    return certificate


def check(policy: Policy, certificates: Sequence[tuple[Path, Certificate]]) -> Iterator[Check]:
    """Each required certificate, and each one given that shows a violation."""
    for demand in policy.certificates:
        subject = f"{demand.workload} × {demand.design}, k = {demand.k}"
        fitting = [
            (path, one)
            for path, one in certificates
            if (one.workload, one.design) == (demand.workload, demand.design)
        ]
        deep = [(path, one) for path, one in fitting if one.k >= demand.k]
        if not deep:
            found = max((one.k for _, one in fitting), default=0)
            words = "too_shallow" if fitting else "no_certificate"
            yield Check("certificates", subject, "inconclusive", words, {"k": demand.k, "found": found})
    for path, one in certificates:
        subject = f"{one.workload} × {one.design}, k = {one.k}"
        data = {"file": str(path), "runs": one.runs, "k": one.k, "names": sorted(one.violated or one.unknown)}
        wanted = any((d.workload, d.design) == (one.workload, one.design) for d in policy.certificates)
        if one.violated:
            yield Check("certificates", subject, "violated", "certificate_violated", data, design=one.design)
        elif one.unknown:
            yield Check(
                "certificates", subject, "inconclusive", "certificate_undecided", data, design=one.design
            )
        elif wanted:
            yield Check("certificates", subject, "holds", "certified", data, design=one.design)


def required(policy: Policy, directory: Path) -> list[Path]:
    """The files that the policy itself names and that are there."""
    files = [directory / demand.file for demand in policy.certificates if demand.file is not None]
    return [file for file in files if file.exists()]
