"""What a run depends on beside its case: versions of packages, and a digest of the code that runs it.

Results of different code must never be mixed in one directory, nor workers of different code in one campaign.
"""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_CODE = ("chaos", "reference_platform", "scenarios", "sim")
_PACKAGES = ("dingfeng", "simpy", "msgspec", "pydantic")


@cache
def versions() -> dict[str, str]:
    """Versions by name; `code` is a digest."""
    packages = {name: _version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), **packages, "code": _code()}


def differing(theirs: dict[str, str], ours: dict[str, str] | None = None) -> list[str]:
    """What is not the same, in words."""
    mine = versions() if ours is None else ours
    return [
        f"{name} {theirs.get(name, 'unknown')}, here {mine.get(name, 'unknown')}"
        for name in dict.fromkeys([*theirs, *mine])
        if theirs.get(name) != mine.get(name)
    ]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _code() -> str:
    """Every module, and the policies and texts beside them. Scenarios are data: a campaign keeps them whole."""
    digest = hashlib.blake2b(digest_size=6)
    files = [
        file
        for package in _CODE
        for pattern in ("*.py", "*.yaml")
        for file in (_ROOT / package).rglob(pattern)
        if not {"library", "journeys"}.intersection(file.parts)
    ]
    for file in sorted(files):
        digest.update(f"{file.relative_to(_ROOT).as_posix()}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
