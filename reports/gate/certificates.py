"""Certificates of sweeps: whether those that the policy asks for are there, are of this code, and held.

A certificate is a JSON file that `sweep` writes. What is no certificate, or one of another schema or of other
code, is wrong input: it says nothing of this candidate and must not look as if it did. A certificate of few
faults is a good one of what it says; but it does not answer a policy that asks for more of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from chaos.certificate import Certificate, load, workload_digest
from chaos.results import ResultsError
from reports.gate.check import Check
from reports.gate.checking import Known, faults
from reports.gate.evidence import Evidence
from reports.gate.policy import CertificateDemand, Policy
from scenarios import loading


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
    workload = certificate.workload
    shipped = workload in (*loading.journeys(), *loading.library())
    if shipped and certificate.workload_digest != workload_digest(loading.load(workload)):
        raise ResultsError(
            f"{path}: certifies another {workload} than the one that dingfeng has; "
            "give a workload of your own a name of its own"
        )
    return certificate


def check(policy: Policy, certificates: Sequence[tuple[Path, Certificate]], known: Known) -> Iterator[Check]:
    """Each required certificate, and each one given that shows a violation."""
    answering: set[Path] = set()
    for demand in policy.certificates:
        fitting = [
            (path, one)
            for path, one in certificates
            if (one.workload, one.design) == (demand.workload, demand.design)
        ]
        good = [path for path, one in fitting if one.k >= demand.k and not _untried(demand, one, known)]
        answering.update(good)
        if not good:
            yield _unanswered(demand, [one for _, one in fitting], known)
    for path, one in certificates:
        subject = f"{one.workload} × {one.design}, k = {one.k}"
        data = {"file": str(path), "runs": one.runs, "k": one.k, "kinds": len(one.faults)}
        data["names"] = sorted(one.violated or one.unknown)
        if one.violated:
            yield Check("certificates", subject, "violated", "certificate_violated", data, design=one.design)
        elif one.unknown:
            yield Check(
                "certificates", subject, "inconclusive", "certificate_undecided", data, design=one.design
            )
        elif path in answering:
            yield Check("certificates", subject, "holds", "certified", data, design=one.design)


def _untried(demand: CertificateDemand, certificate: Certificate, known: Known) -> list[str]:
    """Faults that the policy asks for and that this sweep left out."""
    return [name for name in faults(demand, known) if name not in certificate.faults]


def _unanswered(demand: CertificateDemand, fitting: Sequence[Certificate], known: Known) -> Check:
    """Why no certificate is enough, by the one that comes nearest: deep enough first, then the least left out."""
    subject = f"{demand.workload} × {demand.design}, k = {demand.k}"
    if not fitting:
        return Check("certificates", subject, "inconclusive", "no_certificate", {"k": demand.k})
    nearest = min(fitting, key=lambda one: (one.k < demand.k, len(_untried(demand, one, known)), -one.k))
    untried = _untried(demand, nearest, known)
    data = {"k": demand.k, "found": nearest.k, "names": untried}
    words = "too_shallow" if nearest.k < demand.k else "too_narrow"
    return Check("certificates", subject, "inconclusive", words, data)
