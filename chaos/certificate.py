"""The certificate of a sweep: a file that says what was tried, by which code, and what came of it.

It is plain data, sealed against accidents by a hash over everything in it; a gate can require it and anybody
can run a part of it again (`chaos/sweep/certifying.py`).
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import msgspec

from chaos.results import ResultsError, read_json
from scenarios.model import Scenario

SCHEMA = 1


class Level(msgspec.Struct, frozen=True):
    """All runs with this number of faults. `twins` were seen to lead nowhere new; `sample` names some runs."""

    faults: int
    runs: int
    twins: int
    digest: str
    sample: list[tuple[tuple[str, ...], str]]


class Violation(msgspec.Struct, frozen=True):
    """A set of strikes that broke something; `plan` is what replays it."""

    strikes: tuple[str, ...]
    plan: dict[str, dict[str, Any]]
    violated: list[str]
    digest: str


class Certificate(msgspec.Struct, frozen=True):
    """What a sweep did. `digest` is over strikes, history and verdicts of all runs in their order."""

    schema: int
    workload: str
    workload_digest: str
    scenario: dict[str, Any]
    design: str
    seed: int
    versions: dict[str, str]
    vocabulary: list[dict[str, Any]]
    faults: list[str]
    k: int
    sites: int
    runs: int
    twins: int
    digest: str
    levels: list[Level]
    violated: dict[str, int] = {}
    unknown: dict[str, int] = {}
    violations: list[Violation] = []
    wall_s: float = 0.0
    seal: str = ""

    @property
    def clean(self) -> bool:
        """Whether nothing was violated and nothing left undecided."""
        return not self.violated and not self.unknown


def refuse_taken(path: Path) -> None:
    """Say before the sweep that its certificate cannot stand at `path`. Raises ResultsError.

    A certificate may be replaced by a newer one; any other file is somebody's.
    """
    if path.is_dir():
        raise ResultsError(f"{path}: is a directory; name a file for the certificate")
    if path.exists() and not _is_certificate(path):
        raise ResultsError(
            f"{path}: exists and is no certificate; name another file with --out, or remove it"
        )
    there = next(parent for parent in path.absolute().parents if parent.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        raise ResultsError(f"{path}: cannot be written: {there} is no directory that you may write to")


def _is_certificate(path: Path) -> bool:
    try:
        return "seal" in read_json(path)
    except ResultsError:
        return False


def save(certificate: Certificate, path: Path) -> None:
    """Seal it and write it as a whole or not at all. Raises ResultsError."""
    sealed = msgspec.structs.replace(certificate, seal=_seal(certificate))
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(msgspec.json.format(msgspec.json.encode(sealed), indent=1) + b"\n")
        part.replace(path)
    except OSError as error:
        raise ResultsError(f"{path}: cannot be written: {error.strerror}") from error


def load(path: Path) -> Certificate:
    """Read a certificate. Raises ResultsError for one that is foreign, of another schema, or was changed."""
    raw = read_json(path)
    if "seal" not in raw or raw.get("schema") != SCHEMA:
        raise ResultsError(f"{path}: is no certificate of schema {SCHEMA} (schema {raw.get('schema')})")
    try:
        certificate = msgspec.convert(raw, Certificate)
    except msgspec.ValidationError as error:
        raise ResultsError(f"{path}: is no certificate: {error}") from error
    if certificate.seal != _seal(certificate):
        raise ResultsError(f"{path}: damaged: it is not what was sealed; make it again with `dingfeng sweep`")
    return certificate


def _seal(certificate: Certificate) -> str:
    return data_digest(msgspec.structs.replace(certificate, seal=""))


def workload_digest(scenario: Scenario) -> str:
    """Hash of all in a scenario that makes runs; titles and expectations may change without harm."""
    return data_digest(
        scenario.model_dump(mode="json", exclude={"title", "story", "expect", "sometimes", "races"})
    )


def data_digest(data: Any) -> str:
    """Hash of plain data, 32 hex digits."""
    return hashlib.blake2b(msgspec.json.encode(data, order="deterministic"), digest_size=16).hexdigest()
